"""Stand-ins for a network's tensors: shaped alike, shared alike, gone afterwards."""

import resource
import subprocess
import sys

import pytest
import torch
from flopledger.counting.weightless import build, on_meta, stand_ins, zeros_for
from torch import nn


def test_shared_tensors_stay_shared_and_gradients_stay_asked_for():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    network[1].bias.requires_grad_(False)
    original = network[0].weight
    with stand_ins(network, on_meta) as names:
        assert network[0].weight is network[1].weight
        assert network[0].weight.device.type == "meta"
        assert not network[1].bias.requires_grad
        assert [name for name, tensor in names if tensor is network[1].weight] == ["0.weight"]
    assert network[0].weight is network[1].weight is original


def test_integers_are_copied_floats_are_not():
    module = nn.Module()
    module.register_buffer("index", torch.tensor([3, 1]))
    module.register_buffer("scale", torch.tensor([3.0, 1.0]))
    with stand_ins(module, zeros_for(module)):
        assert module.index.tolist() == [3, 1]
        assert module.scale.tolist() == [0.0, 0.0]
        module.index += 1
    assert module.index.tolist() == [3, 1]
    assert module.scale.tolist() == [3.0, 1.0]


def test_everything_is_put_back_after_an_exception():
    lstm = nn.LSTM(3, 2)
    weights = [id(w) for w in lstm._flat_weights]
    with pytest.raises(KeyError), stand_ins(lstm, on_meta):
        raise KeyError
    assert [id(w) for w in lstm._flat_weights] == weights
    assert [id(p) for p in lstm.parameters()] == weights


def test_zeros_take_no_memory():
    # half a gigabyte of weights, read by a real product, in less than a tenth of that
    code = """
import resource, torch
from torch import nn
from flopledger.counting.weightless import stand_ins, zeros_for
with torch.device("meta"):
    layer = nn.Linear(8192, 16384, bias=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with stand_ins(layer, zeros_for(layer)), torch.no_grad():
    assert layer(torch.ones(1, 8192)).sum() == 0
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
