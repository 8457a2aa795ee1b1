"""Rows in a JSON-lines file: what they have in common first, then a line after every row."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from flopledger.errors import FlopledgerError
from flopledger.storage import journal
from flopledger.sweeping.rows import Key, Row


class BadRows(FlopledgerError, ValueError):
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
    if not resume and journal.is_begun(path):
        raise BadRows(f"{path} is not empty; --resume goes on with it, or name another file")

    def read_lines(lines: list[str]) -> dict[Key, Row]:
        _check(path, lines[0], header)
        return _rows(path, lines[1:])

    return journal.begin(path, {"sweep": asdict(header)}, read_lines)


def append(path: Path, row: Row) -> None:
    """Add a row, and see it onto the disk."""
    journal.append(path, row.as_object())


def _check(path: Path, line: str, header: Header) -> None:
    now = json.loads(json.dumps(asdict(header)))  # lists for tuples, as the line has them
    try:
        before = json.loads(line)["sweep"]
        settings = {name: before[name] for name in now}
    except (ValueError, KeyError, TypeError) as error:
        raise BadRows(f"{path} is no file of flopledger sweep; name another") from error
    if (contradiction := journal.contradiction(path, settings, now)) is not None:
        raise BadRows(contradiction)


def _rows(path: Path, lines: list[str]) -> dict[Key, Row]:
    """Those with figures: a row that failed is not finished."""
    rows = {row.key: row for row in journal.records(path, Row, lines, "row", BadRows)}
    return {key: row for key, row in rows.items() if row.error is None}
