"""Sizes: what a network is called that differs from its usual self."""

import pytest
from flopledger.zoo.sizes import USUAL, Sizes
from pydantic import ValidationError


def test_names_say_what_differs():
    assert USUAL.of("resnet50") == "resnet50"
    assert Sizes(input=(1, 3, 128, 128)).of("resnet50") == "resnet50 at 1x3x128x128"
    sizes = Sizes(options={"blocks": 2, "wide": True}, input=("1,256:int64",), frozen=("h.0", "w"))
    assert sizes.of("lm") == ("lm (blocks 2, wide True) at 1x256:int64 without gradients of h.0, w")


def test_the_input_is_what_the_command_line_takes():
    assert USUAL.asked == ()
    assert Sizes(input=(1, 3, 6, 7)).asked == ("1,3,6,7",)
    texts = ("input_ids=1,1024:int64", "mask=1,1024:bool")
    assert Sizes(input=texts).asked == texts
    assert Sizes(input=texts).of("t") == "t at input_ids=1x1024:int64 and mask=1x1024:bool"


def test_equal_sizes_are_one_key():
    first, other = (Sizes(options={"a": 1}, frozen=("x",)) for _ in range(2))
    assert {first: 1}[other] == 1
    assert first != Sizes(options={"a": 1})


@pytest.mark.parametrize(
    "wrong", [{"input": (1, 0)}, {"input": (1, "3,4")}, {"input": (1.5,)}, {"options": {"a": [1]}},
              {"colour": 1}]
)  # fmt: skip
def test_what_is_no_size(wrong):
    with pytest.raises(ValidationError):
        Sizes(**wrong)
