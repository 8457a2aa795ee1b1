"""Inputs from the command line."""

import pytest
import torch
from flopledger.zoo.inputs import AskedInput, WrongInputs, as_inputs, fit_inputs, parse_input
from hypothesis import given
from hypothesis import strategies as st

IMAGE = ((torch.zeros(1, 3, 8, 8),), {})
TOKENS = ((torch.zeros(1, 8, dtype=torch.int64),), {})
BY_NAME = ((), {"input_ids": torch.ones(1, 8, dtype=torch.int64), "scale": 2})


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
    ((x,), _) = fit_inputs("m", IMAGE, [], 5)
    assert x.shape == (5, 3, 8, 8)
    ((x,), _) = fit_inputs("m", IMAGE, [AskedInput((2, 3, 4, 4))], 5)
    assert x.shape == (5, 3, 4, 4)


def test_a_dtype_is_the_examples_unless_given():
    ((x,), _) = fit_inputs("m", TOKENS, [AskedInput((1, 4))], None)
    assert x.dtype == torch.int64
    ((x,), _) = fit_inputs("m", TOKENS, [AskedInput((1, 4), "int32")], None)
    assert x.dtype == torch.int32


def test_as_many_inputs_as_the_model_takes():
    with pytest.raises(WrongInputs, match=r"m takes 1 input\(s\), not 2"):
        fit_inputs("m", IMAGE, [AskedInput((1,))] * 2, None)


def test_an_input_by_name():
    assert parse_input("input_ids=1,16:int64") == AskedInput((1, 16), "int64", "input_ids")
    with pytest.raises(WrongInputs, match="'input ids' is no argument's name"):
        parse_input("input ids=1,16")


def test_what_is_asked_by_name_joins_what_is_known():
    asked = [AskedInput((1, 4), None, "input_ids"), AskedInput((1, 4), "bool", "mask")]
    args, kwargs = fit_inputs("m", BY_NAME, asked, 3)
    assert args == ()
    assert (kwargs["input_ids"].shape, kwargs["input_ids"].dtype) == ((3, 4), torch.int64)
    assert kwargs["input_ids"].eq(1).all()  # as in the example: 0 may be padding
    assert (kwargs["mask"].shape, kwargs["mask"].dtype) == ((3, 4), torch.bool)
    assert kwargs["scale"] == 2


def test_a_model_that_is_not_described_takes_what_is_asked():
    (x, y), kwargs = fit_inputs("m", None, [AskedInput((1, 2)), AskedInput((1,), "int64")], None)
    assert (x.dtype, y.dtype, kwargs) == (torch.float32, torch.int64, {})
    with pytest.raises(WrongInputs, match="m: what goes in is not known; give --input"):
        fit_inputs("m", None, [], None)


@pytest.mark.parametrize(
    ("made", "inputs"),
    [
        (1, ((1,), {})),
        ((1, 2), ((1, 2), {})),
        ({"a": 1}, ((), {"a": 1})),
        (((1,), {"a": 2}), ((1,), {"a": 2})),
        ([1], (([1],), {})),
    ],
)
def test_what_a_function_of_inputs_may_return(made, inputs):
    assert as_inputs(made) == inputs
