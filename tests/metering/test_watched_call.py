"""A metered call is the network's own: no fault of ours reaches it, none of our modes stays on."""

import pytest
import torch
from flopledger import MeterError, meter
from torch import nn


class Strange:
    """An argument that nothing can be asked of."""

    def __eq__(self, other):
        raise ArithmeticError

    def __hash__(self):
        raise ArithmeticError


@pytest.mark.parametrize("part", ["key_of", "Signature", "WatchedCall"])
def test_a_fault_of_the_meters_is_none_of_the_networks(monkeypatch, part):
    def fails(*given, **__):
        if given[:1] != ((),):  # what stands for a call that cannot be read has no arguments
            raise ArithmeticError

    network = nn.Bilinear(2, 3, 4)
    args = torch.zeros(1, 2), torch.zeros(1, 3)
    if part != "Signature":
        monkeypatch.setattr(f"flopledger.metering.call_counter.{part}", fails)
    else:
        monkeypatch.setattr("flopledger.metering.signature._tokens", fails)
    with meter(network) as m:
        assert network(*args).shape == (1, 4)
    totals = m.read().totals
    assert (totals.passes, totals.macs) == (1, None)  # unknown, and no zero
    assert not network._forward_hooks


def test_an_argument_that_cannot_be_hashed_is_an_argument():
    class Takes(nn.Linear):
        def forward(self, x, strange):
            return super().forward(x)

    network = Takes(3, 4)
    with meter(network) as m:
        network(torch.zeros(2, 3), Strange())
    assert m.read().totals.macs == 2 * 3 * 4


def test_a_meter_taken_off_while_a_call_runs_leaves_nothing_on():
    class TakesItOff(nn.Linear):
        def forward(self, x):
            m.detach()
            return super().forward(x)

    network = TakesItOff(3, 4)
    m = meter(network)
    m.attach()
    network(torch.zeros(2, 3))
    assert not network._forward_hooks
    assert not network._forward_pre_hooks
    with pytest.raises(MeterError, match="never called while it was metered"):
        m.read()


class Growing:
    """A cache of keys, which a call makes longer."""

    keys = None

    def update(self, new):
        self.keys = new if self.keys is None else torch.cat([self.keys.detach(), new])
        return self.keys


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.key = nn.Linear(8, 8, bias=False)

    def forward(self, x, cache):
        return x @ cache.update(self.key(x)).T


def test_a_cache_that_is_given_is_as_long_as_it_was_when_the_call_began():
    network, cache = Attends(), Growing()
    with meter(network) as m:
        for _ in range(2):
            network(torch.ones(1, 8), cache).sum().backward()
    totals = m.read().totals
    assert len(cache.keys) == 2
    # the key itself, and a score with each of the keys so far
    assert totals.macs == 2 * 8 * 8 + 8 + 2 * 8
    # of the weight, and of the keys of each call
    assert totals.backward_flops == 2 * ((8 * 8 + 8) + (8 * 8 + 2 * 8))
