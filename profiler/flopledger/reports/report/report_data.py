"""Findings: everything that a report is made of, gathered before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flopledger.experiments.horizon_result import Horizon
from flopledger.field.ai_and_compute import System
from flopledger.field.field_result import Systems
from flopledger.ledger.chain import Chain
from flopledger.ledger.comparison import Comparison
from flopledger.ledger.dawnbench import Entry
from flopledger.ledger.hardware_estimate import HardwareEstimate
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.methods import Accounting
from flopledger.ledger.prediction import Agreement
from flopledger.ledger.training_run import TrainingRun
from flopledger.profiles.tables import Profile
from flopledger.statements.claim import Verdict
from flopledger.zoo.registry import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the zoo, the runs and the claims came to.

    Attributes:
        counted: every model that could be counted, in the zoo's order.
        runs: the training runs, by name.
        ledgers: theirs.
        estimates: what the runs' hardware can have done, of those whose hardware is known.
        comparisons: AlexNet's run beside each one that the page can switch to, by its name and by
            the accounting.
        verdicts: on the claims.
        systems: published training computes of AI and Compute's systems.
        field: everybody's systems by compute per parameter, and the runs among them.
        horizons: experiments on the horizon that facts/measured/ keeps, by their task.
        repeated: that of the digits with new seeds.
        trainings: small ones that were watched from beginning to end, beside their predictions.
        watched: the first of those beside the last.
        entries: of DAWNBench, by name.
        hours: their ledgers.
        chains: of entries, by the name of their chart.
    """

    counted: Sequence[tuple[ModelSpec, Profile]]
    runs: Mapping[str, TrainingRun]
    ledgers: Mapping[str, Ledger]
    estimates: Mapping[str, HardwareEstimate]
    comparisons: Mapping[str, Mapping[Accounting, Comparison]]
    verdicts: Sequence[Verdict]
    systems: Sequence[System]
    field: Systems
    horizons: Mapping[str, Horizon]
    repeated: Horizon
    trainings: Mapping[str, Agreement]
    watched: Comparison
    entries: Mapping[str, Entry]
    hours: Mapping[str, Ledger]
    chains: Mapping[str, Chain]

    def verdicts_of(self, discussion: str) -> list[Verdict]:
        """Of the claims of "D1" or "D2"."""
        return [
            verdict for verdict in self.verdicts if verdict.claim.id.startswith(f"{discussion}.")
        ]
