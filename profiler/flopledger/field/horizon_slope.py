"""What the horizon predicts over real systems: orders off the trend, by steps per outcome."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import log10, nan

import numpy as np

from flopledger.field.ends_of_few import ends_of_few
from flopledger.field.trend import DRAWS, ENDS, SEED, Array, Interval, TooFew, Trend


@dataclass(frozen=True, kw_only=True)
class Slope:
    """Orders of compute per parameter above the trend, an order of steps per outcome.

    1 would be: compute grows as the horizon; 0: it does not ask for it.

    Attributes:
        name: of which systems.
        systems: how many.
        long: how many of them have more than one step an outcome: these alone tell anything.
        value: the slope.
        interval: 90%, by resampling systems, of which the long ones stay as many.
        robust: 90%, by errors that need not be alike (HC3).
        left_out: the least and the greatest slope with any one of the long systems left out.
    """

    name: str
    systems: int
    long: int
    value: float
    interval: Interval
    robust: Interval
    left_out: Interval


def slopes(trend: Trend) -> tuple[Slope, ...]:
    """The slope over all systems whose steps are known, and over the games among them alone.

    That of all sets games against language and pictures, and whatever else sets these apart from
    those is in it, too; that of games alone is free of it, and of few.
    """
    known = [
        (log10(one.steps_per_outcome), r, "Games" in one.domains)
        for one, r in zip(trend.systems, trend.residuals, strict=True)
        if one.steps_per_outcome is not None
    ]
    found = []
    for name, rows in (
        ("any domain", known),
        ("games alone", [row for row in known if row[2]]),
    ):
        with suppress(TooFew):
            found.append(_slope(name, [row[:2] for row in rows]))
    return tuple(found)


def _slope(name: str, rows: Sequence[tuple[float, float]]) -> Slope:
    """The slope of the second of each pair on the first, with a level.

    Raises:
        TooFew: fewer than three are long, or none is short.
    """
    from statsmodels.regression.linear_model import OLS

    steps, off = np.array(rows).reshape(-1, 2).T
    long = steps > 0
    if long.sum() < 3 or not (~long).any():
        raise TooFew(f"{name}: {long.sum()} systems with more than one step are too few")
    fitted = OLS(off, np.column_stack([np.ones(len(steps)), steps])).fit()
    robust = fitted.get_robustcov_results("HC3").conf_int(alpha=1 - (ENDS[1] - ENDS[0]) / 100)[1]
    without = [_by_hand(np.delete(steps, i), np.delete(off, i)) for i in np.flatnonzero(long)]
    return Slope(
        name=name,
        systems=len(steps),
        long=int(long.sum()),
        value=float(fitted.params[1]),
        interval=_resampled(steps, off, long),
        robust=(float(robust[0]), float(robust[1])),
        left_out=(min(without), max(without)),
    )


def _by_hand(steps: Array, off: Array) -> float:
    centred = steps - steps.mean()
    squares = float(centred @ centred)
    return float(centred @ off) / squares if squares else nan


def _resampled(steps: Array, off: Array, long: Array) -> Interval:
    """The 90% interval, by drawing long and short systems with replacement, each by themselves."""
    draw = np.random.default_rng(SEED)
    few, many = np.flatnonzero(long), np.flatnonzero(~long)
    drawn = [
        _by_hand(steps[chosen], off[chosen])
        for chosen in (
            np.concatenate([draw.choice(few, len(few)), draw.choice(many, len(many))])
            for _ in range(DRAWS)
        )
    ]
    return ends_of_few(drawn, len(few))
