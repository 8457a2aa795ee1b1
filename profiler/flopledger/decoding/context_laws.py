"""How a step's figures grow with the tokens before it: exact laws, piece by piece."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flopledger.sweeping.laws import Law, fit

Figures = Mapping[str, int | Fraction]

_HELD = 4  # contexts of a piece that are counted: three for a line, and one that it is held to


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Contexts in a row at which every figure follows one law, or too few for any.

    Attributes:
        first: the least.
        last: the greatest.
        laws: by figure, of the context; none where every context was counted.
        counted: the figures by context, where they were counted.
    """

    first: int
    last: int
    laws: dict[str, Law]
    counted: dict[int, Figures]

    def total(self, name: str) -> Fraction:
        """The sum of a figure over all contexts of the piece."""
        if not self.laws:
            return sum((Fraction(own[name]) for own in self.counted.values()), Fraction(0))
        powers = self.laws[name].coefficients.items()
        contexts = range(self.first, self.last + 1)
        return sum((c * sum(n**power for n in contexts) for power, c in powers), Fraction(0))


def pieces_of(
    figures_at: Callable[[int], Figures], first: int, last: int, cuts: Iterable[int] = ()
) -> tuple[Piece, ...]:
    """The laws of a step's figures from one context to another.

    A piece is cut in two until a law of whole numbers gives every figure that was counted in it,
    one more than it was drawn from; where there are no more contexts than that, all are counted.

    Args:
        figures_at: counts the step before which that many tokens are cached.
        first: the least context.
        last: the greatest.
        cuts: contexts at which another law begins: a window is full.
    """
    bounds = sorted({first, *(cut for cut in cuts if first < cut <= last), last + 1})
    return tuple(
        piece for low, high in pairwise(bounds) for piece in _pieces(figures_at, low, high - 1)
    )


def _pieces(figures_at: Callable[[int], Figures], first: int, last: int) -> list[Piece]:
    contexts = sorted({first + (last - first) * i // (_HELD - 1) for i in range(_HELD)})
    if last - first < _HELD:
        contexts = list(range(first, last + 1))
    counted = {context: figures_at(context) for context in contexts}
    if len(counted) == last - first + 1:
        return [Piece(first=first, last=last, laws={}, counted=counted)]
    names = counted[first].keys()
    laws = {name: fit({n: figures[name] for n, figures in counted.items()}) for name in names}
    exact = {name: law for name, law in laws.items() if law and law.exact and law.everywhere}
    if len(exact) == len(laws):
        return [Piece(first=first, last=last, laws=exact, counted=counted)]
    middle = (first + last) // 2
    return _pieces(figures_at, first, middle) + _pieces(figures_at, middle + 1, last)
