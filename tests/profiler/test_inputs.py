"""Inputs from the command line."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from profiler.inputs import AskedInput, WrongInputs, fit_inputs, parse_input

IMAGE = (torch.zeros(1, 3, 8, 8),)
TOKENS = (torch.zeros(1, 8, dtype=torch.int64),)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6), st.sampled_from([None, "int64"]))
def test_what_is_written_is_read(shape, dtype):
    text = ",".join(map(str, shape)) + (f":{dtype}" if dtype else "")
    assert parse_input(text) == AskedInput(tuple(shape), dtype)


@given(st.text(max_size=12))
def test_anything_else_is_refused_in_one_line(text):
    try:
        asked = parse_input(text)
    except WrongInputs as error:
        assert len(str(error).split("\n")) <= text.count("\n") + 1
    else:
        assert all(size >= 1 for size in asked.shape)


@pytest.mark.parametrize(
    "text", ["", "1,nan", "1,0,3", "1,-3", "1.5", "1,,3", "1,3:", "inf", "1e3"]
)
def test_sizes_that_are_none(text):
    if text == "1,3:":
        assert parse_input(text).dtype is None
        return
    with pytest.raises(WrongInputs, match="give whole numbers from 1 up"):
        parse_input(text)


def test_an_unknown_dtype_is_named():
    with pytest.raises(WrongInputs, match="no dtype is called 'float31'"):
        parse_input("1,3:float31")


def test_a_batch_replaces_axis_0():
    (x,) = fit_inputs("m", IMAGE, [], 5)
    assert x.shape == (5, 3, 8, 8)
    (x,) = fit_inputs("m", IMAGE, [AskedInput((2, 3, 4, 4))], 5)
    assert x.shape == (5, 3, 4, 4)


def test_a_dtype_is_the_examples_unless_given():
    (x,) = fit_inputs("m", TOKENS, [AskedInput((1, 4))], None)
    assert x.dtype == torch.int64
    (x,) = fit_inputs("m", TOKENS, [AskedInput((1, 4), "int32")], None)
    assert x.dtype == torch.int32


def test_as_many_inputs_as_the_model_takes():
    with pytest.raises(WrongInputs, match=r"m takes 1 input\(s\), not 2"):
        fit_inputs("m", IMAGE, [AskedInput((1,))] * 2, None)
