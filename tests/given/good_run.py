"""A run's file with nothing wrong in it, for tests to change."""

import pytest
from flopledger.storage.facts import BadFacts

GOOD = """
title = "A run"
published_on = 2020-01-01
model = "alexnet"
method = "supervised"

[images]
value = 1000
source = "a paper, section 1"
tag = "E"

[epochs]
value = 9
low = 8
high = 10
kind = "assumed"
source = "the usual"

[[published]]
value = 2
unit = "pfs-day"
source = "a blog"
tag = "S"
"""

# in a fact's place its alternatives, in the model's
ANSWERS = (
    'alternatives = [{value = 1000, weight = 0.3, source = "x"}, '
    '{value = 3000, weight = 0.7, source = "y"}]'
)
HEADS = """
[[models]]
model = "alphazero-go"
weight = 0.75
source = "two planes"
[[models]]
model = ["alphazero-go-wide-head", "alexnet"]
weight = 0.25
source = "256 filters"
"""


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def refused(run_of, text):
    """The line that a file gets."""
    with pytest.raises(BadFacts) as caught:
        run_of(text)
    line = str(caught.value)
    assert "\n" not in line
    assert "mine.toml: " in line
    return line
