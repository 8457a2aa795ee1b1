"""Censored observations: the likeliest mean is an independent implementation's."""

import numpy as np
import pytest
from flopledger.experiments.censored import mean_of
from scipy import stats


def test_a_mean_without_censored_ones_is_the_mean():
    assert mean_of(np.array([1.0, 2.0, 4.5]), np.array([True] * 3)) == 2.5


def test_a_censored_mean_is_what_scipy_fits():
    seen = np.array([1.0, 1.4, 1.9, 2.2, 2.2, 2.2])
    reached = np.array([True, True, True, True, False, False])
    data = stats.CensoredData(uncensored=seen[reached], right=seen[~reached])
    expected, _ = stats.norm.fit(data)
    assert mean_of(seen, reached) == pytest.approx(expected, abs=1e-3)
    assert expected > seen.mean()  # leaving them out, or taking them as they are, is too low


def test_nothing_reached_has_no_mean():
    assert mean_of(np.array([2.0, 2.0]), np.array([False, False])) is None
