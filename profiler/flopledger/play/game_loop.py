"""Games that a network plays against itself, and what each of them cost."""

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from flopledger.errors import FlopledgerError
from flopledger.metering.module_meter import meter
from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory
from flopledger.play.games import Game
from flopledger.play.played_game import Habits, Played
from flopledger.play.search import Search, Settings, draw
from flopledger.play.tree import Node

OnSearch = Callable[[int, Node], None]


class Stopped(FlopledgerError):
    """A game was stopped; `played` is what there is of it, and the cause says by what."""

    exit_code = 1

    def __init__(self, played: Played) -> None:
        super().__init__(played.ended)
        self.played = played


def play(
    game: Game,
    network: nn.Module,
    settings: Settings,
    habits: Habits,
    seed: int,
    index: int,
    on_search: OnSearch = lambda moves, root: None,
) -> Played:
    """Play one game.

    Args:
        game: what is played.
        network: in eval mode, from `networks`.
        settings: of the search.
        habits: of the game.
        seed: with `index` it makes the game; the network's weights are as they are.
        index: of the game, from 0.
        on_search: called after each search with the number of moves and the position searched.

    Raises:
        Stopped: by an interrupt, or for want of memory.
        BadPosition: the game cannot begin there.
    """
    rng = np.random.default_rng((seed, index))
    search = Search(game, NetworkEvaluator(game, network, habits.cache), settings, rng)
    state = game.start(habits.position)
    search.begin(Node(state, game.replayed(state)))
    ended, result, cause = "", 0.0, None
    with meter({"network": network}) as metered:
        try:
            ended, result = _moves(game, search, settings, habits, state, rng, on_search)
        except (KeyboardInterrupt, OutOfMemory) as error:
            ended = "out of memory" if isinstance(error, OutOfMemory) else "interrupted"
            cause = error
    tally = search.tally
    counted = metered.read().totals if tally.made else None
    played = Played(
        index=index,
        ended=ended,
        result=result,
        flops=counted.known("flops") if counted else 0.0,
        seconds=counted.seconds if counted else 0.0,
        **vars(tally),
    )
    if cause is not None:
        raise Stopped(played) from cause
    return played


def _moves(
    game: Game,
    search: Search,
    settings: Settings,
    habits: Habits,
    state: Any,
    rng: np.random.Generator,
    on_search: OnSearch,
) -> tuple[str, float]:
    """Play on from the state; how the game ended, and the first player's result."""
    first = game.rules.new_initial_state().current_player()
    state = state.clone()
    longest = min(habits.longest or game.longest, game.longest)
    for number in range(longest):
        root = search.run()
        on_search(number + 1, root)
        if habits.resign is not None and _is_lost(root, habits.resign):
            return "resigned", 1.0 if state.current_player() != first else -1.0
        place = draw(root, settings.temperature if number < habits.sampled else 0, rng)
        state.apply_action(root.actions[place])
        if state.is_terminal():
            return "over", float(state.returns()[first])
        search.play(place)
    return "drawn at the limit", 0.0


def _is_lost(root: Node, below: float) -> bool:
    """AlphaGo Zero's rule: the root's mean value and its best move's are both below."""
    tried = root.visits > 0
    mean = root.worth.sum() / root.visits.sum()
    return bool(mean < below and root.means()[tried].max() < below)
