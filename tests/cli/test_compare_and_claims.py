"""flopledger compare and claims, with the real zoo and facts."""

import csv
import io
import json
import re
from math import log10, prod

import pytest

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

RUN = """
title = "Mine"
published_on = 2020-01-01
model = "alexnet"
method = "supervised"
images = {value = 1.2e6, source = "mine"}
epochs = {value = 900, source = "mine"}
"""


CHESS, PREPRINT = "alphazero-chess", "alphazero-go-preprint"
JSON = ("--format", "json")


def test_compare_in_json_has_exactly_the_documented_keys_and_adds_up(run):
    code, out, err = run("compare", "alexnet", PREPRINT, *JSON)
    parsed = json.loads(out)
    assert (code, err) == (0, [])
    assert list(parsed) == [
        "a", "b", "quantity", "accounting", "a_total", "b_total", "ratio", "orders", "interval",
        "factors", "samples", "published", "rests_on", "dominant_uncertainty", "dominant_fact",
    ]  # fmt: skip
    assert list(parsed["factors"][0]) == [
        "factor", "a", "b", "ratio", "orders", "low", "high", "kind", "source_a", "source_b",
    ]  # fmt: skip
    assert list(parsed["samples"]) == list(parsed["factors"][0])
    assert list(parsed["published"][0]) == ["a", "b", "orders"]
    assert list(parsed["published"][0]["a"]) == [
        "source", "value", "accounting", "as_of", "url", "retrieved",
    ]  # fmt: skip
    games = next(f for f in parsed["rests_on"] if (f["run"], f["fact"]) == (PREPRINT, "games"))
    assert (games["value"], games["kind"]) == (21e6, "cited")
    assert "1712.01815" in games["url"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", games["retrieved"])
    assert sum(f["orders"] for f in parsed["factors"]) == pytest.approx(parsed["orders"], abs=1e-12)
    assert prod(f["a"] for f in parsed["factors"]) == pytest.approx(parsed["a_total"])
    assert parsed["orders"] == pytest.approx(log10(parsed["b_total"] / parsed["a_total"]))
    # the paper leaves the policy head open; read literally, Go is at 4.99
    assert parsed["interval"][0] < 4.99 < parsed["orders"] < parsed["interval"][1]
    # the published pair: 3.67e22 FLOP of AlphaZero, 0.0058 pfs-days of AlexNet
    by_hand = log10(3.67e22 / 22_827_627 / (0.0058 * 8.64e19 / 60_965_224))
    assert parsed["published"][0]["orders"] == pytest.approx(by_hand, abs=0.01)


# issue: learning and generating over AlexNet, by hand; 700,000 steps of 4,096 in each game
@pytest.mark.parametrize(
    ("name", "learning", "generating"),
    [
        (CHESS, 2.175, 2.576),
        ("alphazero-shogi", 2.273, 2.404),
        (PREPRINT, 2.921, 2.455),
        ("alphazero-go-science", 2.921, 3.417),
    ],
)
def test_the_accounting_says_whether_making_data_counts(run, name, learning, generating):
    everything = json.loads(run("compare", "alexnet", name, *JSON)[1])
    steps = json.loads(run("compare", "alexnet", name, "--accounting", "training", *JSON)[1])
    assert (everything["accounting"], steps["accounting"]) == ("all", "training")
    assert steps["orders"] == pytest.approx(learning, abs=0.005)
    assert everything["orders"] == pytest.approx(learning + generating, abs=0.005)
    orders = {f["factor"]: f["orders"] for f in everything["factors"]}
    assert orders.pop("1 + generating / learning") == pytest.approx(generating, abs=0.005)
    assert orders == pytest.approx({f["factor"]: f["orders"] for f in steps["factors"]})
    assert everything["samples"]["b"] == pytest.approx(700_000 * 4096)
    # each total stands beside totals of its own accounting only
    for parsed in (everything, steps):
        for pair in parsed["published"]:
            assert parsed["accounting"] in (pair["b"]["accounting"],)


def test_epochs_figure_of_2026_is_that_of_gradient_steps(run):
    parsed = json.loads(run("compare", "alexnet", PREPRINT, "--accounting", "training", *JSON)[1])
    figures = {pair["b"]["as_of"]: pair["b"]["value"] for pair in parsed["published"]}
    assert figures["2026-05-03"] * 22_827_627 == pytest.approx(1.06e20, rel=0.02)
    assert 1 / 1.5 < parsed["b_total"] / figures["2026-05-03"] < 1.5


def test_compare_in_csv_markdown_and_table(run):
    _, out, _ = run("compare", "alexnet", "alphago-fan", "--format", "csv")
    assert len(list(csv.DictReader(io.StringIO(out)))) == 6
    for form in ("table", "markdown"):
        code, out, _ = run("compare", "alexnet", "alphago-fan", "--format", form)
        assert code == 0
        for word in ("samples per position", "samples learned from", "orders of magnitude",
                     "least certain fact"):  # fmt: skip
            assert word in out
    assert "alphago-fan, images (cited): Silver et al. 2016" in out
    assert re.search(r", <https://\S+> \(read \d{4}-\d\d-\d\d\)\n", out)
    _, out, _ = run("compare", "alexnet", PREPRINT, "--accounting", "training")
    assert "in gradient steps alone" in out
    assert "1 + generating / learning" not in out


def test_a_chain_of_runs_by_one_accounting(run):
    words = ("compare", "alexnet", "resnet50", CHESS, "--accounting", "training")
    chain = json.loads(run(*words, *JSON)[1])
    direct = json.loads(run("compare", "alexnet", CHESS, "--accounting", "training", *JSON)[1])
    assert chain["orders"] == pytest.approx(direct["orders"], abs=1e-9)


def test_the_runs_are_listed(run):
    from flopledger.ledger.dawnbench import list_entries
    from flopledger.ledger.run_file import list_runs

    code, out, err = run("compare", "--list")
    assert (code, err) == (0, [])
    first = [line.split()[0] for line in out.splitlines() if line and not line.startswith("with")]
    assert first == [*list_runs(), *list_entries()]
    assert "AlexNet (ImageNet, 90 epochs)" in out


def test_a_run_beside_itself(run):
    code, out, _ = run("compare", "alphago-fan", "alphago-fan", "--format", "json")
    parsed = json.loads(out)
    assert code == 0
    assert [f["orders"] for f in parsed["factors"]] == [0] * 6
    assert (parsed["orders"], parsed["interval"], parsed["dominant_uncertainty"]) == (
        0,
        [0, 0],
        None,
    )
    assert run("compare", "alphago-fan", "alphago-fan")[0] == 0


def test_a_file_of_ones_own(run, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(RUN)
    parsed = json.loads(run("compare", "alexnet", str(path), "--format", "json")[1])
    assert parsed["b"] == "mine"
    assert parsed["orders"] == pytest.approx(1)  # ten times the epochs


def test_the_seed_decides_the_draws(run):
    words = ("compare", "alexnet", "alphazero-chess", "--format", "json", "--samples", "100")
    assert run(*words, "--seed", "1") == run(*words, "--seed", "1")
    assert run(*words, "--seed", "1") != run(*words, "--seed", "2")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["alexnet", "alexnett"], "no run is called 'alexnett'; did you mean alexnet"),
        (["alexnet", "no/such.toml"], "no/such.toml: it cannot be read: No such file"),
        (["alexnet", "resnet50", "--samples", "0"], "--samples"),
        (["alexnet", "resnet50", "--seed", "-1"], "--seed"),
        (["alexnet", "resnet50", "--format", "xml"], "'xml' is not one of"),
        (["alexnet"], "name two runs; flopledger compare --list shows them"),
        ([], "name two runs; flopledger compare --list shows them"),
        (["alexnet", "resnet50", "--accounting", "some"], "'some' is not one of"),
        (["alexnet", "alphago-master"], "its gradient steps are not known"),
        (["alexnet", "alphago-master", "--accounting", "training"], "steps are not known"),
    ],
)
def test_a_wrong_comparison_gives_one_clear_line_and_2(run, words, complaint):
    code, out, err = run("compare", *words)
    assert (code, out, len(err)) == (2, "", 1)
    assert complaint in err[0]


def test_a_run_of_an_unknown_network_names_file_and_key(run, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(RUN.replace('"alexnet"', '"vanished"'))
    code, _, err = run("compare", "alexnet", str(path))
    assert code == 2
    assert "mine.toml: [model] no model is called 'vanished'" in err[0]


def test_claims_in_json_are_what_the_function_returns(run):
    from flopledger import claims

    code, out, err = run("claims", *JSON)
    assert (code, err) == (0, [])
    assert out == claims().to_json()


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_claims_as_people_read_them_with_the_rule(run, form):
    code, out, err = run("claims", "--format", form)
    assert (code, err) == (0, [])
    assert "within a factor of 1.5" in " ".join(out.split())
    for word in ("D1.1", "D2.14", "not decided here", "does not hold", "11.88 MAC per parameter"):
        assert word in out
    if form == "markdown":
        assert "](https://www.lesswrong.com/posts/" in out


MINE = """
[[claims]]
id = "mine"
statement = "ResNet-50 takes some 13 times as many FLOPs for a parameter as AlexNet."
sense = "about"
claimed = 13
unit = "times"
found = "ratio('flops_per_param', 'resnet50', 'alexnet')"
source = "me"
"""


def test_claims_of_ones_own(run, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(MINE)
    (row,) = json.loads(run("claims", str(path), *JSON)[1])
    # 4,089,184,256 MACs of 25,557,032 parameters, 724,406,816 of 60,965,224: timm's counts
    by_hand = 4_089_184_256 / 25_557_032 / (724_406_816 / 60_965_224)
    assert row["found"] == pytest.approx(by_hand)
    assert (row["verdict"], row["kind"]) == ("holds", "measured")


def test_a_claim_that_cannot_be_judged_gives_one_line_and_2(run, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(MINE.replace("resnet50", "resnett50"))
    code, out, err = run("claims", str(path))
    assert (code, out, len(err)) == (2, "", 1)
    assert f"{path}: [claims.mine.found] " in err[0]
    assert "did you mean resnet50" in err[0]
    assert run("claims", str(tmp_path / "no.toml"))[0] == 2
