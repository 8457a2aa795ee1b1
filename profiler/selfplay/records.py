"""Games in a JSON-lines file: the settings first, then a line after every game."""

import json
import os
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from profiler.selfplay.play import Played


class BadRecord(ValueError):
    """The file is not one of these games; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What makes the games what they are, apart from their number."""

    game: str
    network: str
    params: int
    simulations: int
    batch: int
    noise: float
    reuse: bool
    cache: bool
    sampled: int
    resign: float | None
    longest: int | None
    position: str
    seed: int
    puct: float = 1.25
    puct_base: float = 19652
    virtual_loss: float = 1.0
    temperature: float = 1.0
    evaluations: int | None = None


def begin(path: Path, header: Header, resume: bool) -> tuple[list[Played], str]:
    """Make the file, or read it in order to go on.

    Returns:
        The games that are in it, and a word on a line that was torn off and dropped.

    Raises:
        BadRecord: it is there and is not to be gone on with, or cannot be.
        OSError: it cannot be written.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if text and not resume:
        raise BadRecord(f"{path} has games in it; --resume goes on, or name another file")
    whole, newline, torn = text.rpartition("\n")
    lines = (whole + newline).splitlines()
    if not lines:
        path.write_text(_line({"settings": asdict(header)}), encoding="utf-8")
        return [], ""
    _check(path, lines[0], header)
    games = _games(path, lines[1:])
    if torn:
        # a machine that stopped while it wrote leaves half a line: what comes next needs its own
        with path.open("r+b") as file:
            file.truncate(len((whole + newline).encode()))
    return games, f"{path}: its last line was torn and is dropped" if torn else ""


def append(path: Path, played: Played) -> None:
    """Add a game, and see it onto the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(asdict(played)))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> tuple[Header, list[Played]]:
    """The settings and games of a file; a torn last line is left out.

    Raises:
        BadRecord: it is no such file.
        OSError: it cannot be read.
    """
    whole = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")[0]
    lines = whole.splitlines()
    try:
        header = Header(**json.loads(lines[0])["settings"])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise BadRecord(f"{path} is no file of flopledger selfplay; name another") from error
    return header, _games(path, lines[1:])


def _check(path: Path, line: str, header: Header) -> None:
    try:
        before = json.loads(line)["settings"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRecord(f"{path} is no file of flopledger selfplay; name another") from error
    for field in fields(Header):
        default = None if field.default is MISSING else field.default  # files from before it was
        was, now = before.get(field.name, default), getattr(header, field.name)
        if was != now:
            raise BadRecord(
                f"{path} was made with {field.name} {was!r}, not {now!r}; ask for the same, or "
                "name another file"
            )


def _games(path: Path, lines: list[str]) -> list[Played]:
    """By index; a game that was stopped gives way to the same one played anew."""
    games: dict[int, Played] = {}
    for number, line in enumerate(lines, start=2):
        try:
            one = Played(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise BadRecord(f"{path}: line {number} is no game; take it out") from error
        games[one.index] = one
    return [games[index] for index in sorted(games)]


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, allow_nan=False) + "\n"
