"""Further percentiles than the 5th and the 95th, by Student's t."""

import numpy as np
import pytest
from flopledger.field.ends_of_few import ends_of_few


def test_of_eight_they_are_two_in_a_hundred():
    # t(0.95, 7) = 1.8946 times sqrt(8 / 7) is 2.0254, below which 2.14% of a normal lie
    low, high = ends_of_few(np.arange(10_001), 8)
    assert (low, high) == pytest.approx((214.1, 10_000 - 214.1), abs=1)


def test_of_many_they_are_the_5th_and_the_95th():
    assert ends_of_few(np.arange(101), 10**6) == pytest.approx((5, 95), abs=0.01)


def test_several_groups_have_more_degrees_of_freedom():
    # t(0.95, 56) = 1.6725 times sqrt(8 / 7) is 1.7880: 3.69%
    assert ends_of_few(np.arange(10_001), 8, 56)[0] == pytest.approx(369, abs=1)
