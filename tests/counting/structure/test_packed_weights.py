"""Quantised layers have as many parameters as the layers that they were made from."""

import pytest
import torch
from flopledger.counting.profiling import profile
from torch import nn
from torch.ao import quantization

pytestmark = [
    pytest.mark.filterwarnings("ignore:torch.ao.quantization"),
    pytest.mark.filterwarnings("ignore:torch.quantize"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def quantised(*layers, dtype=torch.qint8):
    return quantization.quantize_dynamic(
        nn.Sequential(*layers), {type(layer) for layer in layers}, dtype=dtype
    )


def params_of(network, x):
    layers = profile(network, x).layers
    return {path: n for path, n in zip(layers.layer, layers.params, strict=True) if n}


@pytest.mark.parametrize("dtype", [torch.qint8, torch.float16])
def test_packed_weights_are_their_layers_parameters(dtype):
    network = quantised(nn.Linear(8, 8), nn.Linear(8, 4), dtype=dtype)
    counted = profile(network, torch.zeros(3, 8))
    assert counted.total("macs") == 3 * (8 * 8 + 8 * 4)
    assert (counted.total("params"), counted.total("trainable_params")) == (72 + 36, 0)
    assert params_of(network, torch.zeros(3, 8)) == {"0": 8 * 8 + 8, "1": 8 * 4 + 4}


def test_packed_recurrent_weights_too():
    # four gates of 4 units on 8 and 4 inputs, with two biases, both ways; then on 2 x 4 inputs
    first, second = 2 * 16 * (8 + 4 + 2), 2 * 16 * (8 + 4 + 2)
    network = quantised(nn.LSTM(8, 4, 2, bidirectional=True))
    assert params_of(network, torch.zeros(5, 2, 8)) == {"0": first + second}
    cell = quantised(nn.LSTMCell(4, 3))
    assert params_of(cell, torch.zeros(2, 4)) == {"0": 12 * (4 + 3 + 2)}


def test_a_packed_convolution_and_embedding_too():
    conv = torch.ao.nn.quantized.Conv2d(3, 4, 3)
    network = nn.Sequential(quantization.QuantStub(), nn.Conv2d(3, 4, 3))
    network[1] = conv
    table = torch.ao.nn.quantized.Embedding(10, 4)
    from flopledger.counting.structure.packed_weights import packed_params

    assert packed_params(network) == {"1": 4 * 3 * 9 + 4}
    assert packed_params(nn.Sequential(table, table)) == {"0": 10 * 4}  # shared: once


class WeightOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.zeros(16, 32, dtype=torch.int8))
        self.register_buffer("scales", torch.ones(16, dtype=torch.bfloat16))

    def forward(self, x):
        return torch._weight_int8pack_mm(x.bfloat16(), self.weight, self.scales)


def test_weights_that_are_buffers_are_named():
    counted = profile(nn.Sequential(WeightOnly()), torch.zeros(4, 32))
    assert (counted.total("macs"), counted.total("params")) == (4 * 16 * 32, 0)
    assert "0.weight: 512 weights are buffers, and not among the parameters" in counted.notes
