"""What was measured: every row has its provenance and adds up, and the ledgers hold its figures."""

import csv
from pathlib import Path

import pytest
from flopledger.ledger.build import WATCHED, agreement_of
from flopledger.ledger.run_file import find_run

FOLDER = Path(__file__).parents[2] / "facts" / "measured"


def rows(name):
    """The table's rows."""
    return list(csv.DictReader((FOLDER / name).read_text().splitlines()))


@pytest.mark.parametrize("name", ["selfplay.csv", "training.csv"])
def test_every_row_says_how_it_was_made(name):
    for row in rows(name):
        for key in ("command", "torch", "open_spiel", "date", "seed"):
            assert row[key], (name, key)
        assert row["command"].startswith("flopledger ")
        assert f"--seed {row['seed']}" in row["command"]


def test_the_four_games_with_and_without_reuse_and_cache():
    played = {(row["game"], row["reuse"], row["cache"]) for row in rows("selfplay.csv")}
    for game in ("connect_four", "go-9x9", "go-19x19", "chess"):
        for reuse in ("True", "False"):
            for cache in ("True", "False"):
                assert (game, reuse, cache) in played


def test_the_page_shows_todays_rows_without_a_cache():
    page = (FOLDER.parents[1] / "docs" / "selfplay.md").read_text()
    ways = [(reuse, values) for reuse in ("False", "True") for values in ("unit", "signed")]
    shown = {"Go, 9 x 9": "go-9x9", "Go, 19 x 19": "go-19x19", "connect four": "connect_four"}
    for title, game in {**shown, "chess": "chess", "shogi": "shogi"}.items():
        each = {
            (row["reuse"], row["values"]): f"{float(row['evaluations_per_simulation']):.2f}"
            for row in rows("selfplay.csv")
            if (row["game"], row["search"], row["cache"]) == (game, "exact", "False")
            and (row["network"], row["seed"]) == ("alphazero-1x8", "0")
        }
        assert f"| {title} | {' | '.join(each[way] for way in ways)} |" in page


def test_the_page_has_the_spread_of_networks():
    page = (FOLDER.parents[1] / "docs" / "selfplay.md").read_text().replace("\n", " ")
    each = [
        f"{float(row['evaluations_per_simulation']):.2f}"
        for row in rows("selfplay.csv")
        if (row["game"], row["search"], row["reuse"], row["values"])
        == ("go-9x9", "exact", "True", "unit")
    ]
    *smaller, larger = each
    assert f"{', '.join(smaller[:-1])} and {smaller[-1]}" in page
    assert f"two blocks of 16 filters {larger}" in page


def test_every_simulation_is_accounted_for():
    for row in rows("selfplay.csv"):
        count = {key: int(value) for key, value in row.items() if value.isdigit()}
        saved = sum(count[f"saved_{name}"] for name in ("cache", "reuse", "terminal"))
        assert count["moves"] * (count["simulations"] + 1) == count["evaluations"] + saved
        assert float(row["low"]) <= float(row["evaluations_per_simulation"]) <= float(row["high"])
        if row["reuse"] == row["cache"] == "False":
            leaves = count["evaluations"] - count["moves"]
            each = leaves / (count["moves"] * count["simulations"])
            assert float(row["evaluations_per_simulation"]) == pytest.approx(each, abs=1e-5)


@pytest.mark.parametrize(
    ("run", "game", "words"),
    [
        ("alphazero-chess", "chess", ""),
        ("alphazero-shogi", "shogi", ""),
        ("alphazero-go-preprint", "go-19x19", "--moves"),
        ("alphazero-go-science", "go-19x19", "--moves"),
    ],
)
def test_the_ledgers_evaluations_are_the_measured_ones(run, game, words):
    # AlphaZero's pseudocode: a fresh root for each move, no cache; of Go the whole games
    (row,) = [
        row
        for row in rows("selfplay.csv")
        if (row["game"], row["reuse"], row["cache"]) == (game, "False", "False")
        and row["search"] != "exact"
        and (not words or words not in row["command"])
    ]
    (phase,) = find_run(run).phases
    fact = phase.facts["evaluations_per_simulation"]
    assert fact.kind == "measured"
    assert fact.value == round(float(row["evaluations_per_simulation"]), 3)


@pytest.mark.parametrize("name", WATCHED)
def test_what_was_predicted_is_what_was_metered(name):
    agreement = agreement_of(f"{name}-predicted", f"{name}-metered")
    assert agreement.worst_count <= 0.001
    assert abs(agreement.total.off) <= 0.02


@pytest.mark.parametrize("table", ["horizon.csv", "horizon-repeated.csv"])
def test_every_trial_of_the_horizon_says_how_it_was_made(table):
    for row in rows(table):
        assert row["command"].startswith(f"flopledger horizon {row['task']} --seed ")
        assert row["versions"].startswith("torch ")
        assert row["date"]
        if row["reached"] == "True":
            assert float(row["score"]) >= float(row["target"])
        else:
            assert int(row["samples"]) >= int(row["budget"])


@pytest.mark.parametrize("table", ["horizon.csv", "horizon-repeated.csv"])
def test_the_digits_flop_are_those_of_their_network(table):
    # 64 x 64 and 64 x 10 weights; the images want no gradient, what lies between the layers does
    forward, backward = 64 * 64 + 64 * 10, 64 * 64 + 2 * 64 * 10
    measuring = {}
    for row in rows(table):
        if row["task"] != "digits":
            continue
        samples = int(row["samples"])
        assert float(row["flops_learning"]) == samples * 2 * (forward + backward)
        made = 0 if row["arm"] == "supervised" else samples * 2 * forward
        assert float(row["flops_making"]) == made
        measuring.setdefault((row["arm"], row["purpose"]), set()).add(row["seed"])
    arms = {arm for arm, _ in measuring}
    every = range(8) if table == "horizon.csv" else range(0, 8, 2)
    assert arms == {"supervised", *(f"h = {2**n}" for n in every)}
    for arm in arms:
        assert len(measuring[arm, "measuring"]) >= 8
        assert not measuring[arm, "measuring"] & measuring[arm, "choosing"]
