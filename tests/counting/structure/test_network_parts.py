"""A network's parts: PyTorch's own iterators say what is right."""

import torch
from flopledger.counting.structure.network_parts import modules_of, tensors_of
from torch import nn


class Shares(nn.Module):
    def __init__(self):
        super().__init__()
        shared = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.deep = nn.Sequential(nn.Sequential(shared), nn.Linear(2, 2, bias=False))
        self.again = shared
        self.missing = None
        self.register_module("none", None)
        self.register_buffer("buffer", torch.zeros(1))
        self.register_buffer("empty", None)
        self.tied = self.deep[1].weight


def test_modules_are_those_of_named_modules_in_its_order():
    network = Shares()
    assert modules_of(network) == list(network.named_modules())
    assert [path for path, _ in modules_of(network)] == [
        "", "deep", "deep.0", "deep.0.0", "deep.0.0.0", "deep.0.0.1", "deep.1",
    ]  # fmt: skip


def test_each_parameter_and_buffer_comes_once():
    network = Shares()
    tensors = tensors_of(network)
    assert {id(t) for t in tensors} == {id(t) for t in (*network.parameters(), *network.buffers())}
    # a linear layer's two, a norm's two and three, a weight that is tied, a buffer
    assert len(tensors) == 2 + 5 + 1 + 1
