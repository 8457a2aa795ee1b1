"""Games that a network plays against itself, and what each of them cost."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from torch import nn

from flopledger.errors import FlopledgerError
from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory
from flopledger.play.games import Game
from flopledger.play.lockstep import AT_ONCE, lockstep
from flopledger.play.played_game import Habits, Played
from flopledger.play.search import Asking, Search, Settings, draw
from flopledger.play.tree import Node

OnSearch = Callable[[int, int, Node], None]


class Stopped(FlopledgerError):
    """Play was stopped; `played` has what there is of each game under way, the cause by what."""

    exit_code = 1

    def __init__(self, played: list[Played]) -> None:
        super().__init__(played[0].ended if played else "stopped before the first game")
        self.played = played


def play(
    game: Game,
    network: nn.Module,
    settings: Settings,
    habits: Habits,
    seed: int,
    indices: Iterable[int],
    on_search: OnSearch = lambda index, moves, root: None,
    at_once: int = AT_ONCE,
) -> Iterator[Played]:
    """Play games, many at once, and give each as it ends.

    Args:
        game: what is played.
        network: in eval mode, from `networks`.
        settings: of the search.
        habits: of the games.
        seed: with an index it makes the game; the network's weights are as they are.
        indices: of the games, from 0; the next is taken when there is room for another game.
        on_search: called after each search with the game's index, the number of moves and the
            position searched.
        at_once: games under way, which are the positions of one pass.

    Raises:
        Stopped: by an interrupt, or for want of memory.
        BadPosition: the games cannot begin there.
    """
    begun: dict[int, _Game] = {}

    def begin() -> Iterator[Asking[Played]]:
        for index in indices:
            begun[index] = _Game(game, settings, habits, seed, index)
            yield begun[index].moves(on_search)

    try:
        for played in lockstep(NetworkEvaluator(game, network), begin(), at_once):
            del begun[played.index]
            yield played
    except (KeyboardInterrupt, OutOfMemory) as error:
        ended = "out of memory" if isinstance(error, OutOfMemory) else "interrupted"
        raise Stopped([one.played(ended, 0.0) for one in begun.values()]) from error


class _Game:
    """A game under way."""

    def __init__(
        self, game: Game, settings: Settings, habits: Habits, seed: int, index: int
    ) -> None:
        self._game, self._settings, self._habits, self._index = game, settings, habits, index
        self._rng = np.random.default_rng((seed, index))
        self._search = Search(game, settings, self._rng, {} if habits.cache else None)

    def moves(self, on_search: OnSearch) -> Asking[Played]:
        """Play to the end."""
        return self.played(*(yield from self._moves(on_search)))

    def played(self, ended: str, result: float) -> Played:
        """What the game came to so far."""
        return Played(index=self._index, ended=ended, result=result, **vars(self._search.tally))

    def _moves(self, on_search: OnSearch) -> Asking[tuple[str, float]]:
        """How the game ended, and the first player's result."""
        game, search, settings, habits = self._game, self._search, self._settings, self._habits
        first = game.rules.new_initial_state().current_player()
        state = game.start(habits.position)
        search.begin(Node(state.clone(), game.replayed(state)))
        for number in range(min(habits.longest or game.longest, game.longest)):
            root = yield from search.run()
            on_search(self._index, number + 1, root)
            if habits.resign is not None and _is_lost(root, habits.resign):
                return "resigned", 1.0 if state.current_player() != first else -1.0
            sampled = number < habits.sampled
            place = draw(root, settings.temperature if sampled else 0, self._rng)
            state.apply_action(root.actions[place])
            if state.is_terminal():
                return "over", float(state.returns()[first])
            search.play(place)
        return "drawn at the limit", 0.0


def _is_lost(root: Node, below: float) -> bool:
    """AlphaGo Zero's rule: the root's mean value and its best move's are both below."""
    visits = root.visits
    if not visits.any():  # the policy plays alone
        return root.value is not None and root.value < below
    mean = root.worth.sum() / visits.sum()
    return bool(mean < below and root.means()[visits > 0].max() < below)
