"""Lazy layers are made on a copy, wherever weights and inputs are."""

import pytest
import torch
from flopledger import profile
from torch import nn
from torch.nn.parameter import is_lazy

pytestmark = pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.linear = (
            nn.LazyConv2d(4, 3),
            nn.LazyBatchNorm2d(),
            nn.LazyLinear(5),
        )

    def forward(self, x):
        return self.linear(self.norm(self.conv(x)).flatten(1))


@pytest.mark.parametrize("given", ["cpu", "meta"])
@pytest.mark.parametrize("weights", ["cpu", "meta"])
def test_lazy_layers_are_made_on_a_copy(weights, given):
    with torch.device(weights):
        network = Lazy()
    counted = profile(network, torch.zeros(2, 3, 8, 8, device=given))
    # images of 6 x 6 come out of the convolution
    conv, linear = 36 * 4 * (3 * 3 * 3), (4 * 36) * 5
    assert counted.total("macs") == 2 * (conv + linear)
    assert counted.total("params") == (4 * 27 + 4) + 2 * 4 + (4 * 36 * 5 + 5)
    assert counted.check.agrees is True
    assert all(is_lazy(p) for p in network.parameters())
    assert is_lazy(network.norm.running_mean)
