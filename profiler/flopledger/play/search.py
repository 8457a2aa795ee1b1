"""AlphaZero's search: PUCT, and noise at the root; what each simulation cost.

OpenSpiel has a search in Python, but it keeps an object a move and proves wins, which AlphaZero
does not. A search here does not call a network: it yields the position that it wants evaluated and
is sent the answer, so that many games' searches share a pass (`lockstep`).
"""

from collections.abc import Generator, MutableMapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from flopledger.play.games import Game
from flopledger.play.tree import Answer, Node

T = TypeVar("T")
Asking = Generator[Node, Answer, T]  # yields positions, is sent the network's answers

Cache = MutableMapping[bytes, Answer]  # by what a network is shown

Values = Literal["unit", "signed"]
REMEMBERED = 100_000  # positions; of Go on 19 x 19 they take some 300 MB


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a move is searched, and drawn. What is left out is as in AlphaZero's self-play.

    Attributes:
        simulations: for each move, after the root's evaluation; with 0 the policy plays alone.
        noise: the share of Dirichlet noise in the root's priors.
        reuse: whether the subtree below the move that was played is kept. Its visits then count
            among the simulations asked for.
        puct: how far the prior is trusted (pb_c_init in AlphaZero's pseudocode).
        puct_base: the visits over which that grows (pb_c_base).
        values: the scale that Q has beside it: "unit" is [0, 1], as in the pseudocode, "signed"
            [-1, 1], on which the same constants explore half as much.
        fpu: what a move never tried counts as, on that scale. The pseudocode's 0 is a loss on
            [0, 1], and a draw on [-1, 1].
        temperature: of the draw of a move by its visits; 0 for the most visited one.
        evaluations: the network's for each move, the root's included, at which its search ends
            before its simulations are made; None for no such end.
    """

    simulations: int = 800
    noise: float = 0.25
    reuse: bool = False
    puct: float = 1.25
    puct_base: float = 19652
    values: Values = "unit"
    fpu: float = 0.0
    temperature: float = 1.0
    evaluations: int | None = None


def draw(root: Node, temperature: float, rng: np.random.Generator) -> int:
    """The place of a move drawn in proportion to visits ** (1 / temperature).

    Where nothing was simulated, the priors stand for the visits.
    """
    weights: NDArray[np.float64] = root.visits.astype(float) if root.total > 1 else root.prior
    if not temperature:
        return int(weights.argmax())
    shares = weights
    if temperature != 1:
        # the largest first: a power of a count may overflow
        shares = (weights / weights.max()) ** (1 / temperature)
    return int(rng.choice(len(shares), p=shares / shares.sum()))


@dataclass(kw_only=True)
class Tally:
    """Where the simulations went. Each move asks for its simulations and the root's evaluation.

    asked = made + cache + reuse + terminal, at the end of each move.

    Attributes:
        moves: searched.
        asked: simulations, and one more a move for its root; those that a limit on evaluations
            left out were not asked for.
        made: evaluations by the network.
        roots: how many of `made` were of a root.
        cache: evaluations that were remembered.
        reuse: visits that came with the subtree.
        terminal: simulations that ended where the game does.
        flops: of the evaluations, forward, as metered.
        seconds: inside the network's forward: this search's share of its passes.
    """

    moves: int = 0
    asked: int = 0
    made: int = 0
    roots: int = 0
    cache: int = 0
    reuse: int = 0
    terminal: int = 0
    flops: float = 0.0
    seconds: float = 0.0


class Search:
    """The search of one game's moves, one after the other."""

    def __init__(
        self,
        game: Game,
        settings: Settings,
        rng: np.random.Generator,
        cache: Cache | None = None,
    ) -> None:
        self._game, self._settings, self._rng, self._cache = game, settings, rng, cache
        unit = settings.values == "unit"
        self._span = 2.0 if unit else 1.0
        self._untried = 2 * settings.fpu - 1 if unit else settings.fpu
        self._root: Node | None = None
        self.tally = Tally()

    def begin(self, node: Node) -> None:
        """Start from this position, with nothing known of it."""
        self._root = node

    def run(self) -> Asking[Node]:
        """Search the position; the root's `visits` are what a move is chosen by."""
        root, settings, tally = self._root, self._settings, self.tally
        assert root is not None
        limit = None if settings.evaluations is None else tally.made + settings.evaluations
        tally.moves += 1
        tally.asked += settings.simulations + 1
        if root.total:
            kept = min(root.total, settings.simulations + 1)
            tally.reuse += kept
            left = settings.simulations + 1 - kept
        else:
            made = tally.made
            yield from self._evaluate(root)
            tally.roots += tally.made - made
            left = settings.simulations
        if settings.noise:
            self._disturb(root)
        while left and (limit is None or tally.made < limit):
            path, leaf = self._descend(root)
            if leaf.value is None:
                yield from self._evaluate(leaf)
            else:
                tally.terminal += 1
            value = leaf.value
            assert value is not None
            for node, place in reversed(path):  # players alternate
                value = -value
                node.add(place, value)
            left -= 1
        tally.asked -= left
        return root

    def play(self, place: int) -> None:
        """Go to the position after the root's move in that place of its arrays."""
        root = self._root
        assert root is not None
        child = root.children.get(place) or self._child(root, place)
        if not self._settings.reuse:
            child = Node(child.state, child.seen)
        self._root = child

    def follow(self, action: int) -> None:
        """Go to the position after OpenSpiel's action, whether or not this one was searched."""
        root = self._root
        assert root is not None
        if root.total:
            self.play(root.actions.index(action))
        else:
            self._root = self._after(root, action)

    def _disturb(self, root: Node) -> None:
        share = self._settings.noise
        noise = self._rng.dirichlet(np.full(len(root.prior), self._game.alpha))
        root.trust((1 - share) * root.prior + share * noise)

    def _descend(self, root: Node) -> tuple[list[tuple[Node, int]], Node]:
        """The moves to a position that is not expanded, and that position."""
        path, node = [], root
        first, base, span = self._settings.puct, self._settings.puct_base, self._span
        while node.total:
            place = node.best(first, base, span)
            path.append((node, place))
            child = node.children.get(place)
            if child is None:
                return path, self._child(node, place)
            node = child
        return path, node

    def _child(self, node: Node, place: int) -> Node:
        child = node.children[place] = self._after(node, node.actions[place])
        return child

    def _after(self, node: Node, action: int) -> Node:
        state = node.state.clone()
        state.apply_action(action)
        assert node.seen is not None
        if state.is_terminal():
            # the player who would be to move is the one who did not just move
            return Node(state, None, -state.returns()[node.seen.player])
        return Node(state, self._game.seen(state, node.seen.frames))

    def _evaluate(self, node: Node) -> Asking[None]:
        """Expand the position by the network's answer, or by the one that is remembered."""
        tally, cache = self.tally, self._cache
        assert node.seen is not None
        key = b"" if cache is None else node.seen.key()
        if cache is not None and (known := cache.get(key)) is not None:
            tally.cache += 1
            node.expand(known, self._untried)
            return
        answer = yield node
        tally.made += 1
        tally.flops += answer.flops
        tally.seconds += answer.seconds
        if cache is not None:
            if len(cache) >= REMEMBERED:
                del cache[next(iter(cache))]  # the oldest
            cache[key] = answer
        node.expand(answer, self._untried)
