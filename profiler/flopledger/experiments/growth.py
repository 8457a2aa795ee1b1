"""How the cost of learning grows with the horizon: a + b h against c h^d."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log10, sqrt

import numpy as np

from flopledger.experiments.censored import Fitted, Floats, Mean, likeliest, mean_of
from flopledger.experiments.estimates import SEED, Figure, logarithms, resampled
from flopledger.experiments.trials import Row
from flopledger.field.ends_of_few import CONFIDENCE, ends_of_few

LINE, POWER = "a + b h", "c h^d"
RESAMPLES = 200  # both forms are fitted to each
FEWEST = 3  # horizons: two parameters go through any two
_LETTERS = {LINE: "ab", POWER: "cd"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a form, with its 90% interval over resampled seeds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form that was fitted to the logarithms of all trials, the censored ones as such.

    Attributes:
        name: "a + b h" or "c h^d".
        parameters: by their letters.
        deviation: a trial's standard deviation about it, in orders.
        aic: Akaike's information criterion; less is better.
        left_out: how far it is from a horizon's mean that it was not fitted to, in orders, each
            horizon left out in turn; root mean square. None of horizons that no trial reached.
    """

    name: str
    parameters: dict[str, Parameter]
    deviation: float
    aic: float
    left_out: float | None

    def at(self, horizon: float) -> float:
        """The figure that it gives at that horizon."""
        first, second = (parameter.value for parameter in self.parameters.values())
        return _at(self.name, first, second, horizon)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Both forms, fitted to one figure.

    Attributes:
        figure: "samples" or "flops".
        horizons: that were measured.
        line: samples = a + b h, which Hilton, Tang and Schulman 2023 (arXiv 2301.13442) report.
        power: samples = c h^d.
        line_better: the share of resamples in which a + b h has the smaller AIC.
    """

    figure: Figure
    horizons: tuple[float, ...]
    line: Form
    power: Form
    line_better: float

    @property
    def better(self) -> Form | None:
        """The form that nine in ten resamples prefer; None where it is undecided."""
        if self.line_better >= CONFIDENCE:
            return self.line
        return self.power if self.line_better <= 1 - CONFIDENCE else None


def growth_of(rows: Sequence[Row], figure: Figure) -> Growth | None:
    """Both forms, fitted to the arms with a horizon; None of fewer than three horizons."""
    own = _with_horizon(rows)
    horizons = sorted({row.horizon for row in own if row.horizon is not None})
    reaching = {row.horizon for row in own if row.reached}
    if len(reaching) < FEWEST:
        return None
    draws = np.random.default_rng(SEED)
    line, power = (_fitted(own, figure, name) for name in (LINE, POWER))
    arms = [row for row in rows if row.horizon is not None]
    again = [resampled(arms, draws) for _ in range(RESAMPLES)]
    lines = [_fitted(rows, figure, LINE, line.parameters) for rows in again]
    powers = [_fitted(rows, figure, POWER, power.parameters) for rows in again]
    better = [one.aic < other.aic for one, other in zip(lines, powers, strict=True)]
    return Growth(
        figure=figure,
        horizons=tuple(horizons),
        line=_form(own, figure, LINE, line, lines),
        power=_form(own, figure, POWER, power, powers),
        line_better=sum(better) / len(better),
    )


def at(rows: Sequence[Row], figure: Figure, name: str, horizon: float) -> float:
    """What a form, fitted to the arms with a horizon, gives at that horizon; "a + b h", "c h^d"."""
    first, second = _values(name, _fitted(_with_horizon(rows), figure, name))
    return _at(name, first, second, horizon)


def _with_horizon(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.purpose == "measuring" and row.horizon is not None]


def _form(
    rows: Sequence[Row], figure: Figure, name: str, fitted: Fitted, resamples: Sequence[Fitted]
) -> Form:
    values = _values(name, fitted)
    drawn = np.array([_values(name, other) for other in resamples])
    trials = Counter(row.arm for row in rows).values()
    degrees = sum(trials) - len(trials)  # of the trials about their arms' means
    ends = [ends_of_few(column, min(trials), degrees) for column in drawn.T]
    parameters = {
        letter: Parameter(value=value, low=low, high=high)
        for letter, value, (low, high) in zip(_LETTERS[name], values, ends, strict=True)
    }
    return Form(
        name=name,
        parameters=parameters,
        deviation=fitted.deviation,
        aic=fitted.aic,
        left_out=_left_out(rows, figure, name),
    )


def _fitted(
    rows: Sequence[Row], figure: Figure, name: str, near: Sequence[float] | None = None
) -> Fitted:
    seen, reached = logarithms(rows, figure)
    horizons = np.array([row.horizon for row in rows], dtype=float)
    mean, start = (_line if name == LINE else _power)(horizons, seen)
    return likeliest(seen, reached, mean, start if near is None else np.array(near))


def _line(horizons: Floats, seen: Floats) -> tuple[Mean, Floats]:
    """log10(a + b h), of the natural logarithms of a and b, which keeps both above 0."""

    def mean(own: Floats) -> tuple[Floats, Floats]:
        a, b = np.exp(own)
        whole = a + b * horizons
        slopes = np.stack([a / whole, b * horizons / whole], axis=1) / np.log(10)
        return np.log10(whole), slopes

    middle = float(10 ** seen.mean())
    return mean, np.log([middle / 2, middle / 2 / float(np.mean(horizons))])


def _power(horizons: Floats, seen: Floats) -> tuple[Mean, Floats]:
    """log10(c) + d log10(h)."""
    slopes = np.stack([np.ones(len(horizons)), np.log10(horizons)], axis=1)
    start, *_ = np.linalg.lstsq(slopes, seen, rcond=None)
    return (lambda own: (slopes @ own, slopes)), start


def _values(name: str, fitted: Fitted) -> tuple[float, float]:
    """The parameters a and b, or c and d."""
    first, second = fitted.parameters
    return (exp(first), exp(second)) if name == LINE else (10**first, second)


def _at(name: str, first: float, second: float, horizon: float) -> float:
    return first + second * horizon if name == LINE else first * horizon**second


def _left_out(rows: Sequence[Row], figure: Figure, name: str) -> float | None:
    squares = []
    for horizon in {row.horizon for row in rows}:
        left = [row for row in rows if row.horizon == horizon]
        rest = [row for row in rows if row.horizon != horizon]
        mean = mean_of(*logarithms(left, figure))
        if mean is None:
            return None
        assert horizon is not None
        first, second = _values(name, _fitted(rest, figure, name))
        squares.append((mean - log10(_at(name, first, second, horizon))) ** 2)
    return sqrt(sum(squares) / len(squares))
