"""Traces of what torch.jit's tracer, left alone, would end the process over."""

import contextlib

import pytest
import torch
from flopledger import profile
from flopledger.counting.trace import fvcore_counter
from torch import nn

X = torch.zeros(2, 8)
LINEAR = 2 * 8 * 8


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return self.linear(x)


class AsksForLengths(nn.Module):
    """Whether a layer takes lengths is tried out, as speechbrain's Sequential does."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Layer(), Layer()])

    def forward(self, x):
        for layer in self.layers:
            try:
                x = layer(x, lengths=None)
            except TypeError:
                x = layer(x)
        return x


class Middle(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = Layer()

    def forward(self, x, fast=True):
        return self.layer(x, x) if fast else self.layer(x)


class AsksDeeper(nn.Module):
    def __init__(self):
        super().__init__()
        self.middle = Middle()

    def forward(self, x):
        try:
            return self.middle(x)
        except TypeError:
            return self.middle(x, fast=False)


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x, whole=False):
        y = self.linear(x)
        if not whole:
            raise NotImplementedError
        return y


class GivesUpHalfway(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Half()

    def forward(self, x):
        try:
            return self.part(x)
        except NotImplementedError:
            return self.part(x, whole=True)


@pytest.mark.parametrize(("network", "macs"), [(AsksForLengths, 2 * LINEAR), (AsksDeeper, LINEAR)])
def test_an_exception_that_leaves_a_layer_closes_its_scope(network, macs):
    counted = profile(network(), X)
    assert (counted.total("macs"), counted.check.agrees) == (macs, True)
    assert counted.layers.set_index("layer")["macs"].max() == LINEAR


def test_what_was_done_before_the_exception_reaches_no_output():
    calls = fvcore_counter.count(GivesUpHalfway(), (X,), {})
    assert sum(call.macs for call in calls) == LINEAR


class Catches(nn.Module):
    """Goes on after an operator's exception, inside a layer or outside."""

    def __init__(self, inside):
        super().__init__()
        self.linear, self.inside = nn.Linear(8, 8), inside

    def forward(self, x):
        with contextlib.suppress(RuntimeError):
            self.linear(x[:, :3]) if self.inside else torch.mm(x, x)
        return self.linear(x)


@pytest.mark.parametrize("inside", [True, False])
def test_where_the_model_catches_an_operators_exception_there_is_no_trace(inside):
    counted = profile(Catches(inside), X)
    assert (counted.counter, counted.total("macs"), counted.check.agrees) == (
        "dispatch",
        LINEAR,
        None,
    )
    assert "an operator raised, and the model caught it" in counted.check.reason
    assert profile(Layer(), X).check.agrees  # the tracer is as it was


class Broken(nn.Module):
    """A hook of its own raises before the layer begins."""

    def __init__(self):
        super().__init__()
        self.layer = Layer()
        self.layer.register_forward_pre_hook(self.once)
        self.hooked = False

    def once(self, *_):
        self.hooked = not self.hooked
        if self.hooked:
            raise KeyError("not yet")

    def forward(self, x):
        try:
            return self.layer(x)
        except KeyError:
            return self.layer(x)


def test_a_layer_that_never_began_leaves_no_scope():
    counted = profile(Broken(), X)
    assert (counted.total("macs"), counted.check.agrees) == (LINEAR, True)
    assert counted.layers.set_index("layer").loc["layer.linear", "macs"] == LINEAR


class Sized(nn.Module):
    """Sizes as a key, an index and a factor, which tensors would not be."""

    def forward(self, x):
        batch, width = x.shape
        assert (type(batch), type(x.size(1)), type(x.numel())) == (int, int, int)
        return x.view(x.numel() // width, -1) @ x.new_ones({8: width}[width], batch + 1)


def test_sizes_are_numbers_and_tensors_are_as_they_were():
    before = vars(torch.Tensor).copy()
    calls = fvcore_counter.count(Sized(), (X,), {})
    assert [call.op for call in calls if call.macs] == ["aten::matmul"]
    assert sum(call.macs for call in calls) == 2 * 8 * (2 + 1)
    assert vars(torch.Tensor) == before
