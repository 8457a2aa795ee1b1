"""Rows in a JSON-lines file: what they have in common first, then a line after every row."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from profiler.sweeping.rows import Key, Row


class BadRows(ValueError):
    """The file is not one of this sweep; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What makes a row what it is, apart from its network and its sizes.

    Attributes:
        inputs: the texts of --input, letters and all.
        kwargs: the texts of --kwargs.
        counter: "auto", "fvcore" or "dispatch".
        versions: of what counts.
    """

    inputs: tuple[str, ...]
    kwargs: tuple[str, ...]
    counter: str
    versions: dict[str, str]


def begin(path: Path, header: Header, resume: bool) -> tuple[dict[Key, Row], str]:
    """Make the file, or read it in order to go on.

    Returns:
        The rows with figures that are in it, and a word on a line that was torn off and dropped.

    Raises:
        BadRows: it is there and is not to be gone on with, or cannot be.
        OSError: it cannot be written.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if text and not resume:
        raise BadRows(f"{path} is not empty; --resume goes on with it, or name another file")
    whole, newline, torn = text.rpartition("\n")
    lines = (whole + newline).splitlines()
    if not lines:
        path.write_text(_line({"sweep": asdict(header)}), encoding="utf-8")
        return {}, ""
    _check(path, lines[0], header)
    rows = _rows(path, lines[1:])
    if torn:
        # a machine that stopped while it wrote leaves half a line: what comes next needs its own
        with path.open("r+b") as file:
            file.truncate(len((whole + newline).encode()))
    return rows, f"{path}: its last line was torn and is dropped" if torn else ""


def append(path: Path, row: Row) -> None:
    """Add a row, and see it onto the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(row.as_object()))
        file.flush()
        os.fsync(file.fileno())


def _check(path: Path, line: str, header: Header) -> None:
    try:
        before = json.loads(line)["sweep"]
        found = {name: before[name] for name in asdict(header)}
    except (ValueError, KeyError, TypeError) as error:
        raise BadRows(f"{path} is no file of flopledger sweep; name another") from error
    for name, now in json.loads(_line(asdict(header))).items():
        if found[name] != now:
            raise BadRows(
                f"{path} was made with {name} {found[name]!r}, not {now!r}; ask for the same, or "
                "name another file"
            )


def _rows(path: Path, lines: list[str]) -> dict[Key, Row]:
    """Those with figures: a row that failed is not finished."""
    rows: dict[Key, Row] = {}
    for number, line in enumerate(lines, start=2):
        try:
            said = json.loads(line)
            tuples = {name: tuple(said[name]) for name in ("uncounted", "notes")}
            one = Row(**{**said, **tuples})
            rows[one.key] = one
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadRows(f"{path}: line {number} is no row; take it out") from error
    return {key: row for key, row in rows.items() if row.error is None}


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, allow_nan=False) + "\n"
