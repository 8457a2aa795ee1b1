"""Names that would be more than names: formulas, HTML, control characters."""

import csv
import io

import pandas as pd
import pytest
from flopledger.reports.cells import drawable, markdown_text, to_csv, to_html, to_markdown
from flopledger.storage.visible import visible, visible_lines

FORMULAS = ["=1+1", '=HYPERLINK("http://x","y")', "@SUM(A1)", "+A1", "-A1", "-1+cmd|' /C calc'!A0",
            "\uff1d1"]  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_text_in_csv(name):
    (_, row) = csv.reader(io.StringIO(to_csv(pd.DataFrame({"layer": [name]}))))
    assert row == [f"'{name}"]


def test_numbers_and_names_stay_as_they_are_in_csv():
    frame = pd.DataFrame({"a": ["-1.5", "+2e3", "conv1", "a-b", "a=b"], "n": [-1, 2, 3, 4, 5]})
    assert to_csv(frame) == "a,n\n-1.5,-1\n+2e3,2\nconv1,3\na-b,4\na=b,5\n"
    assert to_csv(pd.DataFrame({"x": pd.array([1, None], dtype="Int64")})) == 'x\n1\n""\n'


def test_html_is_text_in_markdown_and_html():
    frame = pd.DataFrame({"layer": ["<script>x</script>|y", "a < 5", "<!-- no"]})
    table = to_markdown(frame)
    assert "&lt;script>x&lt;/script>\\|y" in table
    assert "a < 5" in table
    assert "&lt;!-- no" in table
    assert "<script" not in to_html(frame)
    assert markdown_text("1 <b>") == "1 &lt;b>"


@pytest.mark.parametrize("steering", "\x00 \x07 \x1b \x7f \x9b \u202e \u2066 \ud800 \uffff".split())
def test_what_steers_a_terminal_is_an_escape_everywhere(steering):
    name = f"a{steering}b"
    frame = pd.DataFrame({"layer": [name], name: [1]})
    for text in (visible(name), visible_lines(name), to_csv(frame), to_markdown(frame),
                 to_html(frame), str(drawable({"x": [name, 1, None, (name,)]}))):  # fmt: skip
        assert steering not in text
        assert steering.encode("unicode_escape").decode() in text.replace("\\\\", "\\")
        text.encode("utf-8")


def test_layout_and_colours_of_our_own_stay():
    assert visible_lines("a\tb\n") == "a\tb\n"
    assert visible_lines("\x1b[1ma\x1b[0m\x1b]8;;x", colour=True) == "\x1b[1ma\x1b[0m\\x1b]8;;x"
    assert visible_lines("\x1b[1ma") == "\\x1b[1ma"
    assert visible("\u4e2d\u6587 \xe9 \U0001f642") == "\u4e2d\u6587 \xe9 \U0001f642"
