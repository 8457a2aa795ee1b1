"""AlphaZero's training: self-play, a window of its positions, gradient steps, and again."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from flopledger.metering.module_meter import meter
from flopledger.play.game_loop import play
from flopledger.play.games import Game
from flopledger.play.planes import Seen, stack
from flopledger.play.played_game import Habits
from flopledger.play.search import Settings
from flopledger.play.tree import Node
from flopledger.training import checkpoints
from flopledger.training.strength import Strength, as_objects, from_objects

MOMENTUM, DECAY = 0.9, 1e-4  # AlphaZero's


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training.

    Attributes:
        game: what is played.
        blocks: of AlphaZero's tower.
        filters: of its convolutions.
        simulations: a move.
        rounds: of self-play and gradient descent.
        games: of self-play in one round.
        steps: of gradient descent in one round.
        batch: samples in a step.
        window: positions, the newest, that samples are drawn from.
        rate: SGD's learning rate.
        seed: of weights, games and samples.
    """

    game: str
    blocks: int = 2
    filters: int = 32
    simulations: int = 50
    rounds: int = 20
    games: int = 20
    steps: int = 40
    batch: int = 128
    window: int = 20_000
    rate: float = 0.02
    seed: int = 0


@dataclass(kw_only=True)
class Totals:
    """What was done so far. FLOPs are as metered.

    Attributes:
        rounds: of self-play and steps.
        games: played.
        moves: searched.
        simulations: asked for.
        evaluations: by the network in self-play, the roots' among them.
        roots: how many of those were of a root.
        selfplay_flops: of those.
        steps: of gradient descent.
        samples: trained on, each as often as it was drawn.
        forward_flops: of the steps.
        backward_flops: of the steps.
        seconds: inside self-play and steps.
    """

    rounds: int = 0
    games: int = 0
    moves: int = 0
    simulations: int = 0
    evaluations: int = 0
    roots: int = 0
    selfplay_flops: float = 0
    steps: int = 0
    samples: int = 0
    forward_flops: float = 0
    backward_flops: float = 0
    seconds: float = 0


Window = tuple[Tensor, Tensor, Tensor]  # planes, policies, results; a position each
Searched = tuple[Seen, list[int], NDArray[np.int64]]


class Trainer:
    """A network in training. A round is the same whether or not it was stopped before it."""

    def __init__(self, plan: Plan, game: Game, network: nn.Module) -> None:
        self.plan, self.game, self.network, self.totals = plan, game, network, Totals()
        self.strength: list[Strength] = []  # tests so far, which a checkpoint keeps
        self._window: Window | None = None
        self._optimiser = torch.optim.SGD(
            network.parameters(), lr=plan.rate, momentum=MOMENTUM, weight_decay=DECAY
        )

    @property
    def flops(self) -> float:
        """Of the training so far, as metered."""
        totals = self.totals
        return totals.selfplay_flops + totals.forward_flops + totals.backward_flops

    def round(self) -> float:
        """Play, then learn; the last step's loss."""
        start = time.perf_counter()
        try:
            self._play()
            loss = self._learn()
        finally:
            self.totals.seconds += time.perf_counter() - start
        self.totals.rounds += 1
        return loss

    def _play(self) -> None:
        plan, totals = self.plan, self.totals
        settings = Settings(simulations=plan.simulations)
        searched: dict[int, list[Searched]] = {}

        def keep(index: int, _: int, root: Node) -> None:
            assert root.seen is not None
            searched.setdefault(index, []).append((root.seen, root.actions, root.visits))

        indices = range(totals.games, totals.games + plan.games)
        gathered: dict[int, Window] = {}
        for game in play(self.game, self.network, settings, Habits(), plan.seed, indices, keep):
            gathered[game.index] = samples(self.game, searched.pop(game.index), game.result)
            totals.games += 1
            totals.moves += game.moves
            totals.simulations += game.asked - game.moves
            totals.evaluations += game.made
            totals.roots += game.roots
            totals.selfplay_flops += game.flops
        parts = [gathered[index] for index in indices]  # by number, and not as they ended
        before = [self._window] if self._window is not None else []
        planes, policies, results = (
            torch.cat(tensors)[-plan.window :] for tensors in zip(*before, *parts, strict=True)
        )
        self._window = planes, policies, results

    def _learn(self) -> float:
        assert self._window is not None
        plan, totals = self.plan, self.totals
        planes, policies, results = self._window
        rng = np.random.default_rng((plan.seed, totals.rounds, 1))
        loss = torch.zeros(())
        self.network.train()
        with meter({"network": self.network}) as metered:
            for _ in range(plan.steps):
                drawn = torch.from_numpy(rng.integers(len(planes), size=plan.batch))
                seen, visited = turned(self.game, planes[drawn], policies[drawn], rng)
                policy, value = self.network(seen)
                loss = cross_entropy(policy.flatten(1), visited)
                loss = loss + mse_loss(value.flatten(), results[drawn])
                self._optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self._optimiser.step()
        self.network.eval()
        counted = metered.read().totals
        totals.steps += plan.steps
        totals.samples += plan.steps * plan.batch
        totals.forward_flops += counted.known("flops")
        totals.backward_flops += counted.known("backward_flops")
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write all that the next round needs, whole or not at all."""
        more = {"window": list(self._window or ()), "strength": as_objects(self.strength)}
        checkpoints.save(path, self.plan, self.totals, self.network, self._optimiser, more)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            BadCheckpoint: it is none, or one of another plan.
        """
        totals, more = checkpoints.load(path, self.plan, self.network, self._optimiser)
        self.totals = checkpoints.totals_of(path, Totals, totals)
        kept = more if isinstance(more, dict) else {}
        window: Any = kept.get("window")
        tests: Any = kept.get("strength")
        tensors = isinstance(window, list) and all(map(torch.is_tensor, window))
        if not tensors or len(window) not in (0, 3) or len({len(part) for part in window}) > 1:
            raise checkpoints.BadCheckpoint(
                f"{path}: its positions are no tensors; choose another --output"
            )
        try:
            self.strength = from_objects(tests)
        except (TypeError, KeyError) as error:
            raise checkpoints.BadCheckpoint(
                f"{path}: its tests are none of this training; choose another --output"
            ) from error
        self._window = tuple(window) or None


def turned(
    game: Game, planes: Tensor, policies: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Planes and policies of positions, each in one of the game's symmetries; a move is a point."""
    if game.turned is None:
        return planes, policies
    from_points = torch.from_numpy(game.turned[rng.integers(len(game.turned), size=len(planes))])
    by_plane = from_points[:, None].expand(-1, planes.shape[1], -1)
    return planes.flatten(2).gather(2, by_plane).view_as(planes), policies.gather(1, from_points)


def samples(game: Game, searched: list[Searched], result: float) -> Window:
    """A game's positions: planes, the visits' shares, and the result for the player to move.

    Args:
        game: that was played.
        searched: each of its positions, its legal moves and how often each was tried.
        result: the first mover's: 1, 0 or -1.
    """
    seen = [position for position, _, _ in searched]
    policies = torch.zeros(len(seen), game.moves)
    results = torch.empty(len(seen))
    first = seen[0].player
    for number, (position, actions, visits) in enumerate(searched):
        outputs = torch.from_numpy(game.outputs[position.player][actions])
        policies[number, outputs] = torch.from_numpy(visits / visits.sum()).float()
        results[number] = result if position.player == first else -result
    return torch.from_numpy(stack(game.layout, seen)), policies, results
