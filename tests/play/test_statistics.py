"""Means over games and their intervals, by hand."""

import pytest
from flopledger.play.played_game import Played
from flopledger.play.statistics import evaluations_per_simulation, ratio


def game(**counts):
    zeros = dict.fromkeys(
        "index moves asked made roots cache reuse terminal flops seconds result".split(), 0
    )
    return Played(ended="over", **(zeros | counts))


# Student's 95% points for 1 and 2 degrees of freedom, from any table
T1, T2 = 6.313752, 2.919986


def test_a_ratio_of_sums_has_the_jackknifes_error():
    # 2 of 1, 3 of 2 and 4 of 5: 9 / 8. Without each: 7 / 7, 6 / 6, 5 / 3, whose mean is 11 / 9
    games = [game(made=made, moves=moves) for made, moves in ((2, 1), (3, 2), (4, 5))]
    mean = ratio(games, lambda each: each.made, lambda each: each.moves)
    assert mean.mean == 9 / 8
    spread = 2 * (1 - 11 / 9) ** 2 + (5 / 3 - 11 / 9) ** 2
    error = (2 / 3 * spread) ** 0.5
    assert mean.high == pytest.approx(9 / 8 + T2 * error, rel=1e-6)
    assert mean.low == 0  # 1.125 - 2.92 * 0.444 lies below it


def test_an_interval_that_stays_above_zero():
    games = [game(made=10), game(made=11)]
    mean = ratio(games, lambda each: each.made)
    assert mean.mean == 10.5
    assert mean.low == pytest.approx(10.5 - T1 * 0.5, rel=1e-6)
    assert mean.high == pytest.approx(10.5 + T1 * 0.5, rel=1e-6)


def test_what_has_no_interval_and_what_has_no_mean():
    mean = ratio([game(made=3, moves=2)], lambda each: each.made, lambda each: each.moves)
    assert (mean.mean, mean.low, mean.high) == (1.5, None, None)
    # all moves were made in one game: without it there is nothing to divide by
    games = [game(made=3, moves=2), game(made=1, moves=0)]
    mean = ratio(games, lambda each: each.made, lambda each: each.moves)
    assert (mean.mean, mean.low, mean.high) == (2, None, None)
    assert ratio(games[1:], lambda each: each.made, lambda each: each.moves) is None
    assert ratio([], lambda each: each.made) is None


def test_no_simulation_asks_twice():
    # of 20 and 20 simulations, 20 and 16 leaves: a mean of 0.9, and 1 is the most
    games = [
        game(moves=2, asked=22, made=22, roots=2),
        game(moves=2, asked=22, made=18, roots=2),
    ]
    mean = evaluations_per_simulation(games)
    assert mean.mean == 0.9
    assert mean.high == 1
    assert mean.low == pytest.approx(0.9 - T1 * 0.1, rel=1e-6)
    # a high end below 1 is left alone
    alike = [game(moves=1, asked=1001, made=501, roots=1)] * 2
    assert evaluations_per_simulation(alike).high == 0.5
    assert evaluations_per_simulation(games[:1]).high is None
    assert evaluations_per_simulation([game(moves=1, asked=1)]) is None
