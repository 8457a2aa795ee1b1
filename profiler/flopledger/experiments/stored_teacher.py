"""Games of a strong player, kept in facts/measured/teacher.csv: OpenSpiel's MCTSBot with itself."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from flopledger.play.games import Game
from flopledger.play.match import opened
from flopledger.play.planes import Seen
from flopledger.play.players import Rollouts
from flopledger.play.tree import Node
from flopledger.storage.facts import Table, facts_folder, read_rows

ROLLOUTS = 1000  # random games that the teacher searches by a move
OPENINGS = 4  # a game begins with fewer random moves than this


class TeacherGame(Table):
    """A game: OpenSpiel's actions with blanks between, of which the first `opening` were drawn."""

    game: str
    index: int
    rollouts: int
    opening: int
    actions: str
    seconds: float
    command: str
    open_spiel: str
    date: str


@cache
def teacher_games(name: str) -> tuple[TeacherGame, ...]:
    """The game's, as they are kept."""
    rows = read_rows(facts_folder("measured", "teacher.csv"), TeacherGame)
    return tuple(row for row in rows if row.game == name)


def play_teacher(game: Game, index: int) -> tuple[int, list[int]]:
    """A game of the teacher with itself: how many of its moves were drawn, and its actions."""
    rng = np.random.default_rng((index, 3))
    opening = int(rng.integers(OPENINGS))
    state = opened(game, opening, rng)
    bot = Rollouts(game, ROLLOUTS, int(rng.integers(2**31)))
    bot.begin(Node(state, None))
    while not state.is_terminal():
        action = bot.choose()
        bot.follow(action)
        state.apply_action(action)
    return opening, state.history()


def positions_of(game: Game, row: TeacherGame) -> Iterator[tuple[Seen, int, float]]:
    """What a network is shown, the teacher's action, and the result for the player to move."""
    actions = [int(word) for word in row.actions.split()]
    state, end = game.start(), game.start()
    for action in actions:
        end.apply_action(action)
    seen = None
    for number, action in enumerate(actions):
        seen = game.seen(state, seen.frames if seen else ())
        if number >= row.opening:
            yield seen, action, float(end.returns()[seen.player])
        state.apply_action(action)
