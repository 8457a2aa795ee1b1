"""Intervals of 90% cover what they are said to: a true mean, a difference, a repeat's mean."""

import numpy as np
import pytest
from flopledger.experiments import estimates
from flopledger.experiments.trials import Row


def rows(samples, reached=True, arm="h = 1"):
    return [
        Row(
            task="coin", arm=arm, horizon=1, settings="", seed=seed, purpose="measuring",
            target=0.5, budget=10**9, reached=reached, samples=int(count), flops_learning=1.0,
            flops_making=0.0, score=0.5, seconds=1.0,
        )
        for seed, count in enumerate(samples)
    ]  # fmt: skip


def test_of_eight_trials_nine_of_ten_intervals_hold_what_they_are_of(monkeypatch):
    monkeypatch.setattr(estimates, "RESAMPLES", 100)
    draws, times = np.random.default_rng(1), 120
    held = np.zeros(3)
    for _ in range(times):
        first, again, other = (10 ** draws.normal(5, sd, size=8) for sd in (0.1, 0.1, 0.3))
        own = rows(first)
        (estimate,) = estimates.estimates_of(own)
        low, high = estimates.repeat_interval(own, "h = 1")
        both = [*own, *rows(other, arm="h = 2")]
        _, least, most = estimates.orders_between(both, "h = 1", "h = 2", "samples")
        held += [
            estimate.low <= 10**5 <= estimate.high,
            low <= 10 ** np.log10(again).mean() <= high,
            least <= 0 <= most,
        ]
    # percentiles of the same resamples hold the first and the third in some 83 of 100
    assert held / times == pytest.approx([0.9] * 3, abs=0.05)


def test_a_repeat_varies_as_much_again():
    samples = (800, 900, 1000, 1300)
    own = rows(samples)
    (estimate,) = estimates.estimates_of(own)
    low, high = np.log10(estimates.repeat_interval(own, "h = 1"))
    mean = np.log10(samples).mean()
    assert high - mean == pytest.approx(np.sqrt(2) * (np.log10(estimate.high) - mean))
    assert mean - low == pytest.approx(np.sqrt(2) * (mean - np.log10(estimate.low)))


def test_one_trial_has_no_interval():
    (estimate,) = estimates.estimates_of(rows([900]))
    assert (estimate.samples, estimate.low, estimate.high) == (pytest.approx(900), None, None)


def test_without_trials_that_reached_the_target_there_is_none():
    assert estimates.repeat_interval(rows((800, 900), reached=False), "h = 1") is None
