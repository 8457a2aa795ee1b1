"""What each arm of an experiment took to its target, with intervals of the mean from its seeds.

An interval holds the choice of settings, too: other seeds might have chosen others. So a resample
goes through the whole of it: seeds drawn anew choose, and trials drawn anew measure the choice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10, sqrt
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flopledger.experiments.censored import Bools, Floats, mean_of
from flopledger.experiments.trials import Row
from flopledger.field.ends_of_few import ends_of_few

Figure = Literal["samples", "flops", "flops_learning"]
RESAMPLES = 500
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
        low: the true mean's 90% interval's lower end, over resampled seeds; None with samples, and
            of a single trial.
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
    return tuple(_estimate(own) for own in _by_arm(rows))


def figure_of(rows: Iterable[Row], arm: str, figure: Figure) -> float | None:
    """The mean of the arm's figure to the target; None where no trial reached it."""
    mean = _mean(measured_by(rows, arm), figure)
    return None if mean is None else 10**mean


def spent_of(rows: Iterable[Row], arm: str, figure: Figure) -> float:
    """The mean of what the arm's trials had spent when they ended, at the target or short of it.

    A lower bound of what it takes; also where no trial reached the target.
    """
    logs, _ = logarithms(measured_by(rows, arm), figure)
    return float(10 ** logs.mean())


def orders_between(
    rows: Sequence[Row], below: str, above: str, figure: Figure
) -> tuple[float, float, float] | None:
    """By how many orders of magnitude one arm's figure is above another's, with its 90% interval.

    None where an arm has no figure.
    """
    means = [_mean(measured_by(rows, arm), figure) for arm in (below, above)]
    if None in means:
        return None
    pair = [[row for row in rows if row.arm == arm] for arm in (below, above)]
    draws = np.random.default_rng(SEED)
    again = [[_mean(resampled(own, draws), figure) for own in pair] for _ in range(RESAMPLES)]
    drawn = np.array([both for both in again if None not in both], dtype=float)
    low, high = means
    assert low is not None
    assert high is not None
    counts = [len(measured_by(own)) for own in pair]
    degrees = _welch(drawn.var(axis=0), np.array(counts) - 1)
    return high - low, *ends_of_few(drawn[:, 1] - drawn[:, 0], min(counts), degrees)


def _welch(variances: Floats, degrees: NDArray[np.int_]) -> float:
    """Degrees of freedom of a difference of two means, by these of each (Welch 1947)."""
    whole = float(variances.sum())
    if not whole:
        return float(degrees.sum())  # there is no spread to be scaled
    return whole**2 / float((variances**2 / degrees).sum())


def repeat_interval(rows: Sequence[Row], arm: str) -> tuple[float, float] | None:
    """The 90% interval of the samples that as many new seeds would come to.

    A repeat's mean varies as much as the first one's does: they differ by sqrt(2) times either's
    error. None where a resample has no trial that reached the target.
    """
    own = [row for row in rows if row.arm == arm]
    mean = _mean(measured_by(own), "samples")
    low, high = _interval(own)
    if mean is None or low is None or high is None:
        return None
    wider = [mean + sqrt(2) * (log10(end) - mean) for end in (low, high)]
    return 10 ** wider[0], 10 ** wider[1]


def measured_by(rows: Iterable[Row], arm: str | None = None) -> list[Row]:
    """The trials that measured, of the arm or of all."""
    return [row for row in rows if row.purpose == "measuring" and arm in (None, row.arm)]


def cost(rows: Sequence[Row]) -> tuple[float, float]:
    """By which settings are chosen, of the trials that tried them; less is better.

    Those that most trials reached the target with, and of these the least mean logarithm of FLOP,
    for arms are measured by that; where none reached it, the best score.
    """
    reached = [row for row in rows if row.reached]
    if not reached:
        return 0, -fmean(row.score for row in rows)
    return -len(reached) / len(rows), fmean(log10(row.flops) for row in reached)


def _mean(rows: Sequence[Row], figure: Figure) -> float | None:
    return mean_of(*logarithms(rows, figure))


def _estimate(own: Sequence[Row]) -> Estimate:
    rows = measured_by(own)
    mean = _mean(rows, "samples")
    samples = None if mean is None else 10**mean
    low, high = (None, None) if samples is None else _interval(own)
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
    draws, count = np.random.default_rng(SEED), len(measured_by(rows))
    means = [_mean(resampled(rows, draws), "samples") for _ in range(RESAMPLES)]
    known = [mean for mean in means if mean is not None]
    if count < 2 or not known:
        return None, None
    low, high = ends_of_few(known, count)
    # where a resample has no trial that reached it, nothing bounds the mean from above
    return 10**low, 10**high if len(known) == len(means) else None


def logarithms(rows: Sequence[Row], figure: Figure) -> tuple[Floats, Bools]:
    """log10 of the rows' figure, and which of them reached the target."""
    seen = np.log10([getattr(row, figure) for row in rows])
    return seen, np.array([row.reached for row in rows])


def resampled(rows: Iterable[Row], draws: np.random.Generator) -> list[Row]:
    """As many measuring trials of each arm, as another run of the experiment might have them.

    Where the seeds that are drawn choose settings that were not measured, the trials that tried
    these stand for it.
    """
    return [row for own in _by_arm(rows) for row in _again(own, draws)]


def _again(own: Sequence[Row], draws: np.random.Generator) -> list[Row]:
    measured = measured_by(own)
    tried = [row for row in own if row.purpose == "choosing"]
    pool = measured
    if tried:
        seeds = sorted({row.seed for row in tried})
        drawn = [seeds[i] for i in draws.integers(len(seeds), size=len(seeds))]
        by_settings: dict[str, list[Row]] = {}
        for row in tried:
            by_settings.setdefault(row.settings, []).extend([row] * drawn.count(row.seed))
        best = min(filter(None, by_settings.values()), key=cost)[0].settings
        if best != measured[0].settings:
            pool = [row for row in tried if row.settings == best]
    return [pool[i] for i in draws.integers(len(pool), size=len(measured))]


def _by_arm(rows: Iterable[Row]) -> list[list[Row]]:
    """All trials of each arm that was measured, in the order in which they were."""
    rows = list(rows)
    arms = dict.fromkeys(row.arm for row in measured_by(rows))
    return [[row for row in rows if row.arm == arm] for arm in arms]
