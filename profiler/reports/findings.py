"""Findings: everything that a report is made of, gathered before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profiler.agreement import Agreement
from profiler.chains import Chain
from profiler.claims import Verdict
from profiler.comparison import Comparison
from profiler.entries import Entry
from profiler.ledger import Ledger
from profiler.measures import System
from profiler.registry import ModelSpec
from profiler.tables import Profile
from profiler.training import TrainingRun


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
