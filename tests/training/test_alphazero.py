"""Training: what a sample is, what a round costs, and that a stop changes nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from flopledger.counting.profiling import profile
from flopledger.play.games import find_game
from flopledger.play.match import against_rollouts
from flopledger.play.networks import tower
from flopledger.play.search import Settings
from flopledger.training.alphazero import Plan, Trainer, turned
from flopledger.training.checkpoints import BadCheckpoint
from torch import nn

PLAN = Plan(
    game="tic_tac_toe",
    blocks=1,
    filters=4,
    simulations=8,
    rounds=2,
    games=2,
    steps=2,
    batch=4,
    window=9,
)


def training(plan=PLAN):
    game = find_game("tic_tac_toe")
    return Trainer(plan, game, tower(game, 1, 4, seed=0))


def test_a_round_is_metered():
    trainer = training()
    trainer.round()
    totals = trainer.totals
    assert (totals.rounds, totals.steps, totals.samples) == (1, 2, 8)
    assert (totals.games, 10 <= totals.moves <= 18) == (2, True)  # 5 to 9 moves a game
    assert (totals.simulations, totals.roots) == (8 * totals.moves, totals.moves)
    counted = profile(trainer.network, torch.zeros(1, 3, 3, 3), backward=True)
    flops = counted.total("flops")
    assert totals.selfplay_flops == totals.evaluations * flops
    assert totals.forward_flops == 8 * flops
    assert totals.backward_flops == 8 * 2 * counted.backward.macs
    assert not trainer.network.training


def test_the_window_keeps_the_newest():
    trainer = training()
    trainer.round()
    planes, policies, results = trainer._window
    assert len(planes) == len(policies) == len(results) == 9
    assert torch.allclose(policies.flatten(1).sum(1), torch.ones(9))
    assert set(results.tolist()) <= {-1.0, 0.0, 1.0}


class Constant(nn.Module):
    """The same answer to every position: a logit for each point of the board, and a value."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(9))
        self.value = nn.Parameter(torch.tensor(0.5))

    def forward(self, planes):
        rows = planes.new_zeros(len(planes), 1)
        return self.logits + rows, self.value + rows


@pytest.mark.parametrize("steps", [1, 2])
def test_the_loss_and_the_steps_by_hand(steps):
    # of the window's one position, the last of a game that was won, the mover is the winner: z = 1
    plan = replace(PLAN, games=1, window=1, steps=steps, simulations=60)
    game = replace(find_game("tic_tac_toe"), turned=None)
    learner = Trainer(plan, game, Constant())
    loss = learner.round()
    _, (policy,), results = learner._window
    assert results.tolist() == [1.0]
    logits, value = np.zeros(9), 0.5
    speeds = np.zeros(9), 0.0
    for _ in range(steps):
        shares = np.exp(logits) / np.exp(logits).sum()
        # cross-entropy with the search's policy, plus the squared error of the value
        expected = -(policy.numpy() * np.log(shares)).sum() + (value - 1) ** 2
        slopes = shares - policy.numpy() + 1e-4 * logits, 2 * (value - 1) + 1e-4 * value
        speeds = 0.9 * speeds[0] + slopes[0], 0.9 * speeds[1] + slopes[1]
        logits, value = logits - 0.02 * speeds[0], value - 0.02 * speeds[1]
    if steps == 1:
        assert expected == pytest.approx(math.log(9) + 0.25)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert learner.network.value.item() == pytest.approx(value, rel=1e-6)
    assert learner.network.logits.tolist() == pytest.approx(logits.tolist(), abs=1e-7)


def test_a_win_is_a_win_for_the_winner_only():
    one = training(Plan(**{**vars(PLAN), "games": 1, "window": 100}))
    one.round()
    planes, _, results = one._window
    first = planes[:, 2].flatten(1).mean(1) == 1  # the first player is to move
    assert results[0] == -results[1]
    assert all(value == results[0] for value in results[first])
    assert all(value == results[1] for value in results[~first])


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    whole, half, rest = training(), training(), training()
    losses = [whole.round(), whole.round()]
    half.round()
    half.save(tmp_path / "half.pt")
    rest.load(tmp_path / "half.pt")
    assert rest.round() == losses[1]
    assert replace(rest.totals, seconds=0) == replace(whole.totals, seconds=0)
    for trainer, other in zip(whole.network.parameters(), rest.network.parameters(), strict=True):
        assert torch.equal(trainer, other)


def test_a_checkpoint_of_something_else(tmp_path):
    file = tmp_path / "some.pt"
    file.write_bytes(b"hello")
    with pytest.raises(BadCheckpoint, match="is no checkpoint"):
        training().load(file)
    training().save(file)
    with pytest.raises(BadCheckpoint, match="games 2, not 3"):
        training(Plan(**{**vars(PLAN), "games": 3})).load(file)


def test_a_search_beats_a_random_player_at_tic_tac_toe():
    game = find_game("tic_tac_toe")
    settings = Settings(simulations=200, noise=0, temperature=0, values="signed")
    net = tower(game, 1, 4, seed=0)
    score = against_rollouts(game, net, settings, 0, 20, 0, (0,)).score
    assert score.won + score.drawn + score.lost == 20
    assert score.lost == 0
    assert score.won >= 14


def test_samples_of_tic_tac_toe_come_turned():
    game, rng = find_game("tic_tac_toe"), np.random.default_rng(0)
    board = torch.arange(9.0)
    planes, policies = turned(
        game, board.expand(200, 9).view(200, 1, 3, 3), board.expand(200, 9), rng
    )
    assert torch.equal(planes.flatten(1), policies)  # a move turns with its point
    boards = {tuple(row) for row in policies.int().tolist()}
    assert len(boards) == 8
    lines = {(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)}
    for own in boards:  # three in a row stay three in a row
        assert {tuple(sorted(own[point] for point in line)) for line in lines} == lines


def test_samples_of_other_games_stay_as_they_are():
    planes, policies = torch.zeros(1, 3, 6, 7), torch.zeros(1, 7)
    kept = turned(find_game("connect_four"), planes, policies, np.random.default_rng(0))
    assert kept[0] is planes
    assert kept[1] is policies
