"""Laws: how a figure grows with a size, and at which sizes that holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

NEAR = 0.01  # of the figure: how far a least-squares law may be off and still hold
_STEPS = 256  # the coarsest grid of sizes that is looked for: strides and patches multiply to less

Form = tuple[int, ...]  # the powers of a polynomial, highest first


@dataclass(frozen=True, kw_only=True)
class Law:
    """A polynomial of a size, and where it holds.

    Attributes:
        coefficients: by power, highest first; zeros left out, save for the law of nothing.
        exact: whether it was solved for in whole numbers, and holds to the last digit where it
            holds; otherwise it is that of least squares, and holds where it is off by at most NEAR.
        holds: the sizes at which it does, ascending.
        deviations: (figure - law) / figure at every other size; of 0, the difference itself.
        worst: the largest deviation, either way, at any size.
    """

    coefficients: dict[int, Fraction]
    exact: bool
    holds: tuple[int, ...]
    deviations: dict[int, float]
    worst: float

    def at(self, size: int) -> Fraction:
        """What the law says of that size."""
        return _value(self.coefficients, size)

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


def forms(spans: int) -> list[Form]:
    """The polynomials that theory knows, those of fewest coefficients first.

    A size that spans k axes of an input makes x^k places (pixels, tokens, samples). Convolutions
    and linear layers do as much at each of them; borders without padding add lower powers;
    attention does something for every two places.

    >>> forms(2)
    [(0,), (2, 0), (2, 1, 0), (4, 2, 0)]
    """
    k = spans
    known: list[Form] = [(0,), (k, 0), tuple(range(k, -1, -1)), (2 * k, k, 0)]
    return sorted(dict.fromkeys(known), key=lambda form: (len(form), form))


def fit(figures: Mapping[int, int | Fraction], spans: int = 1) -> Law | None:
    """The law of the figures.

    A law is never drawn from fewer sizes than its coefficients and one. One that is exact is
    preferred: of all sizes; else of as many as there are in a step (those that leave the same rest
    when divided by some number, for strides and patches round), or up to some size or from it on.
    That need be no majority of them, save for a constant and for sizes in no step, for which it
    is half. Where nothing is exact, it is the law of least squares of the relative deviation that
    has the fewest coefficients and holds at all sizes; if there is none, the one that is least off.

    Args:
        figures: by size, from 1 up.
        spans: how many axes of the input have the size.

    Returns:
        The law; None where there are too few sizes for any.
    """
    if not figures:
        return None
    known = {size: Fraction(figures[size]) for size in sorted(figures)}
    tried = [form for form in forms(spans) if len(form) < len(known)]
    exact = _exact(known, tried)
    return exact or (_nearest(known, tried) if len(tried) > 1 else None)


def fewest(spans: int) -> int:
    """Sizes that it takes at least for a law that is no constant."""
    return len(forms(spans)[1]) + 1


def _exact(known: Mapping[int, Fraction], tried: Sequence[Form]) -> Law | None:
    for sizes, in_step in _groups(list(known)):
        most = 2 * len(sizes) >= len(known)
        for form in tried:
            if len(sizes) <= len(form) or not (most or (in_step and form != (0,))):
                continue
            law = _through(form, {size: known[size] for size in sizes[: len(form)]})
            if all(_value(law, size) == known[size] for size in sizes):
                return _law(law, known, exact=True)
    return None


def _groups(sizes: list[int]) -> list[tuple[tuple[int, ...], bool]]:
    """Sizes on which a law may be exact, most first; and whether they are those of a step.

    All sizes of one step count for as many as most of them leave the same rest, and go by that
    rest: multiples first.
    """
    groups: dict[tuple[int, ...], tuple[int, bool]] = {tuple(sizes): (len(sizes), True)}
    for step in range(2, min(sizes[-1], _STEPS) + 1):
        rests: dict[int, list[int]] = {}
        for size in sizes:
            rests.setdefault(size % step, []).append(size)
        most = max(map(len, rests.values()))
        for rest in sorted(rests):
            if len(rests[rest]) > 2:
                groups.setdefault(tuple(rests[rest]), (most, True))
    for cut in range(2, len(sizes) - 1):
        groups.setdefault(tuple(sizes[:cut]), (cut, False))
        groups.setdefault(tuple(sizes[cut:]), (len(sizes) - cut, False))
    ranked = sorted(groups.items(), key=lambda item: -item[1][0])
    return [(group, in_step) for group, (_, in_step) in ranked]


def _through(form: Form, points: Mapping[int, Fraction]) -> dict[int, Fraction]:
    """The coefficients of the form that goes through as many points as it has, in fractions."""
    rows = [[Fraction(size) ** power for power in form] + [y] for size, y in points.items()]
    for i in range(len(form)):
        pivot = next(j for j in range(i, len(form)) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for j in range(len(form)):
            if j != i and rows[j][i]:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return {power: row[-1] for power, row in zip(form, rows, strict=True)}


def _nearest(known: Mapping[int, Fraction], tried: Sequence[Form]) -> Law:
    laws = [_law(_least_squares(form, known), known, exact=False) for form in tried]
    return next((law for law in laws if law.everywhere), min(laws, key=lambda law: law.worst))


def _least_squares(form: Form, known: Mapping[int, Fraction]) -> dict[int, Fraction]:
    sizes, y = np.array(list(known), float), np.array(list(map(float, known.values())))
    unit = sizes.max()  # so that all powers are of one magnitude
    weight = 1 / np.maximum(np.abs(y), 1e-300 if y.all() else 1.0)
    columns = np.stack([(sizes / unit) ** power for power in form], axis=1)
    solved, *_ = np.linalg.lstsq(columns * weight[:, None], y * weight, rcond=None)
    return {
        power: Fraction(float(value)) / Fraction(unit) ** power
        for power, value in zip(form, solved, strict=True)
    }


def _law(coefficients: dict[int, Fraction], known: Mapping[int, Fraction], exact: bool) -> Law:
    off = {size: _deviation(y, _value(coefficients, size)) for size, y in known.items()}
    holds = tuple(size for size, by in off.items() if abs(by) <= (0 if exact else NEAR))
    kept = {power: value for power, value in coefficients.items() if value}
    return Law(
        coefficients=kept or {0: Fraction(0)},
        exact=exact,
        holds=holds,
        deviations={size: float(by) for size, by in off.items() if size not in holds},
        worst=float(max(map(abs, off.values()))),
    )


def _deviation(figure: Fraction, law: Fraction) -> Fraction:
    return (figure - law) / abs(figure) if figure else figure - law


def _value(coefficients: Mapping[int, Fraction], size: int) -> Fraction:
    return sum((c * size**power for power, c in coefficients.items()), Fraction(0))
