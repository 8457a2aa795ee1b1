"""Pictures that stand alone: finding, units, sources and day, all inside the frame."""

from math import log10
from types import SimpleNamespace

import pytest
from flopledger import compare, profile, systems
from flopledger.ledger.chain import chain
from flopledger.reports import charts
from flopledger.reports.edition import edition
from flopledger.reports.pictures import cited, orders_in_words, times
from flopledger.reports.systems import FORMATS
from flopledger.reports.units import short
from runs_by_hand import alexnet, chess
from svg_texts import texts_of, texts_outside
from torch import nn, zeros


def test_a_comparison_of_any_two_runs_is_a_picture_of_what_it_found():
    first, second = alexnet(), chess()
    both = compare(first, second, samples=10)
    picture = both.chart("svg")
    told = " ".join(texts_of(picture))
    orders = log10(second.total / first.total)
    assert f"chess took {orders:.1f} orders of magnitude ({times(10**orders)} times) more" in told
    assert "training FLOP per parameter: alexnet" in told  # the unit
    assert "Sources: a paper" in told
    assert edition().line in told
    assert f"{orders:+.2f}" in texts_of(picture)  # the last bar's number
    assert texts_outside(picture) == []
    assert both.chart("png").startswith(b"\x89PNG")
    page = both.chart("html")
    assert page.startswith("<!DOCTYPE html>")
    assert "<svg" in page
    assert "<table" in page


def test_a_run_that_took_less_or_as_much_is_said_so():
    assert "alexnet took" in compare(chess(), alexnet(), samples=10).chart("svg")
    assert "fewer training FLOP" in compare(chess(), alexnet(), samples=10).chart("svg")
    assert "took as many training FLOP" in compare(alexnet(), alexnet(), samples=10).chart("svg")


def test_a_chain_of_one_run_found_no_difference():
    told = " ".join(texts_of(chain([chess()] * 3, samples=10).chart("svg")))
    assert "chess took as many training FLOP per parameter as chess" in told
    assert "largest part" not in told


@pytest.mark.xdist_group("runs")  # which are counted for it
def test_a_linear_axis_has_no_number_twice():
    found = systems(domain="Games")
    for scale in ("log", "linear"):
        axis = [text for text in texts_of(FORMATS["svg"](found, scale=scale)) if "e+" in text]
        assert len(set(axis)) == len(axis) > 3
    assert "trend is of all domains' 392" in FORMATS["svg"](found)


def test_a_chains_letters_have_a_key():
    runs = [alexnet(), chess(), chess(games=22e6)]
    texts = texts_of(chain(runs, samples=10).chart("svg"))
    told = " ".join(texts).replace("  ", " ")
    for letter, run in zip("ABC", runs, strict=True):
        assert f"{letter} {run.run}: {short(run.total)} FLOP per parameter" in told
    assert any(text.startswith("A to B: ") for text in texts)
    assert any(text.startswith("B to C: ") for text in texts)


def test_a_sequences_flops_per_parameter_are_a_tokens_and_stand_on_no_bar():
    tokens = profile(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 9)), zeros(1, 8).long())
    image = profile(nn.Linear(4, 9), zeros(1, 4))
    # 2 x 4 x 9 FLOPs a token over 9 x 4 + (4 x 9 + 9) parameters; 2 x 4 x 9 over 4 x 9 + 9
    assert charts.per_sample(tokens) == ("Sequential, a token", pytest.approx(72 / 81))
    assert charts.per_sample(image) == ("Linear", pytest.approx(72 / 45))
    spec = charts.flops_per_param([(SimpleNamespace(paper=""), p) for p in (tokens, image)])
    assert [layer["mark"]["type"] for layer in spec.to_dict()["layer"]] == ["point", "text"]


def test_a_ratio_is_said_in_two_digits():
    assert [times(r) for r in (1.04, 23.96, 56_234, 3.1e8)] == ["1", "24", "56,000", "3.1e+08"]
    assert orders_in_words(log10(2)) == "0.30 orders of magnitude (2 times)"
    assert orders_in_words(7) == "7.0 orders of magnitude"


def test_an_author_is_named_once():
    assert cited(["A 2012, table 1", "A 2012: p. 3", "B (2013)"]) == "A 2012; B"
