"""Trials in a JSON-lines file: the experiment first, then a line after every trial."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flopledger.errors import FlopledgerError
from flopledger.experiments.trials import Experiment, Key, Row
from flopledger.storage import journal


class BadTrials(FlopledgerError, ValueError):
    """The file is not one of this experiment; the message says what to change."""


def begin(
    path: Path, experiment: Experiment, versions: str, resume: bool
) -> tuple[dict[Key, Row], str]:
    """Make the file, or read it in order to go on.

    Args:
        path: the file.
        experiment: target and budget as they are asked for.
        versions: of what its trials run on.
        resume: whether to go on with what is there.

    Returns:
        The trials that are done in it, and a word on a line that was torn off and dropped.

    Raises:
        BadTrials: it is there and is not to be gone on with, or cannot be.
        OSError: it cannot be written.
    """
    if not resume and journal.is_begun(path):
        raise BadTrials(f"{path} is not empty; --resume goes on with it, or name another file")
    head = {
        "task": experiment.task, "target": experiment.target, "samples": experiment.budget,
        "versions": versions,
    }  # fmt: skip

    def read_lines(lines: list[str]) -> dict[Key, Row]:
        _check(path, lines[0], head)
        return _rows(path, lines[1:])

    return journal.begin(path, {"horizon": head}, read_lines)


def append(path: Path, row: Row) -> None:
    """Add a trial, and see it onto the disk."""
    journal.append(path, asdict(row))


def _check(path: Path, line: str, head: dict[str, Any]) -> None:
    try:
        before = json.loads(line)["horizon"]
        settings = {name: before[name] for name in head}
    except (ValueError, KeyError, TypeError) as error:
        raise BadTrials(f"{path} is no file of flopledger horizon; name another") from error
    if (contradiction := journal.contradiction(path, settings, head)) is not None:
        raise BadTrials(contradiction)


def _rows(path: Path, lines: list[str]) -> dict[Key, Row]:
    return {row.key: row for row in journal.records(path, Row, lines, "trial", BadTrials)}
