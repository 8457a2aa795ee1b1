"""Names of layers that are no plain words."""

import torch
from flopledger import profile
from torch import nn


def test_a_slash_in_a_layer_s_name_is_kept():
    class Slashed(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("down/0", nn.Linear(4, 5))
            self.parts = nn.ModuleDict({"x/y": nn.Sequential(nn.Linear(5, 6))})
            self.module = nn.Linear(6, 7)

        def forward(self, x):
            return self.module(self.parts["x/y"](getattr(self, "down/0")(x)))

    counted = profile(Slashed(), (torch.zeros(2, 4),), backward=True)
    assert (counted.counter, counted.check.agrees) == ("fvcore", True)
    by_hand = {"down/0": 2 * 4 * 5, "parts.x/y.0": 2 * 5 * 6, "module": 2 * 6 * 7}
    assert {call.path: call.macs for call in counted.calls if call.macs} == by_hand
