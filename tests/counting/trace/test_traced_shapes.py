"""The tracer over shapes alone: nothing computed, nothing stale read, nothing left behind."""

import pytest
import torch
from flopledger.counting.trace import fvcore_counter
from torch import nn
from torch.nn import functional as F


def macs(network, *args, values="unknown"):
    return sum(call.macs for call in fvcore_counter.count(network, args, {}, values))


class Runs(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def test_a_network_of_any_size_is_traced():
    with torch.device("meta"):
        network = nn.Sequential(*[nn.Linear(2**17, 2**17, bias=False) for _ in range(3)])
        x = torch.zeros(2**10, 2**17)
    assert macs(network, x) == 3 * 2**10 * 2**34  # 192 GiB of weights, 53 PMAC


@pytest.mark.parametrize("padding", [1, "same"])
def test_a_convolution_is_written_down_as_with_numbers(padding):
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=padding), nn.ConvTranspose2d(8, 4, 2, 2))
    x = torch.zeros(1, 3, 9, 9)
    on_shapes, computed = (
        fvcore_counter.count(network, (x,), {}, values) for values in ("unknown", "zeros")
    )
    assert on_shapes == computed
    assert sum(call.macs for call in on_shapes) == 81 * 8 * 3 * 9 + 81 * 8 * 4 * 4


def overwritten(x):
    mask = torch.ones(4)
    mask[:2] = x[0, :2]  # numbers that nobody knows
    return x[mask > 0]


def test_numbers_written_over_by_unknown_ones_are_not_read():
    x = torch.zeros(4, 4)
    with pytest.raises((RuntimeError, NotImplementedError)):
        macs(Runs(overwritten), x)
    assert macs(Runs(overwritten), x, values="given") == 0


def test_known_numbers_stay_known():
    def kept(x):
        mask = torch.ones(4)
        mask[1:] = 0.0
        return x[mask > 0] @ x

    assert macs(Runs(kept), torch.zeros(4, 4)) == 1 * 4 * 4


def detached(x, weight):
    return F.linear(x.data, weight) + torch.linalg.vector_norm(x)


def test_a_trace_after_one_that_left_the_tracers_key_alone():
    x, weight = torch.zeros(3, 4), torch.zeros(5, 4)
    for _ in range(2):
        assert macs(Runs(detached), x, weight) == 3 * 4 * 5
    assert macs(Runs(detached), x, weight, values="zeros") == 3 * 4 * 5


def test_inverses_need_no_values():
    assert macs(Runs(lambda x: x @ torch.linalg.inv(x)), torch.eye(4)) == 4**3
