"""What each arm of an experiment took to its target, with intervals from its seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from flopledger.experiments.censored import Bools, Floats, mean_of
from flopledger.experiments.trials import Row

Figure = Literal["samples", "flops", "flops_learning"]
CONFIDENCE = 0.90
RESAMPLES = 200
SEED = 0  # of the resamples: the same rows have the same interval


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An arm's cost to the target. Means are of logarithms: half the trials take more, half less.

    Attributes:
        arm: its name.
        horizon: steps that share one outcome; None where each has its label.
        settings: that were chosen, in words.
        trials: that measured it.
        reached: of these.
        samples: to the target, a trial that did not reach it counted as more than it had; None
            where no trial did.
        low: the 90% interval's lower end, from the spread between seeds; None with samples.
        high: its upper end.
        flops_learning: FLOP of gradient steps to the target; None with samples.
        flops_making: of the passes that made what was learned from; None with samples.
    """

    arm: str
    horizon: float | None
    settings: str
    trials: int
    reached: int
    samples: float | None
    low: float | None
    high: float | None
    flops_learning: float | None
    flops_making: float | None


def estimates_of(rows: Iterable[Row]) -> tuple[Estimate, ...]:
    """One an arm, of the trials that measured it, in the order in which arms come."""
    by_arm: dict[str, list[Row]] = {}
    for row in rows:
        if row.purpose == "measuring":
            by_arm.setdefault(row.arm, []).append(row)
    return tuple(_estimate(own) for own in by_arm.values())


def figure_of(rows: Iterable[Row], arm: str, figure: Figure) -> float | None:
    """The mean of the arm's figure to the target; None where no trial reached it."""
    mean = mean_of(*logarithms(measuring(rows, arm), figure))
    return None if mean is None else 10**mean


def orders_between(
    rows: Sequence[Row], below: str, above: str, figure: Figure
) -> tuple[float, float, float] | None:
    """By how many orders of magnitude one arm's figure is above another's, with its 90% interval.

    None where an arm has no figure.
    """
    (seen, reached), (other_seen, other_reached) = (
        logarithms(measuring(rows, arm), figure) for arm in (below, above)
    )
    low, high = mean_of(seen, reached), mean_of(other_seen, other_reached)
    if low is None or high is None:
        return None
    draws, again = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES):
        own = draws.integers(len(seen), size=len(seen))
        other = draws.integers(len(other_seen), size=len(other_seen))
        lower = mean_of(seen[own], reached[own])
        higher = mean_of(other_seen[other], other_reached[other])
        if lower is not None and higher is not None:
            again.append(higher - lower)
    return high - low, *ends(again)


def measuring(rows: Iterable[Row], arm: str) -> list[Row]:
    """The trials that measured the arm."""
    return [row for row in rows if (row.arm, row.purpose) == (arm, "measuring")]


def _estimate(rows: Sequence[Row]) -> Estimate:
    mean = mean_of(*logarithms(rows, "samples"))
    samples = None if mean is None else 10**mean
    low, high = (None, None) if samples is None else _interval(rows)
    done = sum(row.samples for row in rows)

    def of_a_sample(flops: Iterable[float]) -> float | None:
        return None if samples is None else samples * sum(flops) / done

    return Estimate(
        arm=rows[0].arm,
        horizon=rows[0].horizon,
        settings=rows[0].settings,
        trials=len(rows),
        reached=sum(row.reached for row in rows),
        samples=samples,
        low=low,
        high=high,
        flops_learning=of_a_sample(row.flops_learning for row in rows),
        flops_making=of_a_sample(row.flops_making for row in rows),
    )


def _interval(rows: Sequence[Row]) -> tuple[float | None, float | None]:
    seen, reached = logarithms(rows, "samples")
    draws = np.random.default_rng(SEED).integers(len(rows), size=(RESAMPLES, len(rows)))
    means = [mean_of(seen[draw], reached[draw]) for draw in draws]
    known = [10**mean for mean in means if mean is not None]
    low, high = ends(known)
    # where a resample has no trial that reached it, nothing bounds the mean from above
    return low, high if len(known) == len(means) else None


def logarithms(rows: Sequence[Row], figure: Figure) -> tuple[Floats, Bools]:
    """log10 of the rows' figure, and which of them reached the target."""
    seen = np.log10([getattr(row, figure) for row in rows])
    return seen, np.array([row.reached for row in rows])


def resampled(rows: Sequence[Row], draws: np.random.Generator) -> list[Row]:
    """As many trials of each arm, drawn anew with replacement."""
    by_arm: dict[str, list[Row]] = {}
    for row in rows:
        by_arm.setdefault(row.arm, []).append(row)
    return [own[i] for own in by_arm.values() for i in draws.integers(len(own), size=len(own))]


def ends(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the 90% interval of values that resamples gave."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
