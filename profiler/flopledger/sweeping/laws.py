"""Laws: how a figure grows with a size, and at which sizes that holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from math import gcd

import numpy as np

from flopledger.sweeping.terms import Form, Terms, Window, forms, solved, windowed

NEAR = 0.01  # of the figure: how far a least-squares law may be off and still hold
_STEPS = 256  # the coarsest grid of sizes that is looked for: strides and patches multiply to less
_AHEAD = 256  # further sizes at which laws that give the same figures are compared


@dataclass(frozen=True, kw_only=True)
class Law:
    """A polynomial of a size, with a term of whole windows or without, and where it holds.

    Attributes:
        coefficients: by power, highest first; zeros left out, save for the law of nothing.
        padded: by power of the padded size P, likewise; empty where there is no window.
        window: what P is; None without.
        exact: whether it was solved for in whole numbers, and holds to the last digit where it
            holds; otherwise it is that of least squares, and holds where it is off by at most NEAR.
        holds: the sizes at which it does, ascending.
        deviations: (figure - law) / figure at every other size; of 0, the difference itself.
        worst: the largest deviation, either way, at any size.
    """

    coefficients: dict[int, Fraction]
    padded: dict[int, Fraction] = field(default_factory=dict)
    window: Window | None = None
    exact: bool
    holds: tuple[int, ...]
    deviations: dict[int, float]
    worst: float

    def at(self, size: int) -> Fraction:
        """What the law says of that size."""
        value = _value(self.coefficients, size)
        return value + _value(self.padded, self.window.padded(size)) if self.window else value

    @property
    def everywhere(self) -> bool:
        """Whether it holds at every size."""
        return not self.deviations

    @property
    def stands(self) -> bool:
        """Whether it may be called a law: it holds at more sizes than it has coefficients.

        One of least squares must also hold at half of the sizes.
        """
        most = len(self.holds) >= len(self.deviations)
        return self.exact or (most and len(self.holds) > len(self.coefficients))

    @property
    def step(self) -> int:
        """What the sizes at which it holds lie apart, or a divisor of it."""
        return _step(self.holds)

    def covers(self, size: int) -> bool:
        """Whether it is named for sizes such as this one, counted or not.

        These are of the same rest by its step, and beyond no size of that rest that is off.
        """
        first, last = self.holds[0], self.holds[-1]
        off = [other for other in self.deviations if (other - first) % self.step == 0]
        return size in self.holds or (
            (size - first) % self.step == 0
            and (size > first or not any(other < first for other in off))
            and (size < last or not any(other > last for other in off))
            and not any(first < other < last for other in off)
        )


def fit(figures: Mapping[int, int | Fraction], spans: int = 1) -> Law | None:
    """The law of the figures.

    A law is never drawn from fewer sizes than its coefficients and one. One that is exact is
    preferred: of all sizes, with a window where no polynomial is; else of as many as there are in
    a step (those that leave the same rest when divided by some number, for strides and patches
    round), or of half of them up to some size or from it on. Of a part of the sizes, it takes two
    more than it has coefficients, may not be negative anywhere, and may not contradict a law with
    a window that all sizes allow. Where nothing is exact, it is the law of least squares of the
    relative deviation that has the fewest coefficients and holds at all sizes; if there is none,
    the one that is least off.

    Args:
        figures: by size, from 1 up.
        spans: how many axes of the input have the size.

    Returns:
        The law; None where there are too few sizes for any.
    """
    if not figures:
        return None
    return _fit(tuple((size, Fraction(figures[size])) for size in sorted(figures)), spans)


@cache  # a sweep's laws are found to be checked, told and drawn
def _fit(figures: tuple[tuple[int, Fraction], ...], spans: int) -> Law | None:
    known = dict(figures)
    tried = [form for form in forms(spans) if len(form) < len(known)]
    exact = _exact(known, spans)
    return exact or (_nearest(known, tried) if len(tried) > 1 else None)


def fewest(spans: int) -> int:
    """Sizes that it takes at least for a law that is no constant."""
    return len(forms(spans)[1]) + 1


def windows(figures: Mapping[int, int | Fraction], spans: int = 1) -> list[Law]:
    """Laws with a window that all sizes allow, the likeliest first; none where a polynomial is.

    They are several where the sizes do not tell one width from another.
    """
    return list(_windows(tuple((size, Fraction(figures[size])) for size in sorted(figures)), spans))


@cache
def _windows(figures: tuple[tuple[int, Fraction], ...], spans: int) -> tuple[Law, ...]:
    known = dict(figures)
    if _polynomial(known, spans) is not None:
        return ()
    laws = [_law(terms, c, known, exact=True) for terms, c in windowed(known, spans)]
    return tuple(sorted(laws, key=lambda law: _oddness(law, known)))


def _polynomial(known: Mapping[int, Fraction], spans: int) -> Law | None:
    for form in forms(spans):
        asked = len(form) + (1 if len(form) < 4 else 2)
        if len(known) >= asked and (c := solved(Terms(form), known)) is not None:
            return _law(Terms(form), c, known, exact=True)
    return None


def _exact(known: Mapping[int, Fraction], spans: int) -> Law | None:
    if (law := _polynomial(known, spans)) is not None:
        return law
    rivals = windows(known, spans)
    if (
        rivals
        and _widths_seen(rivals[0], known) > len(rivals[0].padded) + 1
        and all(_agree(rivals[0], rival, known) for rival in rivals)
    ):
        return rivals[0]
    # of all places in a row, some window or other fits a few sizes of nearly anything
    rivals = [law for law in rivals if law.window is not None and law.window.power == 1]
    for sizes in _groups(list(known)):
        part = {size: known[size] for size in sizes}
        for form in forms(spans)[1:]:
            if len(sizes) < len(form) + 1:
                continue
            coefficients = solved(Terms(form), part)
            if coefficients is None:
                continue
            law = _law(Terms(form), coefficients, known, exact=True)
            in_step = not any((size - sizes[0]) % law.step == 0 for size in law.deviations)
            if (
                len(sizes) >= len(law.coefficients) + (2 if in_step else 3)
                and law.coefficients.keys() != {0}
                and _possible(law, known)
                and not any(_contradicts(rival, law, known) for rival in rivals)
            ):
                return law
            break  # a longer form has the same coefficients
    return _constant(known, rivals)


def _constant(known: Mapping[int, Fraction], rivals: Sequence[Law]) -> Law | None:
    """What half of the sizes have in common, up to one or from it on."""
    sizes = list(known)
    for cut in range(len(sizes) - 1, max(2, (len(sizes) - 1) // 2), -1):
        for part in (sizes[:cut], sizes[-cut:]):
            values = {known[size] for size in part}
            if len(values) == 1:
                law = _law(Terms((0,)), list(values), known, exact=True)
                if not any(_contradicts(rival, law, known) for rival in rivals):
                    return law
    return None


def _groups(sizes: list[int]) -> list[tuple[int, ...]]:
    """Parts of the sizes on which a law may be exact, largest first, then multiples of a step."""
    groups: dict[tuple[int, ...], int] = {}
    for step in range(2, min(sizes[-1], _STEPS) + 1):
        rests: dict[int, list[int]] = {}
        for size in sizes:
            rests.setdefault(size % step, []).append(size)
        for rest in sorted(rests):
            if 2 < len(rests[rest]) < len(sizes):
                groups.setdefault(tuple(rests[rest]), rest)
    for cut in range((len(sizes) + 1) // 2, len(sizes)):
        groups.setdefault(tuple(sizes[:cut]), 0)
        groups.setdefault(tuple(sizes[-cut:]), 0)
    return sorted(groups, key=lambda group: (-len(group), groups[group]))


def ahead(sizes: Sequence[int], upto: int) -> Iterator[int]:
    """Sizes such as these, counted or not: of their step, up to that one."""
    step = _step(sizes)
    start = sizes[0] % step or step
    yield from range(start, upto + 1, max(step, (upto - start) // _AHEAD // step * step))


def _agree(law: Law, other: Law, known: Mapping[int, Fraction], sizes: Sequence[int] = ()) -> bool:
    """Whether both say the same of further sizes, up to twice those that are counted."""
    upto = 2 * max(known)
    return all(law.at(n) == other.at(n) for n in ahead(sizes or list(known), upto))


def _contradicts(rival: Law, law: Law, known: Mapping[int, Fraction]) -> bool:
    """Whether a law with a window, which all sizes allow, is right where this one is named.

    One whose second window is seen to begin, and no third, says nothing of laws up to there.
    """
    if _widths_seen(rival, known) < 3 and min(known) in law.holds:
        return False
    return not _agree(law, rival, known, law.holds)


def _possible(law: Law, known: Mapping[int, Fraction]) -> bool:
    """Whether it could be a count: nowhere negative, unless a figure is, and whole if all are."""
    if any(y < 0 for y in known.values()):
        return True
    if law.coefficients[max(law.coefficients)] < 0 or any(law.at(size) < 0 for size in known):
        return False
    whole = all(y.denominator == 1 for y in known.values())
    return not whole or all(law.at(n).denominator == 1 for n in ahead(law.holds, 2 * max(known)))


def _widths_seen(law: Law, known: Mapping[int, Fraction]) -> int:
    return len({law.window.padded(size) for size in known}) if law.window else 0


def _oddness(law: Law, known: Mapping[int, Fraction]) -> tuple[int, int]:
    """Among windows that all sizes allow, the one of whole steps of the sizes is likeliest."""
    assert law.window is not None
    return -gcd(_step(list(known)), law.window.width), law.window.width


def _step(sizes: Sequence[int]) -> int:
    return gcd(*(size - sizes[0] for size in sizes)) or 1


def _nearest(known: Mapping[int, Fraction], tried: Sequence[Form]) -> Law:
    laws = [
        _law(Terms(form), _least_squares(form, known), known, exact=False)
        for form in tried
        if len(form) < 4
    ]
    return next((law for law in laws if law.everywhere), min(laws, key=lambda law: law.worst))


def _least_squares(form: Form, known: Mapping[int, Fraction]) -> list[Fraction]:
    sizes, y = np.array(list(known), float), np.array(list(map(float, known.values())))
    unit = sizes.max()  # so that all powers are of one magnitude
    weight = 1 / np.maximum(np.abs(y), 1e-300 if y.all() else 1.0)
    columns = np.stack([(sizes / unit) ** power for power in form], axis=1)
    coefficients, *_ = np.linalg.lstsq(columns * weight[:, None], y * weight, rcond=None)
    return [
        Fraction(float(value)) / Fraction(unit) ** power
        for power, value in zip(form, coefficients, strict=True)
    ]


def _law(
    terms: Terms, coefficients: Sequence[Fraction], known: Mapping[int, Fraction], exact: bool
) -> Law:
    off = {
        size: _deviation(y, sum((c * t for c, t in zip(coefficients, terms.at(size), strict=True)),
                                Fraction(0)))
        for size, y in known.items()
    }  # fmt: skip
    holds = tuple(size for size, by in off.items() if abs(by) <= (0 if exact else NEAR))
    plain = zip(terms.form, coefficients, strict=False)
    padded = zip(terms.padded, coefficients[len(terms.form) :], strict=True)
    kept = {power: value for power, value in plain if value}
    wide = {power: value for power, value in padded if value}
    return Law(
        coefficients=kept or ({} if wide else {0: Fraction(0)}),
        padded=wide,
        window=terms.window,
        exact=exact,
        holds=holds,
        deviations={size: float(by) for size, by in off.items() if size not in holds},
        worst=float(max(map(abs, off.values()))),
    )


def _deviation(figure: Fraction, law: Fraction) -> Fraction:
    return (figure - law) / abs(figure) if figure else figure - law


def _value(coefficients: Mapping[int, Fraction], size: int) -> Fraction:
    return sum((c * size**power for power, c in coefficients.items()), Fraction(0))
