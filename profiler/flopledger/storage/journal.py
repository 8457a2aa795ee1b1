"""Journals: files of JSON lines that outlive a stop; a first line says what the others are of."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from flopledger.storage.files import naming

T = TypeVar("T")


def begin(path: Path, head: dict[str, Any], read: Callable[[list[str]], T]) -> tuple[T, str]:
    """Make the file with its first line, or read it in order to go on.

    A machine that stopped while it wrote leaves half a line. It is cut off, so that what comes next
    has a line of its own.

    Args:
        path: the file.
        head: what its first line holds, if it is made now.
        read: what its whole lines mean; it may raise, and then the file stays as it is.

    Returns:
        What was read, and a word on a line that was torn off and dropped.

    Raises:
        OSError: it cannot be read or written.
    """
    lines, torn, length = _lines(path.read_bytes() if path.exists() else b"")
    if not lines:
        with naming(path):
            path.write_text(_line(head), encoding="utf-8")
        lines, torn = [_line(head)], False
    content = read(lines)
    if torn:
        with path.open("r+b") as file:
            file.truncate(length)
    return content, f"{path}: its last line was torn and is dropped" if torn else ""


def is_begun(path: Path) -> bool:
    """Whether there is anything in the file."""
    return path.exists() and path.stat().st_size > 0


def whole_lines(path: Path) -> list[str]:
    """Its lines, without one that was torn off.

    Raises:
        OSError: it cannot be read.
    """
    return _lines(path.read_bytes())[0]


def record(kind: type[T], line: str) -> T:
    """The dataclass that a line holds, each value of its field's type.

    Raises:
        ValueError: it is no JSON, or a value has another type.
        TypeError: a field is missing, or there is none of that name.
    """
    kind(**json.loads(line))  # pydantic passes over names that a dataclass has not
    return TypeAdapter(kind).validate_json(line, strict=True)


def records(
    path: Path, kind: type[T], lines: Iterable[str], what: str, refusal: Callable[[str], Exception]
) -> Iterator[T]:
    """The dataclasses that the lines after a journal's first hold, in order.

    Args:
        path: the journal, for the message.
        kind: the dataclass.
        lines: its whole lines but the first.
        what: a line is called where it is none: "trial".
        refusal: makes the error of a line that is none, which names it by its number.
    """
    for number, line in enumerate(lines, start=2):
        try:
            made = record(kind, line)
        except (ValueError, TypeError) as error:
            raise refusal(f"{path}: line {number} is no {what}; take it out") from error
        yield made


def append(path: Path, content: dict[str, Any]) -> None:
    """Add a line, and see it onto the disk."""
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(_line(content))
        file.flush()
        os.fsync(file.fileno())


def contradiction(
    path: Path | None,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    instead: str = "name another file",
) -> str | None:
    """What a file was made with that is asked for otherwise, in one line; None if nothing is."""
    for name, wanted in now.items():
        was = before.get(name)
        if was != wanted:
            return (
                f"{path} was made with {name} {was!r}, not {wanted!r}; ask for the same, or "
                f"{instead}"
            )
    return None


def _lines(data: bytes) -> tuple[list[str], bool, int]:
    """Whole lines, whether another is torn, and the bytes of the whole ones."""
    whole, newline, torn = data.rpartition(b"\n")
    text = (whole + newline).decode("utf-8", errors="replace")
    return text.splitlines(), bool(torn), len(whole + newline)


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, allow_nan=False) + "\n"
