"""Run files that a training writes: what it should take, and what it was metered to take."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w

from flopledger.ledger.quantity import Quantity
from flopledger.ledger.run_file import read_run
from flopledger.ledger.training_run import TrainingRun
from flopledger.storage.files import write_whole
from flopledger.zoo.sizes import Sizes


def write_run(
    path: Path,
    title: str,
    on: date,
    model: str,
    sizes: Sizes,
    facts: Mapping[str, Quantity],
    total: Quantity | None = None,
) -> TrainingRun:
    """Write a run of one phase as a file of facts, and read it.

    Args:
        path: the file, which may be compared with others by `flopledger compare`.
        title: for people.
        on: the day.
        model: of the zoo.
        sizes: of that network.
        facts: by their keys; with "games" it is self-play, else supervised.
        total: the run's FLOP, if something else than its facts said it.

    Raises:
        OSError: it cannot be written.
    """
    run: dict[str, Any] = {
        "title": title,
        "published_on": on,
        "model": model,
        "method": "self-play" if "games" in facts else "supervised",
    }
    if sizes.options:
        run["options"] = dict(sizes.options)
    if sizes.input:
        run["input"] = list(sizes.input)
    run |= {key: _fact(fact) for key, fact in facts.items()}
    if total is not None:
        run["published"] = [_fact(total)]
    write_whole(path, tomli_w.dumps(run))
    return read_run(path)


def _fact(fact: Quantity) -> dict[str, Any]:
    table: dict[str, Any] = {"value": fact.value}
    if fact.low is not None and fact.high is not None:
        table |= {"low": fact.low, "high": fact.high}
    return {**table, "kind": fact.kind, "source": fact.source}
