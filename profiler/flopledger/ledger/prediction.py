"""Agreement: a run's ledger as predicted before it, beside what the meter read."""

from dataclasses import dataclass

from flopledger.errors import WrongOption
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.training_run import TrainingRun

COUNTS, TOTAL = 0.001, 0.02  # how far counts, and the whole run, may be off


@dataclass(frozen=True, kw_only=True)
class Part:
    """One figure twice.

    Attributes:
        name: "games", ...
        predicted: before the run.
        metered: while it ran.
        chance: whether the prediction is an expectation; if not, it is a count.
    """

    name: str
    predicted: float
    metered: float
    chance: bool

    @property
    def off(self) -> float:
        """How far the metered one lies from the predicted one, as a share of it."""
        return self.metered / self.predicted - 1


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
        """Whether the whole run is within `TOTAL`."""
        return abs(self.total.off) <= TOTAL


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
        )
        for key, fact in planned.facts.items()
    ]
    if "games" in planned.facts:
        before, after = (
            run.facts["games"].value * run.facts["plies_per_game"].value for run in (planned, other)
        )
        # the plan asks for moves, and the last game goes on to its end
        parts.append(Part(name="positions", predicted=before, metered=after, chance=True))
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
            name="FLOP, whole run", predicted=expected.total_flops, metered=read, chance=True
        ),
    )
