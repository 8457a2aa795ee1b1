"""The games: OpenSpiel's rules, with AlphaZero's planes, moves and noise for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from flopledger.errors import FlopledgerError
from flopledger.play import board_readers
from flopledger.play import policy_outputs as encodings
from flopledger.play.fen import BadPosition, check_fen, check_sfen, reaches
from flopledger.play.planes import Layout, Seen
from flopledger.storage.nearest_name import did_you_mean

GameName = Literal["tic_tac_toe", "connect_four", "hex", "go", "chess", "shogi"]
GAMES: tuple[GameName, ...] = get_args(GameName)

KOMI = 7.5

# Dirichlet's alpha is "in inverse proportion to the approximate number of legal moves in a typical
# position" (Science 2018, Methods): 0.03 on the 361 points of Go's board
_ALPHA = 0.03 * 361


class UnknownGame(FlopledgerError, LookupError):
    """There is no such game, or not on such a board; the message says which there are."""


class MissingGames(FlopledgerError, ImportError):
    """OpenSpiel is not installed; the message says how to install it."""


@dataclass(frozen=True, kw_only=True)
class Game:
    """A game for two, as a network of AlphaZero's kind plays it.

    Attributes:
        name: "go-9x9"; the board's size where the game has several.
        rules: OpenSpiel's game.
        layout: the network's input.
        read: a state's frame and planes of state (see `Seen`).
        moves: outputs of the policy head.
        outputs: [player, OpenSpiel's action] -> the policy's output.
        alpha: of the Dirichlet noise at the root.
        longest: moves after which a game that has not ended is drawn.
        turned: [symmetry, point] -> the point that comes to lie there, where samples are learned
            from turned, as AlphaGo Zero's were; None where they stay as they are, as AlphaZero's.
    """

    name: str
    rules: Any
    layout: Layout
    read: Callable[[Any], tuple[bytes, bytes]]
    moves: int
    outputs: encodings.Outputs
    alpha: float
    longest: int
    turned: NDArray[np.int64] | None = None

    def start(self, position: str = "") -> Any:
        """OpenSpiel's state at the start, or at a position.

        Args:
            position: a FEN (chess), an SFEN (shogi), or moves from the start with blanks between,
                as OpenSpiel writes them: "e4 e5", "x3 o3", "e5 pass".

        Raises:
            BadPosition: there is no such position, it is not legal, or the game is over in it.
        """
        state = self._at(position)
        if state.is_terminal():
            raise BadPosition(
                f"{self.name}: the game is over at {position!r}; begin before its end"
            )
        return state

    def _at(self, position: str) -> Any:
        if "/" not in position or self.name not in ("chess", "shogi"):
            state = self.rules.new_initial_state()
            for number, word in enumerate(position.split(), start=1):
                state.apply_action(self.action(state, word, number))
            return state
        import pyspiel

        king = check_fen(position) if self.name == "chess" else check_sfen(position)
        state = self.rules.new_initial_state(position)
        if reaches(state, getattr(pyspiel, self.name), king):
            raise BadPosition(
                f"{self.name}: {position!r} is not legal: the side to move could take the king"
            )
        return state

    def action(self, state: Any, word: str, number: int = 1) -> int:
        """OpenSpiel's action of that name, without the colour before it: "e5", not "B e5".

        Raises:
            BadPosition: it is not legal; the message calls it the move of that number.
        """
        legal = {} if state.is_terminal() else self._words(state)
        if word not in legal:
            some = ", ".join(list(legal)[:6]) or "none: the game is over"
            raise BadPosition(f"{self.name}: move {number}, {word!r}, is not legal; {some} are")
        return legal[word]

    def _words(self, state: Any) -> dict[str, int]:
        # Go's are "B e5": the colour is known
        player = state.current_player()
        return {
            state.action_to_string(player, action).split()[-1]: action
            for action in state.legal_actions()
        }

    def seen(self, state: Any, before: tuple[bytes, ...] = ()) -> Seen:
        """What a network is shown of the state, after those frames, the newest first."""
        frame, numbers = self.read(state)
        return Seen(state.current_player(), (frame, *before[: self.layout.history - 1]), numbers)

    def replayed(self, state: Any) -> Seen:
        """What a network is shown of a state that was reached by its own history."""
        replay, seen = self._first(state), None
        for action in (*state.history(), None):
            seen = self.seen(replay, seen.frames if seen else ())
            if action is not None:
                replay.apply_action(action)
        assert seen is not None
        return seen

    def _first(self, state: Any) -> Any:
        if self.name not in ("chess", "shogi"):
            return self.rules.new_initial_state()
        return self.rules.new_initial_state(
            state.start_fen() if self.name == "chess" else state.start_sfen()
        )


def find_game(name: str, board: int | None = None) -> Game:
    """The game of that name.

    Args:
        name: one of `GAMES`.
        board: points on a side: of Go's board, 19 if left out; of Hex's, 11.

    Raises:
        UnknownGame: there is none of that name, or not of that size.
        MissingGames: OpenSpiel is not installed.
    """
    name = name.replace("-", "_")
    if name not in GAMES:
        raise UnknownGame(f"no game is called {name!r}; {did_you_mean(name, GAMES)}")
    if board is not None and name not in _SIZED:
        raise UnknownGame(f"{name} has one board; leave --board out")
    if board is not None and not 2 <= board <= 19:
        raise UnknownGame(f"no board of {name.title()} has {board} points on a side; give 2 to 19")
    if name in _SIZED:
        sized, usual = _SIZED[name]
        return sized(board or usual)
    return _OTHERS[name]()


def _tic_tac_toe() -> Game:
    rules = _load("tic_tac_toe")
    return Game(
        name="tic_tac_toe",
        rules=rules,
        layout=board_readers.board_layout(3, 3, line=4),
        read=board_readers.read_board,
        moves=9,
        outputs=encodings.as_they_are(9),
        alpha=_ALPHA / 9,
        longest=9,
        turned=_turned(3),
    )


def _turned(side: int) -> NDArray[np.int64]:
    """The eight symmetries of a square board: four quarters of a turn, of it and of its mirror."""
    points = np.arange(side * side).reshape(side, side)
    boards = [np.rot90(board, quarters) for board in (points, points.T) for quarters in range(4)]
    return np.stack(boards).reshape(8, -1)


def _connect_four() -> Game:
    return Game(
        name="connect_four",
        rules=_load("connect_four"),
        layout=board_readers.board_layout(6, 7, line=8),
        read=board_readers.read_board,
        moves=7,
        outputs=encodings.as_they_are(7),
        alpha=_ALPHA / 7,
        longest=42,
    )


def _hex(side: int) -> Game:
    points = side * side
    return Game(
        name=f"hex-{side}x{side}",
        rules=_load("hex", {"board_size": side}),
        layout=board_readers.hex_layout(side),
        read=board_readers.read_hex,
        moves=points,
        outputs=encodings.hexagons(side),
        alpha=_ALPHA / points,
        longest=points,
    )


def _go(side: int) -> Game:
    points = side * side
    return Game(
        name=f"go-{side}x{side}",
        rules=_load("go", {"board_size": side, "komi": KOMI}),
        layout=board_readers.go_layout(side),
        read=board_readers.read_go,
        moves=points + 1,
        outputs=encodings.as_they_are(points + 1),
        alpha=_ALPHA / points,
        longest=2 * points,  # OpenSpiel scores the board then; AlphaZero's 722 on 19 x 19
    )


def _chess() -> Game:
    return Game(
        name="chess",
        rules=_load("chess"),
        layout=board_readers.chess_layout(),
        read=board_readers.read_chess,
        moves=encodings.CHESS_PLANES * 64,
        outputs=encodings.chess(),
        alpha=0.3,  # the paper's
        longest=board_readers.LONGEST,
    )


def _shogi() -> Game:
    return Game(
        name="shogi",
        rules=_load("shogi"),
        layout=board_readers.shogi_layout(),
        read=board_readers.read_shogi,
        moves=encodings.SHOGI_PLANES * 81,
        outputs=encodings.shogi(),
        alpha=0.15,  # the paper's
        longest=board_readers.LONGEST,
    )


_SIZED: dict[str, tuple[Callable[[int], Game], int]] = {"go": (_go, 19), "hex": (_hex, 11)}
_OTHERS: dict[str, Callable[[], Game]] = {
    "tic_tac_toe": _tic_tac_toe,
    "connect_four": _connect_four,
    "chess": _chess,
    "shogi": _shogi,
}


def _load(name: str, parameters: dict[str, Any] | None = None) -> Any:
    try:
        import pyspiel
    except ImportError as error:
        raise MissingGames("self-play needs OpenSpiel; pip install 'flopledger[games]'") from error
    return pyspiel.load_game(name, parameters or {})
