"""AlphaZero's search: PUCT, noise at the root, batches of leaves; what each simulation cost.

OpenSpiel has a search in Python, but it asks for one evaluation at a time, keeps an object a move
and proves wins, which AlphaZero does not. Its noise and the reuse of a subtree are here too.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flopledger.play.games import Game
from flopledger.play.tree import Node

# a move's policy over the legal moves, and the position's value for the player to move
Answer = tuple[NDArray[np.float64], float]


class Evaluator(Protocol):
    """What evaluates positions."""

    def remembered(self, node: Node) -> Answer | None:
        """The answer, if a position that looks the same was evaluated before."""

    def evaluate(self, nodes: list[Node]) -> list[Answer]:
        """The answers, for one pass of the network."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a move is searched, and drawn. What is left out is as in AlphaZero's self-play.

    Attributes:
        simulations: for each move, after the root's evaluation.
        batch: positions that one pass of the network evaluates, at most.
        noise: the share of Dirichlet noise in the root's priors.
        reuse: whether the subtree below the move that was played is kept. Its visits then count
            among the simulations asked for.
        puct: how far the prior is trusted (pb_c_init in AlphaZero's pseudocode).
        puct_base: the visits over which that grows (pb_c_base).
        virtual_loss: what a visit counts as lost while it waits for its evaluation.
        temperature: of the draw of a move by its visits; 0 for the most visited one.
        evaluations: the network's for each move, the root's included, at which its search ends
            before its simulations are made; None for no such end.
    """

    simulations: int = 800
    batch: int = 8
    noise: float = 0.25
    reuse: bool = False
    puct: float = 1.25
    puct_base: float = 19652
    virtual_loss: float = 1.0
    temperature: float = 1.0
    evaluations: int | None = None


def draw(root: Node, temperature: float, rng: np.random.Generator) -> int:
    """The place of a move drawn in proportion to visits ** (1 / temperature)."""
    if not temperature:
        return int(root.visits.argmax())
    shares = root.visits / root.visits.sum()
    if temperature != 1:
        with np.errstate(under="ignore"):  # a move that is hardly visited has no chance then
            shares = (shares / shares.max()) ** (1 / temperature)
        shares /= shares.sum()
    return int(rng.choice(len(shares), p=shares))


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
        passes: of the network, with one or more positions each.
        cache: evaluations that were remembered.
        reuse: visits that came with the subtree.
        terminal: simulations that ended where the game does.
    """

    moves: int = 0
    asked: int = 0
    made: int = 0
    roots: int = 0
    passes: int = 0
    cache: int = 0
    reuse: int = 0
    terminal: int = 0


class Search:
    """The search of one game's moves, one after the other."""

    def __init__(
        self, game: Game, evaluator: Evaluator, settings: Settings, rng: np.random.Generator
    ) -> None:
        self._game, self._evaluator, self._settings, self._rng = game, evaluator, settings, rng
        self._root: Node | None = None
        self.tally = Tally()

    def begin(self, node: Node) -> None:
        """Start from this position, with nothing known of it."""
        self._root = node

    def run(self) -> Node:
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
            self._answer([root], at_root=True)
            left = settings.simulations
        if settings.noise:
            self._disturb(root)
        while left:
            # a round makes no more evaluations than it is wide
            width = min(left, settings.batch)
            if limit is not None:
                width = min(width, limit - tally.made)
            if not width:
                break
            left -= self._round(root, width)
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

    def _round(self, root: Node, wanted: int) -> int:
        """Simulations until a batch is full or two meet at one leaf; how many there were."""
        tally, done = self.tally, 0
        waiting: list[tuple[list[tuple[Node, int]], Node]] = []
        while done < wanted:
            path, leaf = self._descend(root)
            if leaf.value is not None:
                tally.terminal += 1
                self._back_up(path, leaf.value)
            elif any(leaf is other for _, other in waiting):
                self._take_back(path)
                break
            elif (answer := self._evaluator.remembered(leaf)) is not None:
                tally.cache += 1
                leaf.expand(*answer)
                self._back_up(path, answer[1])
            else:
                waiting.append((path, leaf))
            done += 1
        if waiting:
            try:
                self._answer([leaf for _, leaf in waiting])
            except BaseException:
                for path, _ in waiting:
                    self._take_back(path)
                raise
        for path, leaf in waiting:
            assert leaf.value is not None
            self._back_up(path, leaf.value)
        return done

    def _descend(self, root: Node) -> tuple[list[tuple[Node, int]], Node]:
        """The moves to a position that is not expanded; each of them is under way."""
        settings, path, node = self._settings, [], root
        while node.total:
            place = node.best(settings.puct, settings.puct_base)
            node.begin(place, settings.virtual_loss)
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

    def _answer(self, nodes: list[Node], at_root: bool = False) -> None:
        tally = self.tally
        if at_root and (answer := self._evaluator.remembered(nodes[0])) is not None:
            tally.cache += 1
            nodes[0].expand(*answer)
            return
        answers = self._evaluator.evaluate(nodes)
        tally.passes += 1
        tally.made += len(nodes)
        tally.roots += at_root
        for node, answer in zip(nodes, answers, strict=True):
            node.expand(*answer)

    def _back_up(self, path: list[tuple[Node, int]], value: float) -> None:
        """The value, seen by the leaf's player, to every move that led there; players alternate."""
        for node, place in reversed(path):
            value = -value
            node.end(place, value, self._settings.virtual_loss)

    def _take_back(self, path: list[tuple[Node, int]]) -> None:
        for node, place in path:
            node.take_back(place, self._settings.virtual_loss)
