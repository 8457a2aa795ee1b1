"""Agreement: a run's ledger as predicted before it, beside what the meter read."""

from dataclasses import dataclass

import numpy as np

from flopledger.errors import WrongOption
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.training_run import TrainingRun

COUNTS = 0.001  # how far counts may be off
_DRAWS, _SEED = 10_000, 0  # of the whole run's interval


@dataclass(frozen=True, kw_only=True)
class Part:
    """One figure twice.

    Attributes:
        name: "games", ...
        predicted: before the run.
        metered: while it ran.
        chance: whether the prediction is an expectation; if not, it is a count.
        low: the predicted 90% interval's lower end; None of a count.
        high: its upper end.
    """

    name: str
    predicted: float
    metered: float
    chance: bool
    low: float | None = None
    high: float | None = None

    @property
    def off(self) -> float:
        """How far the metered one lies from the predicted one, as a share of it."""
        return self.metered / self.predicted - 1

    @property
    def inside(self) -> bool:
        """Whether it was metered inside the predicted interval; a count, within `COUNTS`."""
        if self.low is None or self.high is None:
            return abs(self.off) <= COUNTS
        # an interval of counts alone is a point
        return self.low * (1 - COUNTS) <= self.metered <= self.high * (1 + COUNTS)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Every fact of a run twice, and its FLOP.

    Attributes:
        parts: the facts; for self-play also the positions, which the plan asks for.
        ledger: the FLOP of the ledger of the metered facts, beside the meter's: a count.
        total: the FLOP of the ledger of the predicted facts, beside the meter's.
    """

    parts: tuple[Part, ...]
    ledger: Part
    total: Part

    @property
    def worst_count(self) -> float:
        """The largest deviation of a count."""
        return max(abs(part.off) for part in (*self.parts, self.ledger) if not part.chance)

    @property
    def counts_agree(self) -> bool:
        """Whether every count is within `COUNTS`."""
        return self.worst_count <= COUNTS

    @property
    def total_agrees(self) -> bool:
        """Whether the whole run lies inside its predicted interval."""
        return self.total.inside

    @property
    def outside(self) -> tuple[Part, ...]:
        """What chance made otherwise than it does nine times in ten, the whole run apart."""
        return tuple(part for part in self.parts if part.chance and not part.inside)


def agreement(
    predicted: TrainingRun, metered: TrainingRun, expected: Ledger, actual: Ledger
) -> Agreement:
    """Hold a run of one phase against its prediction.

    Args:
        predicted: its file as written before.
        metered: its file as written after, with the meter's FLOP as its published total.
        expected: the ledger of `predicted`.
        actual: the ledger of `metered`.

    Raises:
        ValueError: they have not the same facts, or the meter's FLOP is missing.
    """
    (planned,), (other,) = predicted.phases, metered.phases
    if expected.total_flops is None or actual.total_flops is None:
        raise ValueError(f"{metered.file} has no gradient steps; write it anew")
    if planned.facts.keys() != other.facts.keys() or not metered.published:
        raise WrongOption(f"{metered.file} is not what {predicted.file} became; write both anew")
    parts = [
        Part(
            name=key,
            predicted=fact.value,
            metered=other.facts[key].value,
            chance=fact.low is not None,
            low=fact.low,
            high=fact.high,
        )
        for key, fact in planned.facts.items()
    ]
    if "games" in planned.facts:
        before, after = (
            run.facts["games"].value * run.facts["plies_per_game"].value for run in (planned, other)
        )
        games = planned.facts["games"].value  # the plan's
        low, high = (games * end for end in planned.facts["plies_per_game"].ends)
        parts.append(
            Part(name="positions", predicted=before, metered=after, chance=True, low=low, high=high)
        )
    low, high = flop_interval(expected)
    read = metered.published[0].quantity.value
    return Agreement(
        parts=tuple(parts),
        ledger=Part(
            name="FLOP, from the metered facts",
            predicted=actual.total_flops,
            metered=read,
            chance=False,
        ),
        total=Part(
            name="FLOP, whole run",
            predicted=expected.total_flops,
            metered=read,
            chance=True,
            low=low,
            high=high,
        ),
    )


def flop_interval(expected: Ledger) -> tuple[float, float]:
    """The 5th and 95th percentile of the whole run's FLOP, its facts drawn."""
    assert expected.total is not None
    assert expected.total_flops is not None
    rng = np.random.default_rng(_SEED)
    draws = {key: key.fact.draws(rng.standard_normal(_DRAWS)) for key in expected.facts}
    drawn = np.atleast_1d(expected.balance(draws).total) / expected.total * expected.total_flops
    low, high = np.percentile(drawn, [5, 95])
    return float(low), float(high)
