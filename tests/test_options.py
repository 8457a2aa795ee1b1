"""What an option may be."""

import pytest
from flopledger.options import parse_percent


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("1%", 0.01), ("0.01", 0.01), ("0", 0.0), ("0%", 0.0), (".5%", 0.005), ("150 %", 1.5),
     ("0.7%", 0.007), ("1e-3", 0.001)],
)  # fmt: skip
def test_percent(text, fraction):
    assert parse_percent(text) == fraction


@pytest.mark.parametrize("text", ["", "%", "x", "-1%", "-0.1", "nan", "inf%", "1%%", "1", "5"])
def test_what_is_no_percent(text):
    with pytest.raises(ValueError, match=r"; say .*%") as error:
        parse_percent(text)
    assert repr(text) in str(error.value)
