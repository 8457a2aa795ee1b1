"""Games in a JSON-lines file: the settings first, then a line after every game."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from flopledger.errors import FlopledgerError
from flopledger.play.played_game import Played
from flopledger.storage import journal


class BadRecord(FlopledgerError, ValueError):
    """The file is not one of these games; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What makes the games what they are, apart from their number."""

    game: str
    network: str
    params: int
    simulations: int
    noise: float
    reuse: bool
    cache: bool
    sampled: int
    resign: float | None
    longest: int | None
    position: str
    seed: int
    puct: float
    puct_base: float
    values: str
    fpu: float
    temperature: float
    evaluations: int | None


def begin(path: Path, header: Header, resume: bool) -> tuple[list[Played], str]:
    """Make the file, or read it in order to go on.

    Returns:
        The games that are in it, and a word on a line that was torn off and dropped.

    Raises:
        BadRecord: it is there and is not to be gone on with, or cannot be.
        OSError: it cannot be written.
    """
    if not resume and journal.is_begun(path):
        raise BadRecord(f"{path} has games in it; --resume goes on, or name another file")

    def read_lines(lines: list[str]) -> list[Played]:
        _check(path, lines[0], header)
        return _games(path, lines[1:])

    return journal.begin(path, {"settings": asdict(header)}, read_lines)


def append(path: Path, played: Played) -> None:
    """Add a game, and see it onto the disk."""
    journal.append(path, asdict(played))


def read(path: Path) -> tuple[Header, list[Played]]:
    """The settings and games of a file; a torn last line is left out.

    Raises:
        BadRecord: it is no such file.
        OSError: it cannot be read.
    """
    lines = journal.whole_lines(path)
    try:
        header = Header(**json.loads(lines[0])["settings"])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise BadRecord(f"{path} is no file of flopledger selfplay; name another") from error
    return header, _games(path, lines[1:])


def _check(path: Path, line: str, header: Header) -> None:
    try:
        before = dict(json.loads(line)["settings"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadRecord(f"{path} is no file of flopledger selfplay; name another") from error
    if (contradiction := journal.contradiction(path, before, asdict(header))) is not None:
        raise BadRecord(contradiction)


def _games(path: Path, lines: list[str]) -> list[Played]:
    """By index; a game that was stopped gives way to the same one played anew."""
    played = journal.records(path, Played, lines, "game", BadRecord)
    games = {game.index: game for game in played}
    return [games[index] for index in sorted(games)]
