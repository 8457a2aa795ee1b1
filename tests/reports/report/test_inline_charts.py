"""A chart inside the page: whole names, what a mark shows on hover, and nothing twice."""

import re

import pytest
from flopledger.reports.pictures import Caption
from flopledger.reports.report.figures import Figure
from flopledger.reports.report.inline_charts import GRID, NARROW, TEXT, WIDE, inline

SAYS = Caption(title="", subtitle=(), sources="")
NAME = "each weight is used at every point of the board"


@pytest.fixture(scope="module")
def drawn():
    spec = {
        "datasets": {
            "bars": [{"name": NAME, "value": 1, "source": "a < b"}, {"name": "b", "value": 2}]
        },
        "data": {"name": "bars"},
        "mark": "bar",
        "encoding": {
            "y": {"field": "name", "type": "nominal", "title": None},
            "x": {"field": "value", "type": "quantitative"},
            "tooltip": [
                {"field": "name", "type": "nominal"},
                {"field": "value", "type": "quantitative", "format": ".1f"},
                {"field": "source", "type": "nominal"},
            ],
        },
    }  # fmt: skip
    return inline(Figure(name="a", place="layers", part="", caption=SAYS, spec=spec))


def test_it_is_drawn_for_two_screens_in_colours_that_the_page_changes(drawn):
    for svg, width in zip(drawn, (WIDE, NARROW), strict=True):
        assert f'viewBox="0 0 {width} ' in svg
        assert f'fill="{TEXT}"' in svg
        assert f'stroke="{GRID}"' in svg


def test_a_name_is_whole_and_on_a_phone_in_lines(drawn):
    wide, narrow = drawn
    assert f">{NAME}</text>" in wide
    assert "…" not in narrow
    lines = re.findall(r"<tspan[^>]*>([^<]*)</tspan>", narrow)
    assert lines == ["each weight is used at", "every point of the board"]


def test_a_mark_says_on_hover_what_its_row_has(drawn):
    wide, narrow = drawn
    assert re.findall("<title>(.*?)</title>", wide) == [
        f"name: {NAME}; value: 1.0; source: a &lt; b",
        "name: b; value: 2.0",
    ]
    assert "<title>" not in narrow
