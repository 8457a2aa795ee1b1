"""The report's chapter "Is one order normal?": its words are the trend's figures."""

import re

import flopledger
import pytest
from flopledger.field.places import BOTTOM_UP
from flopledger.reports.report import captions, field_chapter
from flopledger.reports.systems_charts import off_trend

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")


@pytest.fixture(scope="module")
def field():
    return flopledger.systems()


def test_the_answer_and_its_reasons_have_the_checks_figures(field):
    assert "differ by 1.7 orders" in field_chapter.answer(field)
    told = " ".join(field_chapter.paragraphs(field))
    # 392 systems, 1.197, games +1.67 and AlexNet +0.47 by the check made before it was written
    for words in ("392 notable systems", "1.20 orders (1.11 to 1.28)", "AlexNet +0.47",
                  "1.67 orders above", "(15 systems, gradient steps)"):  # fmt: skip
        assert words in told
    # of each accounting off its own trend: 1.35 and 3.5 by Epoch's figures of AlphaZero's compute
    one, other = re.findall(r"(\d\.\d) standard deviations", told)
    assert float(one) == pytest.approx(1.35, abs=0.11)
    assert float(other) == pytest.approx(3.5, abs=0.2)


def test_the_figures_title_has_the_rings_that_it_draws(field):
    (ring,) = [place for place in field.places
               if place.run == "alexnet" and place.source == BOTTOM_UP]  # fmt: skip
    assert f"AlexNet {ring.off[0].orders:+.1f}" in captions.off_trend(field).title


def test_what_would_change_it_was_tried(field):
    first, *_ = field_chapter.changes(field)
    low, high = map(float, re.findall(r"(\d\.\d\d) to (\d\.\d\d)", first)[0])
    spreads = [one.pair_sd for one in field.variants]
    assert low == pytest.approx(min(spreads), abs=0.005)
    assert high == pytest.approx(max(spreads), abs=0.005)
    assert low > 1


def test_every_published_total_off_the_trend_says_whether_it_counts_alike(field):
    table = field_chapter.run_table(field)
    preprint = table[table["run"] == "alphazero-go-preprint"].set_index("source")
    (openai,) = [source for source in preprint.index if source.startswith("OpenAI 2018")]
    assert preprint.loc[openai, "same accounting"] == "no"
    assert float(preprint.loc[openai, "sd"]) == pytest.approx(3.5, abs=0.05)
    (epoch,) = [source for source in preprint.index if source.startswith("Epoch AI, Notable")]
    assert preprint.loc[epoch, "same accounting"] == "yes"
    assert float(preprint.loc[epoch, "sd"]) == pytest.approx(1.35, abs=0.01)


def test_the_figure_has_every_system_and_each_run_twice(field):
    spec = off_trend(field).to_dict()
    band, ticks, rings, *_ = (spec["datasets"][one["data"]["name"]] for one in spec["layer"])
    assert len(ticks) == 392
    assert band[0]["high"] == -band[0]["low"] == pytest.approx(field.trend.sd)
    rows = {row["row"] for row in rings}
    assert len(rows) == 2
    alexnet = {row["row"]: row["orders"] for row in rings if row["system"] == "alexnet"}
    assert set(alexnet) == rows
    # off two trends, so that its one figure lies in two places
    assert len(set(alexnet.values())) == 2


def test_the_chapter_credits_epoch_ai_with_the_days_of_its_tables(field):
    table = field_chapter.sources(field)
    assert set(table["retrieved"]) == {"2026-05-03", "2025-04-23"}
    assert table["source"].str.contains("Epoch AI").all()
    text = "\n".join(field_chapter.markdown(field))
    assert text.count("CC BY 4.0") == 2
    assert "What would change the answer" in text
