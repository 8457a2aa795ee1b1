"""The report's files; its page in a browser is in report/test_page.py."""

import re
from importlib.metadata import version
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import get_args

import pytest
from flopledger import compare, ledger_of
from flopledger.reports import waterfalls
from flopledger.reports.report import figures
from flopledger.zoo.registry import list_models
from svg_texts import texts_of, texts_outside

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

VERSIONS = ("alphazero-go-preprint", "alphazero-go-science", "alphazero-chess", "alphazero-shogi")
ACCOUNTINGS = ("all", "training")
TPU = (
    "google_resnet50_tpu_tensorflow17",
    "google_resnet50_tpu_tensorflow18",
    "google_resnet50_tpu_tensorflow111",
    "google_resnet50_tpu_tensorflow111_fastai",
)


def test_every_model_and_comparison_has_its_table(report):
    tables = {path.stem for path in (report / "tables").iterdir()}
    models = {listing.name for listing in list_models()}
    assert models | {"summary", "published", "runs", "facts", "claims", "dawnbench"} <= tables
    assert {"systems", "systems-trend", "systems-domains", "systems-runs"} <= tables
    assert {"chain-tpu", "chain-v100"} <= tables
    assert {f"compare-alexnet-{name}-{how}" for name in VERSIONS for how in ACCOUNTINGS} <= tables


def test_the_report_in_markdown_answers_and_accounts(report):
    text = (report / "report.md").read_text()
    assert f"agree to the last MAC on {len(list_models())} of them" in text
    assert "and 0 contradicted" in text
    for name in ("AlphaZero (chess)", "AlphaZero (shogi)", "AlphaZero (Go, Science 2018)"):
        assert f"{name} took " in text
    # cited totals and claims carry their links
    for link in ("https://www.lesswrong.com/posts/", "https://epoch.ai/data/ai-models"):
        assert link in text


def test_every_figure_is_drawn_once_on_the_page_and_is_two_pictures(report):
    page = (report / "index.html").read_text()
    names = re.findall(r'data-chart="([\w-]+)"', page)
    assert len(names) == len(set(names))
    pictures = {path.name for path in (report / "figures").iterdir()}
    assert pictures == {f"{name}.{suffix}" for name in names for suffix in ("svg", "png", "csv")}
    for path in (report / "figures").iterdir():
        start = path.read_bytes()[:8]
        if path.suffix == ".csv":
            assert len(path.read_text().splitlines()) > 1
            continue
        assert start.startswith(b"<svg") if path.suffix == ".svg" else start == b"\x89PNG\r\n\x1a\n"


def test_every_place_for_charts_is_on_the_page_and_has_some(report):
    placed = {place for place, _ in figures._charts}
    assert placed == set(get_args(figures.Place))
    template = Path(figures.__file__).with_name("page.html").read_text()
    assert set(re.findall(r'drawn\("(\w+)"', template)) == placed


def test_a_waterfall_is_a_chain_from_zero_to_the_total():
    comparison = compare(ledger_of("alexnet"), ledger_of("alphazero-chess"))
    spec = waterfalls.waterfall(comparison).to_dict()
    (rows,) = spec["datasets"].values()
    *steps, total = rows
    assert steps[0]["start"] == total["start"] == 0
    for before, after in pairwise(steps):
        assert after["start"] == before["end"]
    assert steps[-1]["end"] == pytest.approx(total["end"])
    assert total["end"] == comparison.orders


def test_a_chains_waterfall_falls_step_by_step_to_the_total():
    from flopledger.ledger.build import hours_of
    from flopledger.ledger.chain import chain

    whole = chain(hours_of(TPU))
    spec = waterfalls.chain_waterfall(whole, "ABCD").to_dict()
    (rows,) = spec["datasets"].values()
    *steps, total = rows
    assert steps[0]["start"] == total["start"] == 0
    for before, after in pairwise(steps):  # what changes nothing is left out, and moves nothing
        assert after["start"] == pytest.approx(before["end"], abs=0.005)
    assert steps[-1]["end"] == pytest.approx(total["end"], abs=0.005)
    assert total["end"] == pytest.approx(log10(2.741805 / 12.444167))
    names = [row["factor"] for row in steps]
    assert "C to D: forward FLOPs per image" in names
    assert not [name for name in names if "chip" in name or "precision" in name]


def test_the_page_needs_nothing_from_outside(report):
    page = (report / "index.html").read_text()
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "</script>" not in page
    # links lead out, but nothing is fetched from there
    assert not re.findall(r'<(?!a )[^>]*(?:src|href)="(?!#)', page)


def test_every_link_on_the_page_has_a_date_or_is_from_memory(report):
    page = (report / "index.html").read_text()
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    # what a link stands in: a table's row, or a paragraph
    pieces = re.findall(r"<tr>.*?</tr>|<p.*?</p>", page, flags=re.DOTALL)
    away = '<a href="http'  # the others lead to a chapter, or to a figure's files
    linked = [piece for piece in pieces if away in piece]
    assert sum(piece.count(away) for piece in linked) == page.count(away) > 50
    for piece in linked:
        assert re.search(r"\d{4}-\d\d-\d\d|from memory", piece), piece
        for address in re.findall(r'href="((?!#|figures/)[^"]+)"', piece):
            assert address.startswith("https://")


def test_the_answer_says_what_makes_the_orders(report):
    """By hand for Go's preprint: 2.455 search, 1.475 weights, 1.424 samples; chess 2.576, 0.731."""
    page = (report / "index.html").read_text()
    answers = dict(re.findall(r'class="answer" data-version="([\w-]+)">(.*?)</p>', page))
    assert set(answers) == {f"{name}-{how}" for name in VERSIONS for how in ACCOUNTINGS}
    for name, whole, parts in (
        ("alphazero-go-preprint-all", "5.4", ("2.5", "1.5", "1.4")),
        ("alphazero-go-preprint-training", "2.9", ("1.5", "1.4")),
        ("alphazero-chess-all", "4.8", ("2.6", "1.4", "0.7")),
    ):
        assert f"took {whole} orders of magnitude" in answers[name]
        assert tuple(re.findall(r"(\d\.\d) from", answers[name])) == parts
    # the discussion asks of Go: it is what a reader sees first
    assert next(iter(answers)) == "alphazero-go-preprint-all"


def test_the_page_says_which_edition_it_is_and_how_to_cite_each_figure(report):
    page = (report / "index.html").read_text()
    assert f"flopledger {version('flopledger')}" in page
    assert "MIT licence" in page
    for name in re.findall(r'data-chart="([\w-]+)"', page):
        assert f"@misc{{flopledger-{name}," in page
        assert f'href="#{name}"' in page
        for suffix in ("png", "svg", "csv"):
            assert f'href="figures/{name}.{suffix}"' in page
    for claim in re.findall(r'<article class="claim" id="([\w.]+)"', page):
        assert f'href="#{claim}"' in page
    assert 'property="og:title"' in page
    assert 'property="og:image"' in page


def test_a_picture_says_what_it_shows_and_whose_it_is(report):
    picture = (report / "figures" / "waterfall-alphazero-chess-all.svg").read_text()
    # by hand: tests/cli/test_compare_and_claims.py has 2.175 + 2.576
    assert "AlphaZero (chess) took 4.8 orders of magnitude (56,000 times) more" in picture
    for path in (report / "figures").glob("*.svg"):
        drawn = path.read_text()
        assert texts_outside(drawn) == [], path
        assert f"flopledger {version('flopledger')}" in " ".join(texts_of(drawn)), path
        assert "Sources: " in drawn, path
        assert "Sources: none" not in drawn, path


def test_the_contents_lead_to_every_chapter(report):
    page = (report / "index.html").read_text().partition("<script")[0]
    chapters = re.findall(r'<h2 id="(\w+)"', page)
    assert len(chapters) == page.count("<h2")
    contents = page.partition('<nav aria-label="Contents">')[2].partition("</nav>")[0]
    assert re.findall(r'href="#(\w+)"', contents) == [c for c in chapters if c != "cite"]
