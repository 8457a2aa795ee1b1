"""flopledger compare and claims, with the real zoo and facts."""

import csv
import io
import json
from math import log10, prod

import pytest
from flopledger.statements.claim import read_claims

RUN = """
title = "Mine"
published_on = 2020-01-01
model = "alexnet"
method = "supervised"
images = {value = 1.2e6, source = "mine"}
epochs = {value = 900, source = "mine"}
"""


def test_compare_in_json_has_exactly_the_documented_keys_and_adds_up(run):
    code, out, err = run("compare", "alexnet", "alphazero-chess", "--format", "json")
    one = json.loads(out)
    assert (code, err) == (0, [])
    assert list(one) == [
        "a", "b", "quantity", "a_total", "b_total", "ratio", "orders", "interval", "factors",
        "published", "dominant_uncertainty",
    ]  # fmt: skip
    assert list(one["factors"][0]) == [
        "factor", "a", "b", "ratio", "orders", "low", "high", "kind", "source_a", "source_b",
    ]  # fmt: skip
    assert list(one["published"][0]) == ["source", "a_total", "b_total", "orders"]
    assert sum(f["orders"] for f in one["factors"]) == pytest.approx(one["orders"], abs=1e-12)
    assert prod(f["a"] for f in one["factors"]) == pytest.approx(one["a_total"])
    assert one["orders"] == pytest.approx(log10(one["b_total"] / one["a_total"]))
    assert one["interval"][0] < one["orders"] < one["interval"][1]
    # the published pair: 3.67e22 FLOP of AlphaZero, 0.0058 pfs-days of AlexNet
    by_hand = log10(3.67e22 / 23_333_708 / (0.0058 * 8.64e19 / 60_965_224))
    assert one["published"][0]["orders"] == pytest.approx(by_hand)


def test_compare_in_csv_markdown_and_table(run):
    _, out, _ = run("compare", "alexnet", "alphago-fan", "--format", "csv")
    assert len(list(csv.DictReader(io.StringIO(out)))) == 4
    for form in ("table", "markdown"):
        code, out, _ = run("compare", "alexnet", "alphago-fan", "--format", form)
        assert code == 0
        for word in ("passes per position", "+1.16", "orders of magnitude", "least certain fact"):
            assert word in out


def test_a_run_beside_itself(run):
    code, out, _ = run("compare", "alphago-fan", "alphago-fan", "--format", "json")
    one = json.loads(out)
    assert code == 0
    assert [f["orders"] for f in one["factors"]] == [0, 0, 0, 0]
    assert (one["orders"], one["interval"], one["dominant_uncertainty"]) == (0, [0, 0], None)
    assert run("compare", "alphago-fan", "alphago-fan")[0] == 0


def test_a_file_of_ones_own(run, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(RUN)
    one = json.loads(run("compare", "alexnet", str(path), "--format", "json")[1])
    assert one["b"] == "mine"
    assert one["orders"] == pytest.approx(1)  # ten times the epochs


def test_the_seed_decides_the_draws(run):
    words = ("compare", "alexnet", "alphazero-chess", "--format", "json", "--samples", "100")
    assert run(*words, "--seed", "1") == run(*words, "--seed", "1")
    assert run(*words, "--seed", "1") != run(*words, "--seed", "2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["alexnet", "alexnett"], "no run is called 'alexnett'; did you mean alexnet"),
        (["alexnet", "no/such.toml"], "no/such.toml: it cannot be read: No such file"),
        (["alexnet", "resnet50", "--samples", "0"], "--samples"),
        (["alexnet", "resnet50", "--seed", "-1"], "--seed"),
        (["alexnet", "resnet50", "--format", "xml"], "'xml' is not one of"),
        (["alexnet"], "Missing argument"),
    ],
)
def test_a_wrong_comparison_gives_one_clear_line_and_2(run, words, said):
    code, out, err = run("compare", *words)
    assert (code, out, len(err)) == (2, "", 1)
    assert said in err[0]


def test_a_run_of_an_unknown_network_names_file_and_key(run, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(RUN.replace('"alexnet"', '"vanished"'))
    code, _, err = run("compare", "alexnet", str(path))
    assert code == 2
    assert "mine.toml: [model] no model of the zoo is called 'vanished'" in err[0]


def test_claims_in_json_have_exactly_the_documented_keys(run):
    code, out, err = run("claims", "--format", "json")
    claims = json.loads(out)
    assert (code, err) == (0, [])
    assert [claim["id"] for claim in claims] == [claim.id for claim in read_claims()]
    for claim in claims:
        assert list(claim) == [
            "id", "claim", "claimed", "measured", "unit", "ratio", "verdict", "reason", "source",
        ]  # fmt: skip


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_claims_as_people_read_them(run, form):
    _, out, _ = run("claims", "--format", form)
    assert "mixes conventions" in out
    assert "the claim fits MACs called FLOPs" in out
