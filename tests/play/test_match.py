"""Matches: sides, openings, what each side spent, intervals, and opponents without a network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from flopledger.counting.profiling import profile
from flopledger.play.games import find_game
from flopledger.play.match import NoOpening, Stopped, against_rollouts, between, opened
from flopledger.play.networks import tower
from flopledger.play.players import ALONE
from flopledger.play.score import Score
from flopledger.play.search import Search, Settings
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

GAME = find_game("tic_tac_toe")
NET = tower(GAME, 1, 4, seed=0)
QUIET = Settings(simulations=40, noise=0, temperature=0)


def limited(evaluations):
    return Settings(simulations=4 * evaluations, evaluations=evaluations, noise=0, temperature=0)


@given(st.integers(1, 400), st.data())
def test_the_interval_is_wilsons(games, data):
    won = data.draw(st.integers(0, games))
    score = Score(won=won, drawn=0, lost=games - won)
    theirs = binomtest(won, games).proportion_ci(confidence_level=0.9, method="wilson")
    assert score.interval == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_a_draw_is_a_half():
    score = Score(won=3, drawn=4, lost=3)
    assert (score.games, score.win_rate) == (10, 0.5)
    assert score.interval == Score(won=5, drawn=0, lost=5).interval


def test_the_one_with_more_evaluations_wins_from_either_side():
    for candidate, opponent, better in ((100, 2, True), (2, 100, False)):
        played = between(GAME, NET, limited(candidate), limited(opponent), 16, 2, (0,))
        assert played.score.games == 16
        assert (played.score.win_rate > 0.7) == better
        assert (played.score.win_rate < 0.3) != better


def test_each_side_is_metered_and_keeps_to_its_budget():
    calls = []
    handle = NET.register_forward_hook(lambda module, args, out: calls.append(len(args[0])))
    played = between(GAME, NET, limited(12), limited(5), 6, 2, (1,))
    handle.remove()
    each = profile(NET, torch.zeros(1, 3, 3, 3)).total("flops")
    assert played.flops == sum(calls) * each  # passes that the meter had no part in counting
    assert 0 < played.opponent.flops < played.candidate.flops
    assert played.candidate.most == 12 * each
    assert played.opponent.most == 5 * each
    assert played.opponent.flops <= played.opponent.moves * 5 * each


def test_each_opening_is_played_from_both_sides(monkeypatch):
    begun = []
    run = Search.run

    def watched(self):
        state = self._root.state
        if len(state.history()) == 3:
            begun.append((tuple(state.history()), self._settings.simulations))
        return run(self)

    monkeypatch.setattr(Search, "run", watched)
    other = replace(QUIET, simulations=41)
    between(GAME, NET, QUIET, other, 8, 3, (2,), at_once=1)
    assert [simulations for _, simulations in begun] == [40, 41] * 4
    openings = [opening for opening, _ in begun]
    assert openings[::2] == openings[1::2]
    assert len(set(openings)) == 4


def test_two_alike_that_draw_nothing_win_as_often_as_they_lose():
    played = between(GAME, NET, QUIET, QUIET, 12, 3, (0,))
    assert played.score.won == played.score.lost


def test_a_fixed_opponent_asks_for_no_network():
    played = against_rollouts(GAME, NET, limited(20), 30, 8, 2, (0,))
    assert played.score.games == 8
    assert played.candidate.flops > 0
    assert (played.opponent.flops, played.opponent.most) == (0, 0)
    assert played.opponent.moves > 0
    again = against_rollouts(GAME, NET, limited(20), 30, 8, 2, (0,))
    assert again == played


def test_more_rollouts_play_better():
    scores = [
        against_rollouts(GAME, NET, ALONE, rollouts, 40, 0, (1,)).score for rollouts in (0, 200)
    ]
    assert scores[0].win_rate > scores[1].win_rate + 0.2
    assert scores[1].win_rate < 0.2  # an untrained policy without search


def test_a_match_is_made_by_its_seed():
    settings = Settings(simulations=12)
    first, again, other = (between(GAME, NET, settings, QUIET, 6, 2, (s,)) for s in (3, 3, 4))
    assert first == again
    assert first != other


def test_an_opening_leaves_the_game_to_be_played():
    rng = np.random.default_rng(0)
    for _ in range(50):
        state = opened(GAME, 7, rng)
        assert len(state.history()) == 7
        assert not state.is_terminal()
    with pytest.raises(NoOpening, match="give a smaller --opening"):
        opened(GAME, 9, rng)


def test_a_match_that_was_stopped_says_what_went_into_it(monkeypatch):
    calls = []
    handle = NET.register_forward_hook(lambda module, args, out: calls.append(len(args[0])))
    run, runs = Search.run, []

    def interrupted(self):
        runs.append(1)
        if len(runs) == 7:
            raise KeyboardInterrupt
        return run(self)

    monkeypatch.setattr(Search, "run", interrupted)
    with pytest.raises(Stopped) as stopped:
        between(GAME, NET, QUIET, QUIET, 50, 2, (0,))
    handle.remove()
    each = profile(NET, torch.zeros(1, 3, 3, 3)).total("flops")
    assert stopped.value.flops == sum(calls) * each
    assert isinstance(stopped.value.__cause__, KeyboardInterrupt)
    runs[:] = [1] * 6
    with pytest.raises(Stopped) as at_once:
        between(GAME, NET, QUIET, QUIET, 50, 2, (0,))
    assert at_once.value.flops == 0
