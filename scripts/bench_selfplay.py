"""Evaluations a CPU second: the bare network's, self-play's, OpenSpiel's Python search's."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
import typer

RUNS = 3
MOVES = 1  # of 800 simulations, from the start, for each figure and game


def main(
    blocks: Annotated[int, typer.Option(help="Of AlphaZero's tower.")] = 4,
    filters: Annotated[int, typer.Option(help="Of AlphaZero's tower.")] = 64,
    at_once: Annotated[int, typer.Option(help="Games at once, a position of each in a pass.")] = 32,
    threads: Annotated[int, typer.Option(help="Of PyTorch.")] = 1,
) -> None:
    """Print a row a game: evaluations a second, and what the search adds to the network."""
    from flopledger.play.games import find_game
    from flopledger.play.networks import tower

    torch.set_num_threads(threads)
    print(f"{blocks} blocks of {filters} filters, {at_once} games at once, {threads} thread(s)\n")
    print("game | bare /s | self-play /s | search / network | one game /s | OpenSpiel /s")
    print(":-- | --: | --: | --: | --: | --:")
    for name, board in (("connect_four", None), ("go", 9), ("go", 19), ("chess", None)):
        game = find_game(name, board)
        network = tower(game, blocks, filters, seed=0)
        jobs = (
            _bare(game, network, at_once),
            _ours(game, network, at_once),
            _ours(game, network, 1),
            _openspiel(game, network),
        )
        # they take turns, so that what else the machine does meets all of them
        runs = [[job() for job in jobs] for _ in range(RUNS)]
        bare, ours, single, theirs = (max(rates) for rates in zip(*runs, strict=True))
        added = bare / ours - 1
        print(
            f"{game.name} | {bare:.0f} | {ours:.0f} | {added:.2f} | {single:.0f} | {theirs:.0f}",
            flush=True,
        )


def _bare(game: Any, network: Any, batch: int) -> Callable[[], float]:
    layout = game.layout
    x = torch.rand(batch, layout.planes, layout.rows, layout.columns)

    def rate() -> float:
        passes = 3200 // batch
        start = time.process_time()
        with torch.no_grad():
            for _ in range(passes):
                network(x)
        return passes * batch / (time.process_time() - start)

    return rate


def _ours(game: Any, network: Any, at_once: int) -> Callable[[], float]:
    from flopledger.play.game_loop import play
    from flopledger.play.played_game import Habits
    from flopledger.play.search import Settings

    settings = Settings(simulations=800)

    def rate() -> float:
        start = time.process_time()
        games = list(
            play(game, network, settings, Habits(longest=MOVES), 0, range(at_once), at_once=at_once)
        )
        return sum(played.made for played in games) / (time.process_time() - start)

    return rate


def _openspiel(game: Any, network: Any) -> Callable[[], float]:
    """OpenSpiel's MCTSBot by PUCT, on the same network and planes, one evaluation at a time."""
    from flopledger.play.evaluator import NetworkEvaluator
    from flopledger.play.tree import Node
    from open_spiel.python.algorithms import mcts

    class Bridge(mcts.Evaluator):
        """Ours, with the answer kept between `prior` and `evaluate` as AlphaZero's there does."""

        def __init__(self) -> None:
            self.inner, self.made, self.known = NetworkEvaluator(game, network), 0, {}

        def _answer(self, state: Any) -> Any:
            key = state.history_str()
            if key not in self.known:
                node = Node(state, game.replayed(state))
                self.known[key] = self.inner.evaluate([node])[0]
                self.made += 1
            return self.known[key]

        def evaluate(self, state: Any) -> Any:
            value = self._answer(state)[1]
            own = np.full(2, -value)
            own[state.current_player()] = value
            return own

        def prior(self, state: Any) -> Any:
            return list(zip(state.legal_actions(), self._answer(state)[0], strict=True))

    def rate() -> float:
        asks = Bridge()
        bot = mcts.MCTSBot(
            game.rules,
            uct_c=1.25,
            max_simulations=801,
            evaluator=asks,
            solve=False,
            random_state=np.random.RandomState(0),
            child_selection_fn=mcts.SearchNode.puct_value,
            dirichlet_noise=(0.25, game.alpha),
        )
        state = game.start()
        start = time.process_time()
        for _ in range(MOVES):
            state.apply_action(bot.mcts_search(state).best_child().action)
        return asks.made / (time.process_time() - start)

    return rate


if __name__ == "__main__":
    typer.run(main)
