"""Where the trace cannot be had, its reason is in plain words, not in TorchScript's."""

import pytest
import torch
from flopledger import ProfilingError, profile
from flopledger.counting.trace.tracer_words import in_plain_words
from torch import nn
from torch.utils.checkpoint import checkpoint

X = torch.zeros(2, 4)
LINEAR = 2 * 4 * 4


@torch.jit.script
def named(x: torch.Tensor, name: str) -> tuple[torch.Tensor, str]:
    return x, name


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)


class SendsWords(Base):
    def forward(self, x):
        return self.layer(named(x, "a word")[0])


class TracesItself(Base):
    def forward(self, x):
        return torch.jit.trace(self.layer, torch.zeros(2, 4), check_trace=False)(x)


class Raises(Base):
    def forward(self, x):
        raise ArithmeticError


class Catches(Base):
    def __init__(self):
        super().__init__()
        self.raises = Raises()

    def forward(self, x):
        try:
            return self.raises(x)
        except ArithmeticError:
            return self.layer(x)


class Checkpointed(Base):
    def __init__(self):
        super().__init__()
        self.block = Catches()

    def forward(self, x):
        return self.layer(checkpoint(self.block, x, use_reentrant=True))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("network", "macs", "words"),
    [
        (SendsWords, LINEAR, "no tensor goes through TorchScript"),
        (TracesItself, 2 * LINEAR, "traces a part of itself"),  # to trace it runs it
        (Checkpointed, 2 * LINEAR, "lost track of a tensor"),
    ],
)
def test_the_reason_is_plain_and_dispatch_counts(network, macs, words):
    counted = profile(network(), X)
    assert (counted.counter, counted.total("macs"), counted.check.agrees) == (
        "dispatch",
        macs,
        None,
    )
    assert words in counted.check.reason
    with pytest.raises(ProfilingError, match=f"fvcore cannot trace it: .*{words}.*to auto") as no:
        profile(network(), X, counter="fvcore")
    assert isinstance(no.value.__cause__.__cause__, RuntimeError)  # the tracer's own


# as PyTorch's source has them: torch/csrc/jit/frontend/tracer.cpp, pybind.h, c10/core/TensorImpl.h
@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("Tracer cannot infer type of (tensor(1.), 'a')", "no tensor goes through TorchScript"),
        ("Tracer cannot set value trace for type Any", "no tensor goes through TorchScript"),
        ("Unsupported value kind: Object", "no tensor goes through TorchScript"),
        ("unsupported argument type in the JIT tracer", "no tensor goes through TorchScript"),
        ("Tried to trace <Future> but it is not part of the active trace", "goes through Torch"),
        ("Cannot insert a Tensor that requires grad as a constant.", "gradient is taken in forw"),
        ("elements, but its data is not allocated yet.", "gradient is taken in forward"),
        ("torch.jit.trace a dynamo-optimized function", "compiled by torch.compile"),
    ],
)
def test_the_tracers_words_are_made_plain(words, plain):
    error = RuntimeError(words)
    told = in_plain_words(error)
    assert plain in str(told)
    assert told.__cause__ is error


def test_a_networks_own_error_stays_its_own():
    error = ValueError("heads do not divide 7")
    assert in_plain_words(error) is error
    assert in_plain_words(None) is None
    with pytest.raises(ProfilingError, match="ArithmeticError") as no:
        profile(Raises(), X)
    assert "Trac" not in str(no.value)
