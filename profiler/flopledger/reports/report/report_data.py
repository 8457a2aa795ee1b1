"""Findings: everything that a report is made of, gathered before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flopledger.ledger.chain import Chain
from flopledger.ledger.comparison import Comparison
from flopledger.ledger.dawnbench import Entry
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.prediction import Agreement
from flopledger.ledger.training_run import TrainingRun
from flopledger.profiles.tables import Profile
from flopledger.statements.claim import Verdict
from flopledger.statements.evidence import System
from flopledger.zoo.registry import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the zoo, the runs and the claims came to.

    Attributes:
        counted: every model that could be counted, in the zoo's order.
        runs: the training runs, by name.
        ledgers: theirs.
        comparisons: AlexNet's run beside each one that the page can switch to, by its name.
        verdicts: on the claims.
        systems: published training computes.
        trainings: small ones that were watched from beginning to end, beside their predictions.
        watched: the first of those beside the last.
        entries: of DAWNBench, by name.
        hours: their ledgers.
        chains: of entries, by the name of their chart.
    """

    counted: Sequence[tuple[ModelSpec, Profile]]
    runs: Mapping[str, TrainingRun]
    ledgers: Mapping[str, Ledger]
    comparisons: Mapping[str, Comparison]
    verdicts: Sequence[Verdict]
    systems: Sequence[System]
    trainings: Mapping[str, Agreement]
    watched: Comparison
    entries: Mapping[str, Entry]
    hours: Mapping[str, Ledger]
    chains: Mapping[str, Chain]
