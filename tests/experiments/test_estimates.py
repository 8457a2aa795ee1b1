"""Intervals cover what they are said to: a repeat's mean, and not only the true one."""

from math import log10, sqrt
from statistics import fmean, stdev

import numpy as np
import pytest
from flopledger.experiments import estimates
from flopledger.experiments.trials import Row


def rows(samples, reached=True):
    return [
        Row(
            task="coin", arm="h = 1", horizon=1, settings="", seed=seed, purpose="measuring",
            target=0.5, budget=10**9, reached=reached, samples=int(count), flops_learning=1.0,
            flops_making=0.0, score=0.5, seconds=1.0,
        )
        for seed, count in enumerate(samples)
    ]  # fmt: skip


def test_nine_of_ten_repeats_lie_inside_and_fewer_inside_the_means_interval(monkeypatch):
    monkeypatch.setattr(estimates, "RESAMPLES", 40)
    draws = np.random.default_rng(1)
    of_a_repeat = of_the_mean = 0
    for _ in range(120):
        first, again = 10 ** draws.normal(5, 0.1, size=(2, 8))
        mean = 10 ** np.log10(again).mean()
        own = rows(first)
        low, high = estimates.repeat_interval(own, "h = 1")
        of_a_repeat += low <= mean <= high
        low, high = estimates._interval(own)
        of_the_mean += low <= mean <= high
    assert 0.84 <= of_a_repeat / 120 <= 0.96
    # of resamples' spread, 1.645 sqrt(7 / 8) / sqrt(2) errors of the difference: about 70%
    assert of_the_mean / 120 < 0.78


def test_a_repeats_interval_is_students(monkeypatch):
    monkeypatch.setattr(estimates, "RESAMPLES", 1000)
    samples = (800, 900, 1000, 1300)
    logs = [log10(count) for count in samples]
    # the difference of two means of 4, each of variance s^2 / 4; t(0.95, 3) = 2.3534
    reach = 2.3534 * stdev(logs) * sqrt(2 / 4)
    low, high = estimates.repeat_interval(rows(samples), "h = 1")
    assert log10(high) - fmean(logs) == pytest.approx(reach, rel=0.05)
    assert fmean(logs) - log10(low) == pytest.approx(reach, rel=0.05)


def test_without_trials_that_reached_the_target_there_is_none():
    assert estimates.repeat_interval(rows((800, 900), reached=False), "h = 1") is None
