"""Games learned from search, from results alone, or from a stored player: `hex-3` and others.

One network for all; what it is told differs: of each position, the moves that a search prefers;
nothing but the game's result, by the policy gradient; or a stored player's move.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from flopledger.experiments.game_tasks import GAME_TASKS, GRADIENT, IMITATION, SEARCH
from flopledger.experiments.stored_teacher import positions_of, teacher_games
from flopledger.experiments.trials import Arm, Experiment, Row, Trial, row_of
from flopledger.metering.module_meter import meter
from flopledger.play.evaluator import NetworkEvaluator
from flopledger.play.game_loop import play
from flopledger.play.games import Game, find_game
from flopledger.play.lockstep import lockstep
from flopledger.play.match import against_rollouts
from flopledger.play.networks import tower
from flopledger.play.planes import Seen, stack
from flopledger.play.played_game import Habits
from flopledger.play.players import ALONE
from flopledger.play.search import Asking, Settings
from flopledger.play.tree import Node
from flopledger.training.alphazero import Searched, Window, samples

BLOCKS, FILTERS = 1, 16
GAMES = 32  # of a round, played at once
BATCH = 64
WINDOW = 4000  # positions, the newest, that search's samples are drawn from
REUSE = 4  # samples for each position of a round

# the policy alone, without search, against a fixed search by random games
OPENING = 1
TESTED = 60  # games of a test
SMOOTH = 3  # tests of which the mean is the strength
BETWEEN = 1.15  # tests stand so many times as many samples apart


def experiment(task: str) -> Experiment:
    """The game's arms: search, policy gradient, imitation.

    Args:
        task: of `GAME_TASKS`.

    Raises:
        MissingGames: OpenSpiel is not installed.
    """
    plan = GAME_TASKS[task]
    game = _rules(task)
    return Experiment(
        task=task,
        title=f"{game.name}, a tower of {BLOCKS} block of {FILTERS} filters",
        arms=tuple(Arm(name=name, horizon=None, grid=grid) for name, grid in plan.grids.items()),
        target=plan.target,
        budget=plan.budget,
        libraries=("torch", "open_spiel"),
        run=learn,
    )


def hex_3() -> Experiment:
    """Hex on 3 x 3."""
    return experiment("hex-3")


def hex_4() -> Experiment:
    """Hex on 4 x 4."""
    return experiment("hex-4")


def hex_5() -> Experiment:
    """Hex on 5 x 5."""
    return experiment("hex-5")


def connect_four() -> Experiment:
    """Connect four."""
    return experiment("connect-four")


def learn(trial: Trial) -> Row:
    """Train until the strength is the target, or the budget is spent.

    The strength is the mean of three tests, and was reached at the middle one of them.
    """
    start = time.perf_counter()
    game, plan = _rules(trial.task), GAME_TASKS[trial.task]
    network = tower(game, BLOCKS, FILTERS, trial.seed)
    learner = _Learner(network, trial.settings["rate"])
    teach = {SEARCH: _search, GRADIENT: _gradient, IMITATION: _imitate}[trial.arm]
    curve: list[tuple[float, float, float]] = []
    next_test, making, done = float(plan.first), 0.0, False
    for made in teach(game, network, learner, trial):
        making += made
        done = learner.samples >= trial.budget
        if learner.samples < next_test and not done:
            continue
        next_test = learner.samples * BETWEEN
        strength = _strength(game, network, plan.rollouts, (trial.seed, len(curve)))
        curve.append((learner.samples, learner.flops + making, strength))
        if done or _smooth(curve) >= trial.target:
            break
    reached = _smooth(curve) >= trial.target
    end = curve[-1 - SMOOTH // 2] if reached else curve[-1]
    # both kinds of FLOP grow together: a share of the end's
    share = end[1] / curve[-1][1]
    return row_of(
        trial,
        reached=reached,
        samples=int(end[0]),
        flops_learning=learner.flops * share,
        flops_making=making * share,
        score=_smooth(curve),
        seconds=time.perf_counter() - start,
        curve=tuple(curve),
    )


def _smooth(curve: list[tuple[float, float, float]]) -> float:
    """The strength now; 0 before there are tests enough to say."""
    if len(curve) < SMOOTH:
        return 0.0
    mean = sum(strength for _, _, strength in curve[-SMOOTH:]) / SMOOTH
    return round(mean, 9)  # shares of 60 games have no exact floats: 0.8 would be missed by 1e-16


def _rules(task: str) -> Game:
    plan = GAME_TASKS[task]
    return find_game(plan.game, plan.board)


def _strength(game: Game, network: nn.Module, rollouts: int, seed: tuple[int, ...]) -> float:
    network.eval()
    match = against_rollouts(
        game, network, ALONE, rollouts, TESTED, OPENING, (*seed, 4), at_once=TESTED
    )
    return match.score.win_rate


class _Learner:
    """Steps of Adam, their samples and their FLOP: the first step of each size is metered."""

    def __init__(self, network: nn.Module, rate: float) -> None:
        self._network, self._known = network, dict[int, float]()
        self._optimiser = torch.optim.Adam(network.parameters(), lr=rate)
        self.samples, self.flops = 0, 0.0

    def step(self, planes: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor]) -> None:
        size = len(planes)
        self._network.train()
        if size in self._known:
            self._step(planes, loss_of)
        else:
            with meter({"network": self._network}, peak=1.0) as metered:
                self._step(planes, loss_of)
            self._known[size] = metered.read().totals.known("model_flops")
        self._network.eval()
        self.samples += size
        self.flops += self._known[size]

    def _step(self, planes: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor]) -> None:
        policy, value = self._network(planes)
        self._optimiser.zero_grad()
        loss_of(policy.flatten(1), value.flatten()).backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()


def _search(game: Game, network: nn.Module, learner: _Learner, trial: Trial) -> Iterator[float]:
    """AlphaZero's: each round's FLOP of making positions."""
    # values as small searches need them: an untried move counts as a draw
    settings = Settings(simulations=int(trial.settings["simulations"]), fpu=0.5)
    rng = np.random.default_rng((trial.seed, 5))
    window: Window | None = None
    index = 0
    while True:
        searched: dict[int, list[Searched]] = {}

        def keep(number: int, _: int, root: Node, to: dict[int, Any] = searched) -> None:
            to.setdefault(number, []).append((root.seen, root.actions, root.visits))

        played = play(
            game, network, settings, Habits(), trial.seed, range(index, index + GAMES), keep, GAMES
        )
        games = sorted(played, key=lambda one: one.index)
        parts = [samples(game, searched[one.index], one.result) for one in games]
        index += GAMES
        parts = parts if window is None else [window, *parts]
        window = _newest(parts)
        positions = sum(one.moves for one in games)
        for _ in range(max(1, positions * REUSE // BATCH)):
            drawn = torch.from_numpy(rng.integers(len(window[0]), size=BATCH))
            learner.step(window[0][drawn], partial(_loss, window[1][drawn], window[2][drawn]))
        yield sum(one.flops for one in games)


def _newest(parts: list[Window]) -> Window:
    planes, policies, results = (
        torch.cat(tensors)[-WINDOW:] for tensors in zip(*parts, strict=True)
    )
    return planes, policies, results


def _loss(policies: Tensor, results: Tensor, logits: Tensor, values: Tensor) -> Tensor:
    return cross_entropy(logits, policies) + mse_loss(values, results)


def _gradient(game: Game, network: nn.Module, learner: _Learner, trial: Trial) -> Iterator[float]:
    """REINFORCE with the value as its baseline: a step a round, on all of its positions."""
    evaluator, index = NetworkEvaluator(game, network), 0
    while True:
        own = [_drawn(game, (trial.seed, 6, index + number)) for number in range(GAMES)]
        index += GAMES
        moves = [move for moves in lockstep(evaluator, own, GAMES) for move in moves]
        legal = torch.zeros(len(moves), game.moves, dtype=torch.bool)
        for row, move in zip(legal, moves, strict=True):
            row[torch.from_numpy(move.legal)] = True
        chosen = torch.tensor([move.chosen for move in moves])
        results = torch.tensor([move.result for move in moves])
        planes = torch.from_numpy(stack(game.layout, [move.seen for move in moves]))
        learner.step(planes, partial(_reinforced, legal, chosen, results, trial.settings["bonus"]))
        yield sum(move.flops for move in moves)


@dataclass(kw_only=True)
class _Move:
    """A move that the policy drew: what it was shown, which outputs were legal, and which it was.

    Attributes:
        result: the game's, for who moved: 1, 0 or -1.
        flops: of the pass.
    """

    seen: Seen
    legal: NDArray[np.intp]
    chosen: int
    flops: float
    result: float = 0.0


def _drawn(game: Game, seed: tuple[int, ...]) -> Asking[list[_Move]]:
    """A game in which the policy draws every move."""
    rng, state, moves = np.random.default_rng(seed), game.start(), list[_Move]()
    seen = game.seen(state)
    while True:
        answer = yield Node(state.clone(), seen)
        actions = state.legal_actions()
        legal = game.outputs[seen.player][actions]
        place = int(rng.choice(len(actions), p=answer.prior))
        moves.append(_Move(seen=seen, legal=legal, chosen=int(legal[place]), flops=answer.flops))
        state.apply_action(actions[place])
        if state.is_terminal():
            break
        seen = game.seen(state, seen.frames)
    for move in moves:
        move.result = float(state.returns()[move.seen.player])
    return moves


def _reinforced(
    legal: Tensor, chosen: Tensor, results: Tensor, bonus: float, logits: Tensor, values: Tensor
) -> Tensor:
    """The policy gradient, the value's squared error, and a bonus for the policy's entropy."""
    logs = logits.masked_fill(~legal, -torch.inf).log_softmax(1)
    own = logs.gather(1, chosen[:, None]).squeeze(1)
    entropy = -(logs.exp() * logs.masked_fill(~legal, 0)).sum(1)
    gain: Tensor = ((results - values.detach()) * own + bonus * entropy).mean()
    return mse_loss(values, results) - gain


def _imitate(game: Game, network: nn.Module, learner: _Learner, trial: Trial) -> Iterator[float]:
    """Supervised: nothing is made."""
    planes, policies, results = _stored(game.name)
    rng = np.random.default_rng((trial.seed, 7))
    while True:
        drawn = torch.from_numpy(rng.integers(len(planes), size=BATCH))
        learner.step(planes[drawn], partial(_loss, policies[drawn], results[drawn]))
        yield 0.0


@cache
def _stored(name: str) -> Window:
    """The stored player's positions, his moves and the results."""
    game = next(game for task in GAME_TASKS if (game := _rules(task)).name == name)
    rows = [row for kept in teacher_games(name) for row in positions_of(game, kept)]
    policies = torch.zeros(len(rows), game.moves)
    for policy, (seen, action, _) in zip(policies, rows, strict=True):
        policy[game.outputs[seen.player][action]] = 1
    planes = torch.from_numpy(stack(game.layout, [seen for seen, _, _ in rows]))
    return planes, policies, torch.tensor([result for _, _, result in rows])
