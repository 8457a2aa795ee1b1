"""The chapter on the horizon says what an experiment's trials say."""

from dataclasses import replace
from types import SimpleNamespace

import coin_task
import flopledger
import pytest
from flopledger.reports.report import horizon_chapter as chapter


@pytest.fixture(scope="module")
def result():
    """Of a formula: 1,000 samples, and 100 more for each step of the horizon."""
    with pytest.MonkeyPatch.context() as patch:
        coin_task.offer(patch)
        yield flopledger.horizon("coin", seeds=3, jobs=1)


def test_the_answer_and_what_it_rests_on(result):
    # (1000 + 25,600) / (1000 + 100) = 24 times = 10^1.38; 256 = 10^2.41
    answer = chapter.answer(result)
    assert "where 256 images share one reward, learning takes 24 times the samples" in answer
    assert "a reward for each image, by a + b h fitted to all trials." in answer
    assert "+1.38 orders" in answer
    assert "would be +2.41" in answer
    text = " ".join(chapter.paragraphs(result))
    assert "+0.04 orders" in text  # 1,100 over 1,000
    assert "a horizon below some 10 steps costs little" in text
    assert "The trials prefer a + b h" in text
    assert "Of 18 trials that measured, 0 had not reached it" in text


def test_trials_that_never_reached_it_are_said(result):
    few = flopledger.horizon("coin", seeds=2, samples=2000, jobs=1)
    assert chapter.answer(few).startswith("Not decided here")
    assert "6 had not reached it after 2k samples" in " ".join(chapter.paragraphs(few))


def test_the_figure_has_every_arm_both_fits_and_labels_as_a_line(result):
    spec = chapter.chart(result).to_dict()
    rows = [row for table in spec["datasets"].values() for row in table]
    assert {row["curve"] for row in rows if "curve" in row} == {
        "a + b h", "c h^d", "in proportion to h",
    }  # fmt: skip
    points = {row["h"]: row["samples"] for row in rows if "arm" in row}
    assert set(points) == {1, 4, 16, 64, 256}
    assert [row["text"] for row in rows if "text" in row] == ["with labels"]
    dashes = {
        tuple(dash)
        for layer in spec["layer"]
        for dash in layer["encoding"].get("strokeDash", {}).get("scale", {}).get("range", [])
    }
    assert len(dashes) == 3  # told apart without colour


def test_the_markdown_has_the_table(result):
    text = "\n".join(
        chapter.markdown(SimpleNamespace(horizons={"digits": result}, repeated=result))
    )
    assert "| h = 256 " in text
    assert "What would change the answer" in text


def test_a_repeat_is_held_against_the_intervals(result):
    assert "6 of 6 means lie where nine of ten" in chapter.on_repeat(result, result)
    # a formula of half the samples at every horizon: 0.30 orders below, and outside
    half = [replace(row, samples=row.samples // 2) for row in result.rows]
    text = chapter.on_repeat(result, replace(result, rows=half))
    assert "0 of 6 means lie where" in text
    assert "supervised -0.30" in text
