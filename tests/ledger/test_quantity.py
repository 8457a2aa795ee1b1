"""Quantities: their intervals are percentiles, on a log scale."""

from dataclasses import replace

import numpy as np
import pytest
from flopledger.ledger.quantity import Quantity, product_range, weakest
from hypothesis import given
from hypothesis import strategies as st


def quantity(value, low=None, high=None):
    return Quantity(value=value, low=low, high=high, unit="games", kind="cited", source="a paper")


positive = st.floats(1e-6, 1e24)


@given(positive, st.floats(1, 100), st.floats(1, 100))
def test_low_and_high_are_the_5th_and_95th_percentile(value, down, up):
    low, high = value / down, value * up
    uncertain = quantity(value, low, high)
    # the standard normal's 5th, 50th and 95th percentile
    drawn = uncertain.draws(np.array([-1.6448536269514722, 0.0, 1.6448536269514722]))
    assert drawn == pytest.approx([low, value, high])


def test_a_number_without_an_interval_is_constant():
    assert quantity(44e6).draws(np.array([-2.0, 3.0])).tolist() == [44e6, 44e6]


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        ((0.0,), "value is 0; give a number above 0"),
        ((-3.0,), "value is -3"),
        ((float("nan"),), "value is nan"),
        ((float("inf"),), "value is inf"),
        ((5.0, 6.0, 4.0), "low 6 exceeds high 4"),
        ((5.0, 6.0, 7.0), "does not contain the value 5"),
        ((5.0, 4.0), "an interval has two ends"),
        ((5.0, 0.0, 7.0), "low is 0"),
    ],
)
def test_what_is_no_quantity(numbers, complaint):
    with pytest.raises(ValueError, match=complaint):
        quantity(*numbers)


def test_a_chain_is_as_sure_as_its_weakest_link():
    assert weakest("measured", "cited") == "cited"
    assert weakest("assumed", "derived", "measured") == "assumed"


def test_a_unit_is_changed_with_the_interval():
    days = quantity(14, 7, 21).scaled(1 / 7, "weeks")
    assert (days.low, days.value, days.high, days.unit) == (1, 2, 3, "weeks")
    assert quantity(2).scaled(7, "days").low is None
    either = replace(quantity(14), alternatives=((14, 0.75), (28, 0.25)))
    assert either.scaled(1 / 7, "weeks").alternatives == ((2, 0.75), (4, 0.25))


def test_a_product_is_as_wide_as_its_facts_allow():
    assert product_range([quantity(6, 3, 12), quantity(5)]) == (3 * 5, 6 * 5, 12 * 5)
