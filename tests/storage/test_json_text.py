"""JSON by lines: an entry a line, a row a line, and the same value."""

import json

import pytest
from flopledger.storage.json_text import json_text
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_it_is_the_value(value):
    assert json.loads(json_text(value)) == value


def test_an_entry_and_a_row_have_a_line_each():
    value = {"a": [1, [2]], "rows": [{"x": 1, "y": [2]}, {"x": 3}], "more": {"b": None}, "no": {}}
    assert json_text(value).splitlines() == [
        "{",
        '  "a": [1, [2]],',
        '  "rows": [',
        '    {"x": 1, "y": [2]},',
        '    {"x": 3}',
        "  ],",
        '  "more": {',
        '    "b": null',
        "  },",
        '  "no": {}',
        "}",
    ]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_json(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": [number]})
