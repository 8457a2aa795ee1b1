"""Games by method: FLOP by hand, what the policy gradient raises, what a stored player says."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from flopledger.counting.profiling import profile
from flopledger.experiments import games_by_method as games
from flopledger.experiments.stored_teacher import TeacherGame, play_teacher, positions_of
from flopledger.experiments.trials import Trial
from flopledger.play.games import find_game
from flopledger.play.networks import tower

HEX = find_game("hex", 3)


def trial(arm, budget=200, target=1.0, **settings):
    return Trial(
        task="hex-3", arm=arm, horizon=None, settings={"rate": 0.003} | settings, seed=0,
        purpose="measuring", target=target, budget=budget,
    )  # fmt: skip


def stored(index):
    opening, actions = play_teacher(HEX, index)
    return TeacherGame(
        game=HEX.name, index=index, rollouts=1000, opening=opening,
        actions=" ".join(map(str, actions)), seconds=0, command="", open_spiel="", date="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arm", "settings"),
    [("search", {"simulations": 2}), ("gradient", {"bonus": 0.01}), ("imitation", {})],
)
def test_flops_of_learning_and_of_making_by_hand(arm, settings, monkeypatch):
    monkeypatch.setattr(games, "teacher_games", lambda name: [stored(0)])
    monkeypatch.setattr(games, "TESTED", 2)
    games._stored.cache_clear()
    row = games.learn(trial(arm, **settings))
    games._stored.cache_clear()
    whole = profile(tower(HEX, 1, 16, 0), torch.zeros(1, 3, 3, 3), backward=True)
    forward, both = whole.total("flops"), whole.total("flops") + 2 * whole.backward.macs
    assert not row.reached
    assert row.samples >= 200
    assert row.flops_learning == row.samples * both
    evaluations = row.flops_making / forward
    assert evaluations == int(evaluations)
    if arm == "imitation":
        assert evaluations == 0
    if arm == "gradient":
        assert evaluations == row.samples  # a pass a move, learned from once
    if arm == "search":
        # 4 samples a position, 3 evaluations a position less those at the games' ends
        assert 0.5 < evaluations / (row.samples / 4) <= 3.5


def test_a_strength_is_reached_at_the_middle_of_three_tests(monkeypatch):
    monkeypatch.setattr(games, "teacher_games", lambda name: [stored(0)])
    games._stored.cache_clear()
    strengths = iter([0.9, 0.1, 0.7, 0.8, 0.75, 1.0])
    monkeypatch.setattr(games, "_strength", lambda *_: next(strengths))
    row = games.learn(trial("imitation", budget=100_000, target=0.75))
    games._stored.cache_clear()
    # 0.57, 0.53, then (0.7 + 0.8 + 0.75) / 3 = 0.75, of which 0.8 is the middle one
    assert (row.reached, len(row.curve), row.score) == (True, 5, pytest.approx(0.75))
    assert row.samples == row.curve[3][0]
    assert row.flops == pytest.approx(row.curve[3][1])


def test_a_strength_that_is_just_reached_is_reached(monkeypatch):
    monkeypatch.setattr(games, "teacher_games", lambda name: [stored(0)])
    games._stored.cache_clear()
    strengths = iter([40 / 60, 49 / 60, 55 / 60])  # 144 of 180, as floats below 0.8
    monkeypatch.setattr(games, "_strength", lambda *_: next(strengths))
    assert games.learn(trial("imitation", budget=100_000, target=0.8)).reached
    games._stored.cache_clear()


def test_each_game_has_its_opponent_and_its_first_test(monkeypatch):
    plan = games.GAME_TASKS["hex-3"]
    monkeypatch.setitem(games.GAME_TASKS, "hex-3", replace(plan, rollouts=3, first=150))
    met = []

    def against(game, network, settings, rollouts, *_, **words):
        met.append(rollouts)
        return SimpleNamespace(score=SimpleNamespace(win_rate=0.5))

    monkeypatch.setattr(games, "against_rollouts", against)
    monkeypatch.setattr(games, "teacher_games", lambda name: [stored(0)])
    games._stored.cache_clear()
    row = games.learn(trial("imitation", budget=256))
    games._stored.cache_clear()
    # steps of 64: the first test after 192, the second, beyond 1.15 times as many, at the end
    assert [int(samples) for samples, *_ in row.curve] == [192, 256]
    assert met == [3, 3]


def test_every_arm_of_every_game_has_settings_to_choose_from():
    for task, plan in games.GAME_TASKS.items():
        offered = games.experiment(task)
        assert (offered.target, offered.budget) == (plan.target, plan.budget)
        assert [len(arm.grid) > 1 for arm in offered.arms] == [True] * 3


def test_the_policy_gradient_by_hand():
    # two moves of three legal outputs of four; the first was won, the second lost
    logits = torch.zeros(2, 4, requires_grad=True)
    values = torch.tensor([0.5, -0.5], requires_grad=True)
    legal = torch.tensor([[True, True, True, False]] * 2)
    chosen, results = torch.tensor([0, 2]), torch.tensor([1.0, -1.0])
    games._reinforced(legal, chosen, results, 0.0, logits, values).backward()
    # -(z - v) (1 at the move drawn - p) / 2 moves, p = 1/3; an illegal output has no gradient
    third = 1 / 3
    by_hand = [
        [-0.25 * (1 - third), 0.25 * third, 0.25 * third, 0],
        [-0.25 * third, -0.25 * third, 0.25 * (1 - third), 0],
    ]
    assert np.allclose(logits.grad, by_hand, atol=1e-6)
    # of the squared error of values, nothing else: 2 (v - z) / 2
    assert np.allclose(values.grad, [-0.5, 0.5])


def test_an_even_policy_has_no_gradient_of_its_entropy():
    logits = torch.zeros(1, 4, requires_grad=True)
    values, legal = torch.zeros(1), torch.tensor([[True, True, False, True]])
    loss = games._reinforced(legal, torch.tensor([0]), torch.zeros(1), 1.0, logits, values)
    assert loss.item() == pytest.approx(-np.log(3))
    loss.backward()
    assert np.allclose(logits.grad, 0, atol=1e-7)


def test_a_stored_players_positions():
    row = stored(3)
    actions = [int(word) for word in row.actions.split()]
    rows = list(positions_of(HEX, row))
    assert len(rows) == len(actions) - row.opening
    assert [action for _, action, _ in rows] == actions[row.opening :]
    results = [result for _, _, result in rows]
    assert results[-1] == 1  # whoever moves last in Hex has won
    assert all(a == -b for a, b in pairwise(results))
    state = HEX.start()
    for action in actions[: row.opening]:
        state.apply_action(action)
    assert rows[0][0] == HEX.replayed(state)
