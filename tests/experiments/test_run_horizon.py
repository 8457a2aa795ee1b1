"""Settings are chosen by the first seeds, arms measured by others; what is censored is kept."""

import json
from dataclasses import replace

import coin_task
import flopledger
import pytest
from flopledger.experiments.estimates import estimates_of
from flopledger.experiments.run_trials import chosen
from flopledger.experiments.trials import Arm, Row


def tried(arm, settings, seed, samples, reached=True, score=0.5):
    return Row(
        task="coin", arm=arm, horizon=1, settings=settings, seed=seed, purpose="choosing",
        target=0.5, budget=1000, reached=reached, samples=samples, flops_learning=float(samples),
        flops_making=0.0, score=score, seconds=1.0,
    )  # fmt: skip


def test_settings_that_reach_it_most_often_are_chosen_and_of_these_the_cheapest():
    arm = Arm(name="x", horizon=1, grid=({"rate": 1.0}, {"rate": 2.0}, {"rate": 3.0}))
    lucky = [tried("x", "rate 1", seed, 100) for seed in (0, 1)]
    lucky += [tried("x", "rate 1", 2, 500, reached=False)]
    steady = [tried("x", "rate 2", seed, 800) for seed in range(3)]
    # of logarithms the mean is that of 700; their plain mean is above 800
    spread = [tried("x", "rate 3", seed, n) for seed, n in enumerate((350, 700, 1400))]
    assert chosen(arm, [*lucky, *steady], range(3)) == {"rate": 2.0}
    assert chosen(arm, [*lucky, *steady, *spread], range(3)) == {"rate": 3.0}
    assert chosen(arm, [], range(3)) is None


def test_where_none_reached_it_the_best_score_is_chosen():
    arm = Arm(name="x", horizon=1, grid=({"rate": 1.0}, {"rate": 2.0}))
    rows = [tried("x", "rate 1", s, 1000, reached=False, score=0.2) for s in range(3)]
    rows += [tried("x", "rate 2", s, 1000, reached=False, score=0.4) for s in range(3)]
    assert chosen(arm, rows, range(3)) == {"rate": 2.0}


def test_every_arm_has_its_means_and_the_line_is_found():
    result = flopledger.horizon("coin", seeds=3, jobs=1)
    for estimate in result.estimates:
        wanted = 1000 + 100 * (estimate.horizon or 0)
        assert estimate.settings == "rate 1"
        assert (estimate.trials, estimate.reached) == (3, 3)
        # the seeds' geometric mean: the cube root of 0.9 x 1.0 x 1.1
        assert estimate.samples == pytest.approx(wanted * 0.99 ** (1 / 3), rel=1e-3)
        assert estimate.flops_learning == pytest.approx(estimate.samples)
        assert estimate.flops_making == pytest.approx(2 * estimate.samples)
    assert {row.seed for row in result.rows if row.purpose == "choosing"} == {0, 1, 2}
    assert {row.seed for row in result.rows if row.purpose == "measuring"} == {3, 4, 5}
    assert result.growth.better is result.growth.line
    assert json.loads(result.to_json())["growth"]["horizons"] == [1, 4, 16, 64, 256]
    assert "h = 256" in repr(result)
    assert "h = 256" in result._repr_html_()


def test_an_accuracy_that_is_never_reached_is_said_and_its_trials_are_kept():
    result = flopledger.horizon("coin", arms=["h = 1", "h = 256"], seeds=2, samples=5000, jobs=1)
    near, far = result.estimates
    assert near.reached == 2
    assert (far.reached, far.samples, far.low, far.flops_learning) == (0, None, None, None)
    assert all(row.samples == 5000 for row in result.rows if row.arm == "h = 256")
    assert "no trial reached 0.5: h = 256" in repr(result)


def test_another_process_gives_what_this_one_gives():
    words = {"arms": ["supervised"], "seeds": 1}
    alone, shared = (flopledger.horizon("coin", **words, jobs=jobs) for jobs in (1, 2))
    assert alone.rows == shared.rows
    assert len(alone.rows) == 1


def test_a_stop_keeps_what_was_done_and_going_on_gives_the_whole(tmp_path, monkeypatch):
    file, whole = tmp_path / "coin.jsonl", flopledger.horizon("coin", seeds=2, jobs=1)
    came, learn = [], coin_task.learn

    def interrupted(trial):
        came.append(trial)
        if len(came) == 10:
            raise KeyboardInterrupt
        return learn(trial)

    monkeypatch.setattr(coin_task, "learn", interrupted)
    with pytest.raises(flopledger.Interrupted, match="interrupted with 9 of 42 trials") as stop:
        flopledger.horizon("coin", seeds=2, jobs=1, output=file)
    assert len(stop.value.result.rows) == 9
    monkeypatch.setattr(coin_task, "learn", learn)
    told = []
    resumed = flopledger.horizon(
        "coin", seeds=2, jobs=1, output=file, resume=True, progress=told.append
    )
    assert resumed.rows == whole.rows
    assert (told[0].done, told[-1].done, told[-1].total) == (10, 42, 42)
    # 41 - 10 + 1 trials of a second each
    assert told[0].message.endswith("; about 32 s left")


def test_a_trial_that_fails_costs_itself_alone(monkeypatch):
    learn = coin_task.learn

    def failing(trial):
        if (trial.arm, trial.seed, trial.purpose) == ("h = 4", 4, "measuring"):
            raise ValueError("of all seeds, this one")
        return learn(trial)

    monkeypatch.setattr(coin_task, "learn", failing)
    result = flopledger.horizon("coin", seeds=3, jobs=1)
    (failure,) = result.failures
    assert failure.why == "ValueError: of all seeds, this one"
    assert [e.trials for e in result.estimates if e.arm == "h = 4"] == [2]


def test_an_interval_holds_the_choice_of_settings():
    # by two of the choosing seeds "rate 1" is cheaper, by the third "rate 2" by far
    rows = [tried("x", "rate 1", seed, n) for seed, n in enumerate((100, 100, 900))]
    rows += [tried("x", "rate 2", seed, n) for seed, n in enumerate((300, 300, 10))]
    rows += [replace(tried("x", "rate 2", s, 200), purpose="measuring") for s in (3, 4, 5)]
    (estimate,) = estimates_of(rows)
    assert estimate.samples == pytest.approx(200)  # each of the trials that measured took so many
    assert estimate.high > 200  # where "rate 1" is chosen, a trial of it took 900


def test_an_interval_of_settings_that_always_win_is_of_the_trials_alone():
    rows = [tried("x", "rate 1", seed, 900) for seed in range(3)]
    rows += [tried("x", "rate 2", seed, 100) for seed in range(3)]
    rows += [replace(tried("x", "rate 2", s, 200), purpose="measuring") for s in (3, 4, 5)]
    (estimate,) = estimates_of(rows)
    assert estimate.low == estimate.high == pytest.approx(200)
