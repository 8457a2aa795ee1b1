"""A network with its search against a player that moves at random."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from profiler.selfplay.evaluator import Evaluator
from profiler.selfplay.games import Game
from profiler.selfplay.search import Search, Settings
from profiler.selfplay.tree import Node


@dataclass(frozen=True, kw_only=True)
class Score:
    """Games, from the network's view."""

    won: int
    drawn: int
    lost: int


def against_random(
    game: Game, network: nn.Module, simulations: int, games: int, seed: int
) -> Score:
    """Games in which the network begins every other one.

    It plays the most visited move, without noise; with 0 simulations, its policy's likeliest one.
    """
    results = [_result(game, network, simulations, seed, index) for index in range(games)]
    return Score(
        won=sum(one > 0 for one in results),
        drawn=sum(one == 0 for one in results),
        lost=sum(one < 0 for one in results),
    )


def _result(game: Game, network: nn.Module, simulations: int, seed: int, index: int) -> float:
    rng = np.random.default_rng((seed, index, 2))
    evaluator = Evaluator(game, network)
    settings = Settings(simulations=max(simulations, 1), noise=0)
    state = game.start()
    seen = game.seen(state)
    own = state.current_player() if index % 2 == 0 else 1 - state.current_player()
    for _ in range(game.longest):
        if state.current_player() != own:
            action = int(rng.choice(state.legal_actions()))
        else:
            search = Search(game, evaluator, settings, rng)
            root = Node(state.clone(), seen)
            if simulations:
                search.begin(root)
                search.run()
                action = root.actions[int(root.visits.argmax())]
            else:
                ((prior, _),) = evaluator.evaluate([root])
                action = state.legal_actions()[int(prior.argmax())]
        state.apply_action(action)
        if state.is_terminal():
            return float(state.returns()[own])
        seen = game.seen(state, seen.frames)
    return 0.0
