"""Tuning: what a sampler is told, which candidate is chosen, and that a stop changes nothing."""

import math
import sqlite3
from dataclasses import asdict, replace

import numpy as np
import optuna
import pytest
from flopledger.play.games import find_game
from flopledger.play.match import Stopped
from flopledger.play.networks import tower
from flopledger.play.score import Match, Score, Spent
from flopledger.play.search import Settings
from flopledger.tuning import tuner
from flopledger.tuning.outcome import TUNED, Outcome, Task, Tuning, verdict_of
from flopledger.tuning.studies import BadStorage, studies
from flopledger.tuning.tuner import Contest, outcome
from optuna.trial import TrialState

GAME = find_game("tic_tac_toe")
NET = tower(GAME, 1, 4, seed=0)
TASK = Task(
    game=GAME.name, network="alphazero-1x4", weights=tuner.digest(NET), evaluations=4,
    against="match", games=4, opening=4, seed=5,
)  # fmt: skip
CONTEST = Contest(task=TASK, game=GAME, network=NET)
NOTHING = Spent(moves=1, flops=0, most=0)


def won(won, games, flops=1.0):
    side = Spent(moves=games, flops=flops / 2, most=1)
    score = Score(won=won, drawn=0, lost=games - won)
    return Match(score=score, candidate=side, opponent=side)


class Rigged(Contest):
    """Plays nothing: results are taken from a list."""

    def play(self, chosen, games, key, told):
        asked.append((games, key))
        return results.pop(0)


asked, results = [], []


@pytest.fixture
def rigged():
    asked.clear()
    results.clear()
    return Rigged(task=TASK, game=GAME, network=NET)


def test_what_a_sampler_is_told():
    assert tuner.value_of(0) == 0
    assert tuner.value_of(0.5) == pytest.approx(math.pi / 4)
    assert tuner.value_of(1) == pytest.approx(math.pi / 2)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_the_arcsine_spreads_alike_everywhere(p):
    games = 100
    shares = np.random.default_rng(0).binomial(games, p, size=20_000) / games
    spread = np.var([tuner.value_of(share) for share in shares])
    assert spread == pytest.approx(1 / (4 * games), rel=0.05)


def test_the_defaults_at_a_budget():
    budget = {"simulations": 16, "evaluations": 4}
    assert CONTEST.defaults == Settings(noise=0, temperature=0, **budget)
    own = Contest(task=replace(TASK, against="selfplay"), game=GAME, network=NET)
    assert own.defaults == Settings(**budget)
    chosen = {"puct": 2.0, "reuse": True}
    assert CONTEST.settings(chosen) == replace(CONTEST.defaults, **chosen)


def test_what_is_proposed_is_settings_of_the_search():
    for sampler in tuner.SAMPLERS:
        study = optuna.create_study(sampler=tuner.sampler_of(sampler, 0, 0))
        assert tuple(tuner.propose(study.ask())) == TUNED
    assert set(TUNED) <= set(asdict(Settings()))


def test_the_best_is_chosen_by_all_of_its_games_and_judged_by_others(rigged):
    # five trials of 4 games: the first four win 3 or 4 and play 8 more, the fifth wins none
    results[:] = [won(3, 4), won(4, 4), won(0, 4), won(3, 4), won(3, 4)]
    results.extend([won(1, 8), won(7, 8), won(2, 8), won(1, 8)])
    results.append(won(10, 20))
    with studies(None, TASK, resume=False) as by_sampler:
        study = by_sampler["gp"]
        for _ in range(5):
            tuner.one_trial(study, rigged)
        order = [finalist.number for finalist in tuner.finalists(study)]
        assert order == [1, 0, 3, 4]
        for trial in tuner.finalists(study):
            tuner.replay(study, rigged, trial)
        # 4 + 1 of 12, 3 + 7 of 12, 3 + 2 of 12, 3 + 1 of 12
        assert tuner.best(study).number == 0
        result = outcome(study, 20)
        assert (result.seen, result.final) == (Score(won=10, drawn=0, lost=2), None)
        tuner.final(study, rigged, 20)
        tuner.final(study, rigged, 20)  # kept, not played again
        result = outcome(study, 20)
    assert result.final.score == Score(won=10, drawn=0, lost=10)
    assert (result.search_flops, result.replay_flops, result.tuning_flops) == (5, 4, 9)
    assert [games for games, _ in asked] == [4] * 5 + [8] * 4 + [20]
    keys = [key for _, key in asked]
    assert len(set(keys)) == len(keys)  # nobody's games are seeded as another's


@pytest.mark.parametrize(
    ("wins", "words"),
    [
        # by hand: 0.5 +- 1.645 sqrt(0.25 / 102.7) = 0.5 +- 0.081 about the middle
        (59, "beats the defaults"),
        (58, "no better than the defaults, as far as 100 fresh games tell"),
        (42, "no better than the defaults, as far as 100 fresh games tell"),
        (41, "loses to the defaults"),
    ],
)
def test_a_verdict_is_what_the_interval_says(wins, words):
    judged = Outcome(
        sampler="gp", trials=1, chosen={}, seen=None, search_flops=1, replay_flops=1,
        final=won(wins, 100),
    )  # fmt: skip
    assert judged.verdict.startswith(words)
    assert replace(judged, final=None).verdict == "not played to the end"


def test_finals_of_one_setting_are_pooled():
    first = Outcome(
        sampler="gp", trials=1, chosen={"puct": 2.0}, seen=None, search_flops=1, replay_flops=1,
        final=won(54, 100),
    )  # fmt: skip
    same = replace(first, sampler="random", final=won(58, 100))
    tuned = Tuning(
        task=TASK, defaults={}, params=1, budget_flops_per_move=1.0, outcomes=(first, same)
    )
    assert tuned.pooled == Score(won=112, drawn=0, lost=88)
    # 0.56 +- 1.645 sqrt(0.25 / 200): each hundred alone holds 50%, both together do not
    assert [outcome.verdict[:9] for outcome in tuned.outcomes] == ["no better"] * 2
    assert verdict_of(tuned.pooled).startswith("beats the defaults")
    for other in (replace(same, chosen={"puct": 3.0}), replace(same, final=None)):
        assert replace(tuned, outcomes=(first, other)).pooled is None


def told_of(study):
    return [(trial.params, trial.value, trial.user_attrs) for trial in tuner.finished(study)]


def test_a_study_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tuner, "STARTUP", 3)
    trials = 5  # the last two are the Gaussian process's own
    with studies(None, TASK, resume=False) as by_sampler:
        for _ in range(trials):
            tuner.one_trial(by_sampler["gp"], CONTEST)
        whole = told_of(by_sampler["gp"])
    file = tmp_path / "study.db"
    with studies(file, TASK, resume=False) as by_sampler:
        for number in range(trials - 1):
            if number == 2:
                with monkeypatch.context() as patch:
                    patch.setattr(Contest, "play", stopped)
                    with pytest.raises(Stopped):
                        tuner.one_trial(by_sampler["gp"], CONTEST)
            tuner.one_trial(by_sampler["gp"], CONTEST)
        by_sampler["gp"].ask()  # a process that is killed leaves a trial running
    with studies(file, TASK, resume=True) as by_sampler:
        assert not by_sampler["gp"].get_trials(states=(TrialState.RUNNING,))
        tuner.one_trial(by_sampler["gp"], CONTEST)
        assert told_of(by_sampler["gp"]) == whole
        spent = sum(told[2]["flops"] for told in whole)
        assert tuner.searching_flops(by_sampler["gp"]) == spent + 123


def stopped(*_):
    raise Stopped(123)


def test_a_finalists_games_that_were_stopped_are_in_the_sum(rigged, monkeypatch):
    results[:] = [won(3, 4, flops=5.0), won(2, 8, flops=7.0)]
    with studies(None, TASK, resume=False) as by_sampler:
        study = by_sampler["random"]
        tuner.one_trial(study, rigged)
        (trial,) = tuner.finalists(study)
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(Rigged, "play", stopped)
                with pytest.raises(Stopped):
                    tuner.replay(study, rigged, trial)
        tuner.replay(study, rigged, trial)
        with monkeypatch.context() as patch:
            patch.setattr(Rigged, "play", stopped)
            with pytest.raises(Stopped):
                tuner.final(study, rigged, 20)  # no part of the tuning
        result = outcome(study, 20)
    assert (result.search_flops, result.replay_flops) == (5, 7 + 2 * 123)
    assert result.final is None


def test_the_budget_holds_in_every_trial():
    with studies(None, TASK, resume=False) as by_sampler:
        for _ in range(3):
            tuner.one_trial(by_sampler["random"], CONTEST)
        trial = tuner.finished(by_sampler["random"])[0]
        again = tuner.replay(by_sampler["random"], CONTEST, trial)
    assert again.score.games == 8
    for side in (again.candidate, again.opponent):
        assert 0 < side.most <= CONTEST.budget


def test_a_storage_of_something_else(tmp_path):
    file = tmp_path / "study.db"
    with studies(file, TASK, resume=False):
        pass
    with pytest.raises(BadStorage, match="--resume goes on"), studies(file, TASK, resume=False):
        pass
    other = replace(TASK, evaluations=8)
    with (
        pytest.raises(BadStorage, match="made with evaluations 4, not 8"),
        studies(file, other, resume=True),
    ):
        pass
    text = tmp_path / "words.txt"
    text.write_text("hello, these are words" * 50)
    unreadable = pytest.raises(BadStorage, match="cannot be read as a SQLite file")
    with unreadable, studies(text, TASK, resume=True):
        pass
    own = tmp_path / "own.db"
    with sqlite3.connect(own) as mine:
        mine.execute("CREATE TABLE birds (name)")
    mine.close()
    before = own.read_bytes()
    somebody_elses = pytest.raises(BadStorage, match="no storage of flopledger tune")
    with somebody_elses, studies(own, TASK, resume=True):
        pass
    assert own.read_bytes() == before


def test_optunas_own_log_is_as_it_was():
    before = optuna.logging.get_verbosity()
    with studies(None, TASK, resume=False):
        assert optuna.logging.get_verbosity() == optuna.logging.ERROR
    assert optuna.logging.get_verbosity() == before
