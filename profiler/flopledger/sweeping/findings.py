"""The laws of a sweep's figures, and the further sizes that they are held against."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flopledger.sweeping.laws import Law, fewest, fit, windows
from flopledger.sweeping.rows import Row

# what is drawn and follows laws: the name, and its unit
QUANTITIES = {"FLOPs": "FLOP", "activations": "elements", "FLOPs per parameter": "FLOP"}

_NEEDED = 2  # further sizes at which a law is to hold
_TRIES = 6  # further sizes of one network that are counted at most


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The law of one quantity of one network.

    Attributes:
        model, quantity, letter: whose law it is, and in which letter.
        law: of the sizes asked for and the further ones together; None where there are too few.
        windows: laws with a window that all these sizes allow, the likeliest first.
        asked: the sizes asked for that are counted.
        fewest: how many it takes.
    """

    model: str
    quantity: str
    letter: str
    law: Law | None
    windows: tuple[Law, ...]
    asked: tuple[int, ...]
    fewest: int

    @property
    def confirmed(self) -> int:
        """Further sizes at which the law holds."""
        return len(set(self.law.holds) - set(self.asked)) if self.law is not None else 0


def findings(
    rows: Sequence[Row], spans: Mapping[str, int], further: Sequence[Row] = ()
) -> list[Finding]:
    """The laws of rows in one letter; none of rows in several, or of networks without figures.

    A letter of one size is none: the laws are in the other.

    Args:
        rows: of any networks.
        spans: the letters, and how many axes of an input have each.
        further: rows that were not asked for, which the laws have to give as well.
    """
    letters = swept_letters(rows, spans)
    if len(letters) != 1:
        return []
    (letter,) = letters
    laws = []
    for model in dict.fromkeys(row.model for row in rows):
        for quantity in QUANTITIES:
            asked = _known(rows, model, quantity, letter)
            if asked:
                known = asked
                if fit(asked, spans[letter]) is not None:
                    known = asked | _known(further, model, quantity, letter)
                laws.append(
                    Finding(
                        model=model,
                        quantity=quantity,
                        letter=letter,
                        law=fit(known, spans[letter]),
                        windows=tuple(windows(known, spans[letter])),
                        asked=tuple(sorted(asked)),
                        fewest=fewest(spans[letter]),
                    )
                )
    return laws


def swept_letters(rows: Sequence[Row], spans: Mapping[str, int]) -> list[str]:
    """The letters that have several sizes; the first one where none has."""
    several = [name for name in spans if len({row.sizes.get(name) for row in rows}) > 1]
    return several or list(spans)[:1]


def further_sizes(laws: Sequence[Finding], tried: Collection[int]) -> list[int]:
    """Sizes that the exact laws of one network are still to be held against.

    Args:
        laws: of that network.
        tried: sizes that are counted already, or could not be.
    """
    chosen: list[int] = []
    for finding in laws:
        if not finding.windows and (finding.law is None or not finding.law.exact):
            continue
        more = len([size for size in tried if size not in finding.asked])
        missing = min(_NEEDED - finding.confirmed, _TRIES - more)
        for size in _likely_to_refute(finding):
            if missing <= 0:
                break
            if size in chosen:
                missing -= 1
            elif size not in tried:
                chosen.append(size)
                missing -= 1
    return chosen


def _likely_to_refute(finding: Finding) -> Iterator[int]:
    """Sizes that a law is named for, far out first; before, those that tell widths apart."""
    top = max(finding.asked)
    for law in finding.windows[:1]:
        assert law.window is not None
        if law.window.power == 1:  # where a window ends, and where the next one begins
            for last in (-(-top // 2 // law.window.width), -(-top // law.window.width) * 2):
                yield from (last * law.window.width + 1, last * law.window.width)
    if finding.law is None or not finding.law.exact:
        return
    law = finding.law
    first, last, step = law.holds[0], law.holds[-1], law.step
    # about twice the last, but not as round: of powers of two, the next one would tell nothing
    far = last + (-(-last // step) + 1) * step
    below, above = max(pairwise((first, *law.holds)), key=lambda pair: pair[1] - pair[0])
    middle = below + (above - below) // (2 * step) * step
    between = range(first + (last - first) // (2 * step) * step, last, step)
    if law.everywhere and step > 1:
        yield far + 1  # a law of all sizes is read as one of those between them
    nearest = (last + step, first - step, last + 2 * step, first - 2 * step)
    for size in (far, middle, *between[:_TRIES], *nearest):
        if size > 0 and size not in law.holds and law.covers(size):
            yield size


def _known(
    rows: Sequence[Row], model: str, quantity: str, letter: str
) -> dict[int, int | Fraction]:
    figures = {
        row.sizes[letter]: figure(row, quantity)
        for row in rows
        if row.model == model and row.error is None
    }
    return {size: value for size, value in figures.items() if value is not None}


def figure(row: Row, quantity: str) -> int | Fraction | None:
    """One of QUANTITIES; None where it is not known."""
    if row.flops is None or row.samples is None:
        return None
    if quantity == "FLOPs":
        return row.flops
    if quantity == "activations":
        return row.activations
    return Fraction(row.flops, row.samples * row.trainable_params) if row.trainable_params else None
