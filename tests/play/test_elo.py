"""Elo: by hand, and there and back."""

from math import inf

import pytest
from flopledger.play.elo import elo_of, win_rate_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("win_rate", "elo"),
    [(0.5, 0), (10 / 11, 400), (1 / 11, -400), (100 / 101, 800), (0, -inf), (1, inf)],
)
def test_by_hand(win_rate, elo):
    assert elo_of(win_rate) == pytest.approx(elo)
    assert win_rate_of(elo) == pytest.approx(win_rate)


def test_alphagos_tuning():
    # Chen et al. 2018 (arXiv 1812.06855): 63.2% is 94 Elo, 64.4% is 103; 66.5% comes to 119
    assert [round(elo_of(p)) for p in (0.632, 0.644, 0.665)] == [94, 103, 119]


@given(st.floats(1e-9, 1 - 1e-9))
def test_there_and_back(win_rate):
    assert win_rate_of(elo_of(win_rate)) == pytest.approx(win_rate, rel=1e-9)
    # near 1 the loser's share is what rounding leaves of the winner's
    assert elo_of(1 - win_rate) == pytest.approx(-elo_of(win_rate), abs=1e-4)


@given(st.floats(allow_nan=False))
def test_a_rating_gives_a_share_and_its_opposite(elo):
    assert 0 <= win_rate_of(elo) <= 1
    assert win_rate_of(elo) + win_rate_of(-elo) == pytest.approx(1)


@given(st.floats(0, 1), st.floats(0, 1))
def test_who_wins_more_is_rated_higher(lower, other):
    if lower < other:
        assert elo_of(lower) <= elo_of(other)


@pytest.mark.parametrize("win_rate", [-0.1, 1.1, float("nan"), inf])
def test_no_share(win_rate):
    with pytest.raises(ValueError, match="give a share, 0 to 1"):
        elo_of(win_rate)
