"""Experiments' trials in facts/measured/: those of `make horizon`, and of a repeat."""

from datetime import date
from functools import cache
from pathlib import Path

from flopledger.errors import FlopledgerError
from flopledger.experiments.horizon_result import Horizon
from flopledger.experiments.trials import Purpose, Row
from flopledger.storage.facts import Table, facts_folder, read_rows
from flopledger.storage.nearest_name import did_you_mean

FIRST, REPEATED = "horizon.csv", "horizon-repeated.csv"  # the second: new seeds, part of the arms


class NotMeasured(FlopledgerError, ValueError):
    """There are no trials of such a task or arm; the message says of which there are."""


class _Line(Table):
    """A row of the table: those of `Row` but the curve, and how it was made."""

    task: str
    arm: str
    horizon: float | None = None
    settings: str
    seed: int
    purpose: Purpose
    target: float
    budget: int
    reached: bool
    samples: int
    flops_learning: float
    flops_making: float
    score: float
    seconds: float
    versions: str
    command: str
    date: date


def measured_tasks() -> tuple[str, ...]:
    """The tasks of which there are trials, in the table's order."""
    return tuple(_results(facts_folder("measured", FIRST)))


def measured(task: str, table: str = FIRST) -> Horizon:
    """The task's trials in a table of facts/measured/.

    Raises:
        NotMeasured: there are none.
        BadFacts: the table cannot be used.
    """
    results = _results(facts_folder("measured", table))
    if task not in results:
        raise NotMeasured(f"no trials of {task!r} are kept; {did_you_mean(task, results)}")
    return results[task]


@cache
def _results(path: Path) -> dict[str, Horizon]:
    rows: dict[str, list[Row]] = {}
    for line in read_rows(path, _Line):
        figures = line.model_dump(exclude={"command", "date"})
        rows.setdefault(line.task, []).append(Row(**figures))
    return {
        task: Horizon(
            task=task,
            title=f"facts/measured/{path.name}",
            target=own[0].target,
            budget=max(row.budget for row in own),
            arms=tuple(dict.fromkeys(row.arm for row in own)),
            rows=tuple(own),
        )
        for task, own in rows.items()
    }
