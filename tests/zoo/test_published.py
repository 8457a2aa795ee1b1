"""Published figures: reproduced, explained or contradicted."""

import pytest
import torch
from flopledger import ModelSpec, Published, profile
from flopledger.zoo.published import contradictions, held_against
from torch import nn


def status(*figure, **more):
    spec = ModelSpec(
        name="net",
        description="A net.",
        factory=lambda: nn.Linear(4, 5),
        inputs=lambda: (torch.zeros(2, 4),),
        published=(Published(*figure, **more),),
    )
    rows = held_against(spec, profile(spec.factory(), spec.inputs()))
    return rows["status"].item(), contradictions(rows)


def test_within_the_rounding_of_the_print():
    assert status("params", 25, "a paper")[0] == "reproduced"
    assert status("params", 24, "a paper", rtol=0.05)[0] == "reproduced"


def test_macs_are_one_samples():
    assert status("macs", 20, "a paper")[0] == "reproduced"


def test_outside_it_with_a_reason():
    assert status("macs", 40, "a paper", differs="it counts FLOPs") == ("explained", [])


def test_outside_it_without_one():
    word, lines = status("macs", 40, "a paper")
    assert word == "contradicted"
    assert lines[0].startswith("net: macs are 20 here but 40 in a paper")


def test_a_reason_for_no_difference_is_a_contradiction_too():
    assert status("macs", 20, "a paper", differs="it counts FLOPs")[0] == "contradicted"


def test_other_quantities_are_refused():
    with pytest.raises(ValueError, match="say params or macs"):
        status("flops", 20, "a paper")
