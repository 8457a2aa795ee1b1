"""SelfPlay: games of a network against itself, and what they came to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flopledger.play.games_file import Header
from flopledger.play.played_game import Played
from flopledger.play.statistics import as_object


@dataclass(frozen=True, kw_only=True)
class SelfPlay:
    """Games that a network played against itself.

    Attributes:
        header: the game, the network and the settings of search and play.
        games: by index; the last may have been stopped.
        notes: what is worth knowing of how it came about, a line each.
    """

    header: Header
    games: Sequence[Played]
    notes: tuple[str, ...] = ()

    @property
    def finished(self) -> list[Played]:
        """The whole games."""
        return [game for game in self.games if game.finished]

    def to_json(self) -> str:
        """The object of `flopledger selfplay --format json`."""
        return json.dumps(as_object(self.header, self.games), indent=2, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        from flopledger.reports.selfplay import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        from flopledger.reports.selfplay import html

        return html(self)
