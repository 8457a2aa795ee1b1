"""Code that asks by torch.FloatTensor, torch.HalfTensor, ... what a tensor is."""

import pytest
import torch
from flopledger import memory, profile
from torch import nn

OWN = torch.FloatTensor
ONCE = 2 * 8 * 8


class Asks(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.layer, self.what = nn.Linear(8, 8), what

    def forward(self, x):
        return self.layer(x) if self.what(x, self.layer) else self.layer(self.layer(x))


@pytest.mark.parametrize(
    "what",
    [
        lambda x, _: isinstance(x, torch.FloatTensor),
        lambda x, layer: isinstance(layer.weight, torch.HalfTensor | torch.FloatTensor),
        lambda x, _: not isinstance(x, torch.DoubleTensor) and not isinstance(3, torch.FloatTensor),
        lambda x, layer: isinstance(layer(x).detach().double(), torch.DoubleTensor) or 1 / 0,
        lambda x, _: x.type(torch.FloatTensor) + torch.FloatTensor(2, 8) is not None,
        lambda x, _: torch.FloatTensor.dtype is torch.float32,
    ],
)
def test_it_is_answered_as_on_the_cpu(what):
    counted = profile(Asks(what), (torch.zeros(2, 8),), backward=True)
    thrown_away = sum("thrown away" in note for note in counted.notes)
    assert counted.total("macs") == ONCE * (1 + thrown_away)
    assert counted.backward.macs == ONCE
    assert torch.FloatTensor is OWN


def test_memory_is_of_the_same_way():
    asks = Asks(lambda x, _: isinstance(x, torch.FloatTensor))
    plain = Asks(lambda *_: True)
    assert memory(asks, (torch.zeros(2, 8),)) == memory(plain, (torch.zeros(2, 8),))
