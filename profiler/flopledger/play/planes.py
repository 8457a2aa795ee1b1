"""AlphaZero's input planes: positions in, [position, planes, rows, columns] out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Seen(NamedTuple):
    """What a network is shown of a state.

    Attributes:
        player: OpenSpiel's number of the player to move, 0 or 1.
        frames: this position and the ones before it, the newest first; each is the board's letters
            (`Layout.letters` of them), then how often the position has occurred, then how many
            prisoners of each kind player 0 holds, then player 1.
        state: the planes that hold one number each, as float32.
    """

    player: int
    frames: tuple[bytes, ...]
    state: bytes

    def key(self) -> bytes:
        """The same for two states of which a network is shown the same."""
        parts = (*self.frames, self.state, bytes((self.player,)))
        return blake2b(b"".join(parts), digest_size=16).digest()


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a game's positions become planes, from the view of the player to move.

    One position makes a plane for each kind of own piece, each kind of the other's, each number of
    repetitions and each kind of own and other's prisoner; the newest of `history` positions comes
    first, and the planes of the state follow. A position from before the start is all zeros.

    Attributes:
        rows: of the board.
        columns: of the board.
        history: positions shown, this one included.
        letters: letters of a frame that make the board.
        pieces: for each player the letters of his pieces, by kind.
        turned: for each player to move, the letter of a frame that stands on a point of his board:
            [player, rows x columns].
        repetitions: planes that say how often a position has occurred: more than once, twice, ...
        prisoners: of each kind, how many there are at most; a count is shown as a share of it.
        state: planes that say something of the state itself.
    """

    rows: int
    columns: int
    history: int
    letters: int
    pieces: tuple[str, str]
    turned: NDArray[np.intp]
    repetitions: int = 0
    prisoners: tuple[int, ...] = ()
    state: int = 1

    @property
    def points(self) -> int:
        """Of the board."""
        return self.rows * self.columns

    @property
    def planes(self) -> int:
        """What the network's input has."""
        step = 2 * len(self.pieces[0]) + self.repetitions + 2 * len(self.prisoners)
        return self.history * step + self.state


def stack(layout: Layout, seen: Sequence[Seen]) -> NDArray[np.float32]:
    """The network's input for these positions: [position, planes, rows, columns]."""
    raw, players = _raw(layout, seen), np.array([position.player for position in seen])
    kinds, end = 2 * len(layout.pieces[0]), layout.planes - layout.state
    board = np.take_along_axis(
        raw[:, :, : layout.letters], layout.turned[players][:, None, :], axis=2
    )
    codes = _codes(layout.pieces)[players[:, None, None], board]
    planes = np.empty((len(seen), layout.planes, layout.points), np.float32)
    past = planes[:, :end].reshape(len(seen), layout.history, -1, layout.points)
    past[:, :, :kinds] = codes[:, :, None] == np.arange(1, kinds + 1)[:, None]
    if layout.repetitions:
        often = raw[:, :, layout.letters, None] > np.arange(1, layout.repetitions + 1)
        past[:, :, kinds : kinds + layout.repetitions] = often[..., None]
    if layout.prisoners:
        held = raw[:, :, layout.letters + 1 :].reshape(len(seen), layout.history, 2, -1)
        own_first = np.stack((players, 1 - players), axis=1)[:, None, :, None]
        share = np.take_along_axis(held, own_first, axis=2) / np.array(layout.prisoners)
        past[:, :, kinds + layout.repetitions :] = share.reshape(*past.shape[:2], -1, 1)
    state = np.frombuffer(b"".join(position.state for position in seen), np.float32)
    planes[:, end:] = state.reshape(len(seen), -1, 1)
    return planes.reshape(len(seen), layout.planes, layout.rows, layout.columns)


def _raw(layout: Layout, seen: Sequence[Seen]) -> NDArray[np.uint8]:
    """The frames, zeros before the first: [position, history, letters and counts]."""
    size = len(seen[0].frames[0])
    parts: list[bytes] = []
    for position in seen:
        parts += position.frames
        parts.append(bytes(size * (layout.history - len(position.frames))))
    raw = np.frombuffer(b"".join(parts), np.uint8)
    return raw.reshape(len(seen), layout.history, size)


@cache
def _codes(pieces: tuple[str, str]) -> NDArray[np.uint8]:
    """For each player to move: letter -> 0 for none, then own pieces by kind, then the other's."""
    table = np.zeros((2, 256), np.uint8)
    for player in (0, 1):
        for code, letter in enumerate(pieces[player] + pieces[1 - player], start=1):
            table[player, ord(letter)] = code
    return table
