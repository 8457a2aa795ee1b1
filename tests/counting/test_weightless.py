"""Networks without weights: built, and computed."""

import resource
import subprocess
import sys

import torch
from flopledger.counting.weightless import build
from torch import nn


def test_zeros_take_no_memory():
    # half a gigabyte of weights, read by a real product, in less than a tenth of that
    code = """
import resource, torch
from torch import nn
from flopledger.counting.doubles import doubled
from flopledger.counting.weightless import zeros_for
with torch.device("meta"):
    layer = nn.Linear(8192, 16384, bias=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with doubled(layer, ((), {}), zeros_for(layer)) as double, torch.no_grad():
    assert double.module(torch.ones(1, 8192)).sum() == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 50_000  # KiB
    assert resource.getpagesize() <= 65536


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("index", torch.arange(5))
        self.weight = nn.Parameter(torch.rand(2, 2))


def test_building_keeps_integers_and_skips_weights():
    module = build(Positions)
    assert module.index.tolist() == [0, 1, 2, 3, 4]
    assert module.weight.device.type == "meta"


def asks_while_building():
    return nn.Linear(2, int(torch.linspace(3.0, 4.0, 2)[1].item()))


def test_a_factory_that_asks_for_a_value_is_built_for_real():
    assert build(asks_while_building).weight.shape == (4, 2)


class Planned(nn.Module):
    """Its widths are worked out with tensors, as torchvision's RegNet does."""

    def __init__(self):
        super().__init__()
        ends = torch.tensor([0, 3, 8])
        self.layers = nn.ModuleList(nn.Linear(4, n) for n in torch.diff(ends).tolist())
        self.scale = nn.Parameter(torch.tensor([1.5]))


def test_given_numbers_are_known_while_a_network_is_built():
    net = build(Planned)
    assert [layer.out_features for layer in net.layers] == [3, 5]
    assert net.layers[0].weight.is_meta  # built once, without weights
