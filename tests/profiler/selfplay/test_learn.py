"""Training: what a sample is, what a round costs, and that a stop changes nothing."""

import json

import pytest
import torch

from profiler.measure import profile
from profiler.selfplay.games import find_game
from profiler.selfplay.learn import BadCheckpoint, Plan, Training
from profiler.selfplay.match import against_random
from profiler.selfplay.networks import tower

PLAN = Plan(
    game="tic_tac_toe", network="alphazero-1x4", simulations=8, games=3, steps=2, batch=4, window=9
)
QUICK = (
    "train alphazero --game tic_tac_toe --blocks 1 --filters 4 --simulations 8 --games 2".split()
)
QUICK += "--steps 2 --batch 4 --opponent 4".split()


def training(plan=PLAN):
    game = find_game("tic_tac_toe")
    return Training(plan, game, tower(game, 1, 4, seed=0))


def test_a_round_is_metered():
    one = training()
    one.round()
    totals = one.totals
    assert (totals.rounds, totals.games, totals.steps, totals.samples) == (1, 3, 2, 8)
    counted = profile(one.network, torch.zeros(1, 3, 3, 3), backward=True)
    flops = counted.total("flops")
    assert totals.selfplay_flops == totals.evaluations * flops
    assert totals.forward_flops == 8 * flops
    assert totals.backward_flops == 8 * 2 * counted.backward["macs"]
    assert not one.network.training


def test_the_window_keeps_the_newest():
    one = training()
    one.round()
    planes, policies, results = one._window
    assert len(planes) == len(policies) == len(results) == 9
    assert torch.allclose(policies.flatten(1).sum(1), torch.ones(9))
    assert set(results.tolist()) <= {-1.0, 0.0, 1.0}


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
    assert rest.totals == whole.totals
    for one, other in zip(whole.network.parameters(), rest.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_something_else(tmp_path):
    file = tmp_path / "some.pt"
    file.write_bytes(b"hello")
    with pytest.raises(BadCheckpoint, match="is no checkpoint"):
        training().load(file)
    training().save(file)
    with pytest.raises(BadCheckpoint, match="games 3, not 4"):
        training(Plan(**{**vars(PLAN), "games": 4})).load(file)


def test_a_search_beats_a_random_player_at_tic_tac_toe():
    game = find_game("tic_tac_toe")
    score = against_random(game, tower(game, 1, 4, seed=0), simulations=200, games=20, seed=0)
    assert score.won + score.drawn + score.lost == 20
    assert score.lost == 0
    assert score.won >= 14


def test_the_verb(run, tmp_path):
    file = str(tmp_path / "net.pt")
    code, out, said = run(*QUICK, "--rounds", "1", "--output", file, "--format", "json")
    assert code == 0
    one = json.loads(out)
    assert (one["rounds"], one["games"]) == (1, 2)
    assert sum(one["against_random"]["search"].values()) == 4
    assert [line.partition(", loss")[0] for line in said] == ["flopledger: round 1 of 1: 2 games"]
    code, out, _ = run(*QUICK, "--rounds", "2", "--output", file, "--resume")
    assert code == 0
    assert "against random, by its policy: " in out
    code, _, said = run(*QUICK, "--rounds", "2", "--output", file)
    assert code == 2
    assert said[0].endswith("is there; --resume goes on, or name another file")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--rate 0", "--rate 0 is no learning rate"),
        ("--resume", "name it with --output"),
        ("--game goo", "did you mean go?"),
    ],
)
def test_bad_input_is_one_line(run, words, complaint):
    code, out, said = run(*QUICK, *words.split())
    assert (code, out) == (2, "")
    assert len(said) == 1
    assert complaint in said[0]
