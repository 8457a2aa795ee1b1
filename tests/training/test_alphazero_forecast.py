"""What is expected of a training: earlier runs of its plan, or games of the untrained network."""

from types import SimpleNamespace

import pytest
from flopledger.play.games import find_game
from flopledger.play.networks import tower
from flopledger.training import alphazero_forecast
from flopledger.training.alphazero import Plan, Totals

PLAN = Plan(game="tic_tac_toe", blocks=1, filters=4, simulations=8, rounds=5, games=12, seed=3)


def rows(*runs, **changed):
    """Rows of the table: a seed, plies and evaluations each."""
    plan = {**vars(PLAN), **changed}
    return [
        SimpleNamespace(
            **(plan | {"seed": seed, "plies_per_game": plies, "evaluations_per_simulation": each})
        )
        for seed, plies, each in runs
    ]


def expected(monkeypatch, table):
    monkeypatch.setattr(alphazero_forecast, "_rows", lambda: table)
    game = find_game("tic_tac_toe")
    return alphazero_forecast.before(PLAN, game, tower(game, 1, 4, seed=3))


def test_earlier_runs_of_the_plan(monkeypatch):
    table = rows((1, 7, 0.5), (2, 8, 0.6), (3, 99, 0.99))  # 3 is this run's own seed
    table += rows((4, 99, 0.99), filters=5)
    facts = expected(monkeypatch, table)
    plies = facts["plies_per_game"]
    assert plies.value == 7.5
    # a further one of two: mean + t(0.95, 1) s sqrt(1 + 1/2); t = tan(0.45 pi) = 6.3138, s = 0.7071
    reach = 6.313752 * 0.5**0.5 * 1.5**0.5
    assert plies.high == pytest.approx(7.5 + reach)
    assert plies.low == pytest.approx(7.5 - reach)
    assert (plies.kind, "seeds 1, 2" in plies.source) == ("measured", True)
    assert facts["evaluations_per_simulation"].value == pytest.approx(0.55)
    names = ("games", "steps", "batch_size", "root_evaluations")
    counts = {key: facts[key].value for key in names}
    assert counts == {"games": 5 * 12, "steps": 5 * 40, "batch_size": 128, "root_evaluations": 1}


def test_one_earlier_run_is_none(monkeypatch):
    facts = expected(monkeypatch, rows((1, 7, 0.5)))
    plies = facts["plies_per_game"]
    assert 5 <= plies.value <= 9  # a game of noughts and crosses
    assert plies.kind == "assumed"
    assert "8 games of the untrained network" in plies.source
    assert 0 < facts["evaluations_per_simulation"].value < 1


def test_what_was_metered():
    totals = Totals(
        rounds=2, games=4, moves=30, simulations=240, evaluations=150, roots=30, steps=6, samples=24
    )
    facts = {key: fact.value for key, fact in alphazero_forecast.after(totals).items()}
    assert facts == {
        "games": 4, "plies_per_game": 7.5, "simulations_per_move": 8,
        "evaluations_per_simulation": 0.5, "root_evaluations": 1, "steps": 6, "batch_size": 4,
    }  # fmt: skip
