"""Horizon: what each arm of an experiment took, and how that grows with the horizon."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from flopledger.experiments.estimates import Estimate, estimates_of
from flopledger.experiments.growth import Growth, growth_of
from flopledger.experiments.trials import Failure, Row


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """An experiment's trials, and what follows from them.

    Attributes:
        task: what was learned.
        title: network and task, for people.
        target: the score that was to be reached.
        budget: samples of a trial, at most.
        arms: names, in order, of all that was asked for.
        rows: the trials, those that chose the settings among them.
        failures: trials without figures.
        notes: what is worth knowing of how it came about, a line each.
    """

    task: str
    title: str
    target: float
    budget: int
    arms: tuple[str, ...]
    rows: Sequence[Row]
    failures: Sequence[Failure] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """What each arm that was measured took, in the arms' order."""
        return estimates_of(self.rows)

    @cached_property
    def growth(self) -> Growth | None:
        """How the samples grow with the horizon; None of fewer than three horizons."""
        return growth_of(self.rows, "samples")

    def as_object(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "task": self.task,
            "title": self.title,
            "target": self.target,
            "budget": self.budget,
            "arms": [asdict(estimate) for estimate in self.estimates],
            "growth": None if self.growth is None else asdict(self.growth),
            "trials": [asdict(row) for row in self.rows],
            "failures": [{**asdict(f.trial), "why": f.why} for f in self.failures],
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """The object of `flopledger horizon --format json`."""
        return json.dumps(self.as_object(), indent=2, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        from flopledger.reports.horizon import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        from flopledger.reports.horizon import html

        return html(self)
