"""Every line of a small game: a player's own moves, and all that the other side may answer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from flopledger.play.evaluator import NetworkEvaluator
from flopledger.play.games import Game
from flopledger.play.lockstep import AT_ONCE, lockstep
from flopledger.play.search import Asking, Search, Settings, draw
from flopledger.play.tree import Node


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines by how they end for the player, begun by either side."""

    won: int
    drawn: int
    lost: int


def every_line(game: Game, network: nn.Module, settings: Settings) -> Lines:
    """Play on from each answer of the other side: thousands of lines of tic-tac-toe, no more.

    Args:
        game: a small one; all its positions that can be reached are searched.
        network: in eval mode.
        settings: of the search, which draws nothing: no noise, no temperature.
    """
    evaluator = NetworkEvaluator(game, network)
    start = game.start()
    own = start.current_player()
    ended: list[float] = []
    for player in (own, 1 - own):
        states = [start] if player == own else _answered([start], player, ended)
        while states:
            moves = list(lockstep(evaluator, (_best(game, s, settings) for s in states), AT_ONCE))
            states = _answered([_after(state, move) for state, move in moves], player, ended)
    return Lines(
        won=sum(result > 0 for result in ended),
        drawn=sum(result == 0 for result in ended),
        lost=sum(result < 0 for result in ended),
    )


def _best(game: Game, state: Any, settings: Settings) -> Asking[tuple[Any, int]]:
    """The state, and the action that the search chooses in it."""
    rng = np.random.default_rng(0)  # nothing is drawn
    search = Search(game, settings, rng)
    search.begin(Node(state.clone(), game.replayed(state)))
    root = yield from search.run()
    return state, root.actions[draw(root, 0, rng)]


def _answered(states: list[Any], player: int, ended: list[float]) -> list[Any]:
    """The states after every answer; those in which the game is over go into `ended`."""
    after = []
    for state in states:
        if state.is_terminal():
            ended.append(state.returns()[player])
            continue
        for action in state.legal_actions():
            answered = _after(state, action)
            if answered.is_terminal():
                ended.append(answered.returns()[player])
            else:
                after.append(answered)
    return after


def _after(state: Any, action: int) -> Any:
    after = state.clone()
    after.apply_action(action)
    return after
