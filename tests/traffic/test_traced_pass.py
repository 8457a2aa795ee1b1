"""Bytes that a pass moves, each by hand: elements x their size."""

import pytest
import torch
from flopledger import ProfilingError
from flopledger.traffic.traced_pass import traced
from torch import nn
from torch.nn import functional as F

FLOAT, HALF, INT64 = 4, 2, 8


def moved(module, *args, backward=False, dtype=None, **kwargs):
    return traced("net", module, (args, kwargs), backward).traffic(dtype)


def layer(traffic, path):
    return {layer.path: layer for layer in traffic.layers}[path]


@pytest.fixture(scope="module")
def chain():
    return moved(nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5)), torch.zeros(3, 10))


def test_a_linear_layer_reads_its_input_and_weights_and_writes_its_result(chain):
    first = layer(chain, "0")
    assert first.operator_bytes == first.fused_bytes == FLOAT * (30 + 10 * 20 + 20 + 60)
    assert first.params_bytes == FLOAT * (10 * 20 + 20)
    assert first.macs == 3 * 10 * 20


def test_the_whole_pass_as_one_kernel_hands_nothing_from_layer_to_layer(chain):
    params = 10 * 20 + 20 + 20 * 5 + 5
    assert chain.params_bytes == FLOAT * params
    assert chain.least_bytes == FLOAT * (params + 3 * 10 + 3 * 5)
    between = 2 * 60 + 2 * 60  # the first layer's result and the activation's, written and read
    assert chain.fused_bytes == chain.least_bytes + FLOAT * between


class Attention(nn.Module):
    """Two heads of four over five positions, causal, from one projection."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(8, 24)

    def forward(self, x):
        q, k, v = self.project(x).view(1, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2)).softmax(-1)
        return (scores @ v).transpose(1, 2).reshape(1, 5, 8)


def test_attention_in_one_kernel_keeps_its_scores_to_itself():
    own = layer(moved(Attention(), torch.zeros(1, 5, 8)), "")
    q = result = 5 * 8
    scores = 2 * 5 * 5
    assert own.fused_bytes == FLOAT * (3 * q + result)
    products = (q + q + scores) + (scores + q + result)
    copied = 2 * result  # to lie head by head within a position
    assert own.operator_bytes == FLOAT * (products + 2 * scores + copied)


def test_of_a_table_the_rows_looked_up_are_read():
    traffic = moved(nn.Embedding(1000, 8), torch.zeros(1, 3, dtype=torch.long))
    assert traffic.least_bytes == INT64 * 3 + FLOAT * (3 * 8 + 3 * 8)
    assert traffic.params_bytes == FLOAT * 3 * 8


class Cached(nn.Module):
    """Keys written into a cache at one position, all of which are read."""

    def forward(self, x, cache):
        cache.index_copy_(0, torch.tensor([3]), x)
        return cache @ x.T


def test_of_a_cache_one_row_is_written_and_all_are_read():
    own = layer(moved(Cached(), torch.zeros(1, 8), torch.zeros(100, 8)), "")
    written, read = 8, 100 * 8
    assert own.operator_bytes == INT64 + FLOAT * (8 + written + read + 8 + 100)


class Experts(nn.Module):
    """Rows of which each meets one of six matrices."""

    def __init__(self):
        super().__init__()
        self.matrices = nn.Parameter(torch.zeros(6, 16, 16))

    def forward(self, rows):
        ends = torch.arange(1, 7, dtype=torch.int32)
        return F.grouped_mm(rows, self.matrices, offs=ends)


@pytest.mark.parametrize(("rows", "met"), [(2, 2), (24, 6)])
def test_of_grouped_matrices_no_more_are_read_than_there_are_rows(rows, met):
    traffic = moved(Experts(), torch.zeros(rows, 16))
    assert traffic.params_bytes == FLOAT * met * 16 * 16


def test_another_dtype_is_that_of_the_floats_alone():
    net = nn.Sequential(nn.Embedding(100, 8), nn.Linear(8, 4, bias=False))
    traffic = moved(net, torch.zeros(1, 3, dtype=torch.long), dtype=torch.bfloat16)
    assert traffic.dtype == "bfloat16"
    assert traffic.least_bytes == INT64 * 3 + HALF * (3 * 8 + 8 * 4 + 3 * 4)


def test_a_backward_pass_reads_what_was_kept_and_writes_gradients():
    traffic = moved(nn.Linear(10, 20, bias=False), torch.zeros(3, 10), backward=True)
    weight, given, result = 10 * 20, 3 * 10, 3 * 20
    # the result's gradient is made where the backward pass begins
    assert traffic.least_bytes == FLOAT * (weight + given + result + weight)
    assert traffic.macs == 2 * 3 * 10 * 20


def test_no_bytes_are_told_of_a_network_that_asks_for_values():
    class Asks(nn.Linear):
        def forward(self, x):
            return super().forward(x) if x.sum() > 0 else x

    with pytest.raises(ProfilingError, match="asks for values"):
        moved(Asks(2, 2).to("meta"), torch.zeros(1, 2, device="meta"))
