"""Who plays a match: a search, the policy alone, OpenSpiel's own search by rollouts, or chance."""

from typing import Any, Protocol

import numpy as np

from flopledger.play.games import Game
from flopledger.play.search import Asking, Search, Settings, draw
from flopledger.play.tree import Node

ALONE = Settings(simulations=0, noise=0, temperature=0)  # the policy's likeliest move


class Player(Protocol):
    """One side of one game.

    Attributes:
        spent: forward FLOPs of the network, a number a move.
    """

    spent: list[float]

    @property
    def flops(self) -> float:
        """Of all moves, and of the one that is being searched."""

    def begin(self, node: Node) -> None:
        """The game begins there."""

    def move(self) -> Asking[int]:
        """OpenSpiel's action, in the position that the game has come to."""

    def follow(self, action: int) -> None:
        """The action was played, by either side."""


class Searching:
    """A search with the network; with no simulations, its policy alone."""

    def __init__(self, game: Game, settings: Settings, rng: np.random.Generator) -> None:
        self._search, self._settings, self._rng = Search(game, settings, rng), settings, rng
        self.spent: list[float] = []

    @property
    def flops(self) -> float:
        """Of all that it searched."""
        return self._search.tally.flops

    def begin(self, node: Node) -> None:
        """The game begins there."""
        self._search.begin(node)

    def move(self) -> Asking[int]:
        """Search, and draw by the settings' temperature."""
        before = self.flops
        root = yield from self._search.run()
        self.spent.append(self.flops - before)
        return root.actions[draw(root, self._settings.temperature, self._rng)]

    def follow(self, action: int) -> None:
        """Go on in the tree."""
        self._search.follow(action)


class Rollouts:
    """OpenSpiel's MCTSBot, each simulation ended by one random game; with 0, random moves.

    It asks for no network.
    """

    flops = 0.0

    def __init__(self, game: Game, simulations: int, seed: int) -> None:
        import pyspiel

        self._state: Any = None
        self._rng = np.random.default_rng(seed)
        self._bot: Any = None
        if simulations:
            self._bot = pyspiel.MCTSBot(
                game.rules,
                pyspiel.RandomRolloutEvaluator(n_rollouts=1, seed=seed),
                uct_c=2.0,  # as OpenSpiel's examples have it
                max_simulations=simulations,
                max_memory_mb=0,  # no limit
                solve=False,  # a proof is no rollout
                seed=seed,
                verbose=False,
            )
        self.spent: list[float] = []

    def begin(self, node: Node) -> None:
        """The game begins there."""
        self._state = node.state.clone()

    def move(self) -> Asking[int]:
        """Its choice; nothing is asked."""
        yield from ()
        self.spent.append(0.0)
        return self.choose()

    def choose(self) -> int:
        """OpenSpiel's action."""
        if self._bot is None:
            return int(self._rng.choice(self._state.legal_actions()))
        return int(self._bot.step(self._state))

    def follow(self, action: int) -> None:
        """The action was played."""
        self._state.apply_action(action)
