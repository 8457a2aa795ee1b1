"""Digits by label and by reward: the meter's FLOP by hand, and what shares a reward."""

import pytest
import torch
from flopledger.experiments.digits_by_reward import _ByReward, experiment, learn
from flopledger.experiments.trials import Trial

FORWARD = 64 * 64 + 64 * 10  # MACs of an image
BACKWARD = FORWARD + 64 * 10  # the images themselves want no gradient


def trial(horizon, budget, target=1.0):
    return Trial(
        task="digits", arm="", horizon=horizon, settings={"rate": 0.01, "bonus": 0.1}, seed=0,
        purpose="measuring", target=target, budget=budget,
    )  # fmt: skip


@pytest.mark.parametrize("horizon", [None, 1, 128])
def test_flops_of_learning_and_of_making_by_hand(horizon):
    row = learn(trial(horizon, budget=1000))
    assert row.samples == 1024  # whole steps of 128
    assert not row.reached
    assert row.flops_learning == 1024 * 2 * (FORWARD + BACKWARD)
    assert row.flops_making == (0 if horizon is None else 1024 * 2 * FORWARD)


def test_labels_teach():
    row = learn(trial(None, budget=50_000, target=0.8))
    assert row.reached
    assert row.score >= 0.8
    again = learn(trial(None, budget=50_000, target=0.8))
    assert (row.samples, row.score) == (again.samples, again.score)


@pytest.mark.parametrize("horizon", [1, 4, 8])
def test_images_of_an_episode_share_its_reward(horizon):
    logits = torch.zeros(8, 10, requires_grad=True)  # each answer has 1 in 10
    labels = torch.arange(8) % 2  # so that some answers are right
    loss_of = _ByReward(horizon, 0.0, torch.Generator().manual_seed(3))
    loss_of(lambda images: logits, torch.zeros(8, 64), labels).backward()
    # of -advantage x log p(answer) / 8: -advantage x 0.9 / 8 at the answer, 0.1 / 8 elsewhere
    answers = logits.grad.abs().argmax(1)
    advantage = -logits.grad.gather(1, answers[:, None]).squeeze(1) * 8 / 0.9
    right = (answers == labels).float()
    expected = [
        float(sum(right[i] - 0.1 for i in range(n - n % horizon, n - n % horizon + horizon)))
        for n in range(8)
    ]
    assert advantage.tolist() == pytest.approx(expected, abs=1e-5)


def test_every_arms_episodes_fill_a_step():
    for arm in experiment().arms:
        assert arm.horizon is None or 128 % arm.horizon == 0
        assert len(arm.grid) > 1
