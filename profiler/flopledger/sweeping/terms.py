"""Terms: the powers of a size, and of that size padded to whole windows, that laws are sums of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

Form = tuple[int, ...]  # the powers of a polynomial, highest first

_WIDEST = (1024, 4096)  # places of the widest window that is looked for: in a row, along an axis
_LOOKED_AT = 64  # sizes by which windows are told apart, before all of them are held to it
_CLOSE = 1e-6  # share of the figures: how near a window must come before it is solved for


@dataclass(frozen=True, order=True)
class Window:
    """What a size N is padded to: P = width * ceil(N^power / width).

    Attributes:
        width: places of a window, along one axis if `power` is 1.
        power: 1 where each axis is padded; the axes of the size where all its places are in a row.
    """

    width: int
    power: int = 1

    def padded(self, size: int) -> int:
        """P of that size.

        >>> Window(64).padded(65)
        128
        """
        places: int = size**self.power
        return -(-places // self.width) * self.width


@dataclass(frozen=True)
class Terms:
    """What a figure may be a sum of: powers of N, and powers of P where there is a window."""

    form: Form
    padded: Form = ()
    window: Window | None = None

    def __len__(self) -> int:
        return len(self.form) + len(self.padded)

    def at(self, size: int) -> list[int]:
        """Each term's value at that size, its coefficient left out."""
        wide = self.window.padded(size) if self.window is not None else 1
        return [size**power for power in self.form] + [wide**power for power in self.padded]


def forms(spans: int) -> list[Form]:
    """The polynomials that theory knows, those of fewest coefficients first.

    A size that spans k axes of an input makes x^k places (pixels, tokens, samples). Convolutions
    and linear layers do as much at each of them; borders without padding add lower powers;
    attention does something for every two places, axial attention and the triangle product of a
    square of pairs for every place and each of its row: 3k/2. Where one axis of tokens makes the
    square inside the network, that is T^3.

    >>> forms(2)
    [(0,), (2, 0), (2, 1, 0), (3, 2, 0), (4, 2, 0), (3, 2, 1, 0), (4, 3, 2, 0)]
    """
    k = spans
    known: list[Form] = [(0,), (k, 0), tuple(range(k, -1, -1)), (2 * k, k, 0)]
    if k % 2 == 0:
        half = k // 2
        known += [(3 * half, k, 0), (3 * half, k, half, 0), (2 * k, 3 * half, k, 0)]
    if k == 1:
        known.append((3, 2, 1, 0))
    return sorted(dict.fromkeys(known), key=lambda form: (len(form), form))


def solved(terms: Terms, figures: Mapping[int, Fraction]) -> list[Fraction] | None:
    """The coefficients that give every figure to the last digit; None where none or many do."""
    return _solution([[*terms.at(size), y] for size, y in figures.items()], len(terms))


def windowed(figures: Mapping[int, Fraction], spans: int) -> list[tuple[Terms, list[Fraction]]]:
    """Sums with a window that give every figure, all of the fewest terms that do.

    The width counts as one coefficient more, and two sizes are asked for beyond them all. What is
    done at a place, and at each place of a window, is a count: no coefficient is negative.
    """
    fitting: list[tuple[Terms, list[Fraction]]] = []
    for form, padded, power in _sums(spans):
        terms = len(form) + len(padded)
        if fitting and terms > len(fitting[0][0]):
            break
        if len(figures) < terms + 3:
            continue
        for width in _likely(figures, form, padded, power):
            sums = Terms(form, padded, Window(width, power))
            coefficients = solved(sums, figures)
            if coefficients is not None and min(coefficients) >= 0:
                fitting.append((sums, coefficients))
    return fitting


def _sums(spans: int) -> list[tuple[Form, Form, int]]:
    """Powers of N, powers of P, and the power of N that is padded; fewest terms first."""
    k = spans
    sums: list[tuple[Form, Form, int]] = []
    for power in sorted({1, k}):
        once = k // power  # the power of P that is places
        sums += [(form, (once,), power) for form in forms(k) if form != (0,)]
        sums += [((k, 0), (2 * once, once), power), ((2 * k, k, 0), (2 * once, once), power)]
    return sorted(sums, key=lambda parts: len(parts[0]) + len(parts[1]))


def _likely(figures: Mapping[int, Fraction], form: Form, padded: Form, power: int) -> Iterator[int]:
    """Widths that may give the figures, by floating point; whoever asks solves for each.

    What takes away every polynomial of the form from some sizes leaves the windows' share, which
    is to be a multiple of what it leaves of P.
    """
    sizes = tuple(figures)[:_LOOKED_AT]
    taken_away = _annihilators(sizes, form)
    rest = np.array([float(sum(a * figures[sizes[i]] for i, a in row)) for row in taken_away])
    places = np.array([size**power for size in sizes], float)
    widths = np.arange(2, min(int(places.max()) // 2, _WIDEST[power == 1]) + 1)
    # of places in a row, some window or other gives one size that is off; a wave has more rest
    wave = np.count_nonzero(rest) > (0 if power == 1 else len(form) + 1)
    if not wave or not len(widths):
        return
    wide = np.ceil(places[:, None] / widths) * widths
    weights = np.zeros((len(taken_away), len(sizes)))
    for row, parts in enumerate(taken_away):
        for i, a in parts:
            weights[row, i] = float(a)
    rest = rest / np.linalg.norm(rest)
    left = np.repeat(rest[:, None], len(widths), axis=1)
    known: list[np.ndarray] = []
    for exponent in padded:
        column = weights @ (wide / places.max()) ** exponent
        for other in known:
            column = column - (column * other).sum(0) * other
        norm = np.linalg.norm(column, axis=0)
        column = np.where(norm > 1e-12, column / np.maximum(norm, 1e-300), 0.0)
        known.append(column)
        left = left - (left * column).sum(0) * column
    steps = (np.diff(np.sort(wide, axis=0), axis=0) > 0).sum(0)
    near = np.linalg.norm(left, axis=0) < _CLOSE
    yield from map(int, widths[near & (steps >= len(padded))])


@lru_cache(maxsize=256)  # the figures of a sweep are of the same sizes
def _annihilators(sizes: tuple[int, ...], form: Form) -> list[list[tuple[int, Fraction]]]:
    """For each run of sizes, one more than the form has powers: weights that sum it to nothing."""
    rows = []
    for start in range(len(sizes) - len(form)):
        run = range(start, start + len(form) + 1)
        unit = Fraction(sizes[run[-1]])  # so that all weights are of one magnitude
        *others, last = [[(Fraction(sizes[i]) / unit) ** power for power in form] for i in run]
        equations = [[*(other[j] for other in others), last[j]] for j in range(len(form))]
        weights = _solution(equations, len(form))
        if weights is not None:
            rows.append([*zip(run, weights, strict=False), (run[-1], Fraction(-1))])
    return rows


def _solution(rows: Sequence[Sequence[Fraction | int]], unknown: int) -> list[Fraction] | None:
    """The one solution of linear equations, each its coefficients and then its right side."""
    pivots: dict[int, list[Fraction]] = {}
    for given in rows:
        row = list(map(Fraction, given))
        for column, pivot in pivots.items():
            if row[column]:
                factor = row[column]
                row = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        first = next((column for column in range(unknown) if row[column]), None)
        if first is None:
            if row[unknown]:
                return None
            continue
        row = [entry / row[first] for entry in row]
        for column, pivot in pivots.items():
            if pivot[first]:
                factor = pivot[first]
                pivots[column] = [a - factor * b for a, b in zip(pivot, row, strict=True)]
        pivots[first] = row
    return [pivots[i][unknown] for i in range(unknown)] if len(pivots) == unknown else None
