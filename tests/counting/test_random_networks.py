"""Networks drawn at random: both counters against a third arithmetic, written here from shapes."""

from math import prod

import pytest
import torch
import torch.nn.functional as F
from flopledger.cli.main import main
from flopledger.counting.profiling import profile
from flopledger.profiles.tables import ProfilingError
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn


class Steps(nn.Module):
    """Modules and functions one after the other; a module may stand in it several times."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.layers = nn.ModuleList(
            dict.fromkeys(step for step in steps if isinstance(step, nn.Module))
        )

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


class First(nn.Module):
    """The first of a recurrent layer's results."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x):
        return self.cell(x)[0]


def windows(side, kernel, stride, padding, dilation):
    """How many windows fit along a side: the arithmetic of torch.nn.Conv2d's documentation."""
    return (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@st.composite
def convolutions(draw, shape):
    """A convolution of one sort or another over that shape; its result's shape, its MACs."""
    batch, channels, *sides = shape
    groups = draw(st.sampled_from([g for g in (1, 2, 4, channels) if channels % g == 0]))
    filters = groups * draw(st.integers(1, 3))
    kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, 2))
    each = channels // groups * kernel ** len(sides)
    if draw(st.booleans()):
        layer = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d][len(sides) - 1]
        out = [(n - 1) * stride + dilation * (kernel - 1) + 1 for n in sides]
        step = layer(channels, filters, kernel, stride, dilation=dilation, groups=groups)
        macs = prod(shape) * (filters // groups) * kernel ** len(sides)
        return step, (batch, filters, *out), macs
    out = [windows(n, kernel, stride, padding, dilation) for n in sides]
    if min(out) < 1:
        return nn.Identity(), shape, 0
    if draw(st.booleans()):
        layer = [nn.Conv1d, nn.Conv2d, nn.Conv3d][len(sides) - 1]
        step = layer(channels, filters, kernel, stride, padding, dilation, groups)
    else:
        call = [F.conv1d, F.conv2d, F.conv3d][len(sides) - 1]
        weight = torch.ones(filters, channels // groups, *[kernel] * len(sides))
        step = lambda x: call(x, weight, None, stride, padding, dilation, groups)  # noqa: E731
    return step, (batch, filters, *out), batch * filters * prod(out) * each


@st.composite
def rows(draw, shape):
    """Something over the last axis of [batch, tokens, width]; its shape, its MACs."""
    batch, tokens, width = shape
    out = draw(st.integers(1, 6))
    weight = torch.ones(out, width)
    heads = draw(st.sampled_from([h for h in (1, 2, 3) if width % h == 0]))
    recurrent = draw(st.sampled_from([(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)]))

    def attend(x):
        split = x.unflatten(-1, (heads, -1)).transpose(1, 2)
        return F.scaled_dot_product_attention(split, split, split).transpose(1, 2).flatten(2)

    linear = batch * tokens * width * out
    cell = recurrent[0](width, out, batch_first=True)
    return draw(
        st.sampled_from(
            [
                (nn.Linear(width, out), (batch, tokens, out), linear),
                (lambda x: F.linear(x, weight), (batch, tokens, out), linear),
                (lambda x: x @ weight.T, (batch, tokens, out), linear),
                (lambda x: torch.einsum("btw,ow->bto", x, weight), (batch, tokens, out), linear),
                (
                    lambda x: torch.bmm(x, x.transpose(1, 2)),
                    (batch, tokens, tokens),
                    batch * tokens * tokens * width,
                ),
                (attend, shape, 2 * batch * tokens * tokens * width),
                (
                    First(cell),
                    (batch, tokens, out),
                    batch * tokens * recurrent[1] * out * (width + out),
                ),
                (nn.LayerNorm(width), shape, 0),
                (nn.GELU(), shape, 0),
            ]
        )
    )


@st.composite
def networks(draw):
    """Convolutions, then rows; now and then a layer runs again on its own result."""
    dimensions = draw(st.integers(1, 3))
    shape = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 4)),
        *[draw(st.integers(3, 6))] * dimensions,
    )
    first, steps, total = shape, [], 0
    for _ in range(draw(st.integers(0, 3))):
        step, after, macs = draw(convolutions(shape))
        repeats = 2 if after == shape and draw(st.booleans()) else 1
        steps, shape, total = steps + [step] * repeats, after, total + repeats * macs
        if prod(shape) > 20_000:
            break
    steps.append(nn.Flatten(2))
    shape = (*shape[:2], prod(shape[2:]))
    for _ in range(draw(st.integers(1, 4))):
        step, after, macs = draw(rows(shape))
        repeats = 2 if after == shape and draw(st.booleans()) else 1
        steps, shape, total = steps + [step] * repeats, after, total + repeats * macs
    return Steps(steps), first, shape, total


@settings(max_examples=60)
@given(networks())
def test_two_counters_and_the_arithmetic_of_shapes_agree(drawn):
    network, first, last, by_hand = drawn
    assert network(torch.zeros(first)).shape == last  # the drawing itself is right
    found = profile(network, torch.zeros(first))
    assert found.total("macs") == by_hand
    assert found.check.agrees, found.check
    assert found.complete
    assert found.layers["macs"].sum() == by_hand


NETWORKS = {
    "conv": lambda: nn.Conv2d(3, 4, 3),
    "grouped": lambda: nn.Conv1d(4, 4, 3, groups=2),
    "transposed": lambda: nn.ConvTranspose2d(3, 4, 3),
    "linear": lambda: nn.Linear(4, 5),
    "embedding": lambda: nn.Embedding(6, 4),
    "norm": lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)),
    "lstm": lambda: nn.LSTM(4, 3),
    "attention": lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
    "bilinear": lambda: nn.Bilinear(4, 4, 2),
}
SHAPES = st.lists(st.integers(0, 5), max_size=5)
DTYPES = st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64])


@settings(max_examples=150)
@given(st.sampled_from(sorted(NETWORKS)), st.lists(st.tuples(SHAPES, DTYPES), max_size=2))
def test_a_malformed_call_is_refused_where_pytorch_refuses_it(name, drawn):
    network = NETWORKS[name]().eval()
    inputs = [torch.zeros(shape, dtype=dtype) for shape, dtype in drawn]
    try:
        network(*inputs)  # gradients on: the fast path takes empty inputs that the layers refuse
        runs = True
    except Exception:
        runs = False
    try:
        found = profile(network, inputs)
    except ProfilingError as error:
        assert not runs, error
        assert "\n" not in str(error)
    else:
        assert runs, (found.total("macs"), found.check)
        assert found.check.agrees is not False


@settings(max_examples=60)
@given(st.text("0123456789,x=:-.intfloa64 ", max_size=14))
def test_a_malformed_input_is_one_line_and_no_traceback(capsys_factory, text):
    code, err = capsys_factory("profile", "alexnet", f"--input={text}", "--counter", "dispatch")
    assert code in (0, 1, 2)
    assert code == 0 or len(err) == 1, err
    assert not any("Traceback" in line for line in err)


@pytest.fixture(scope="module")
def capsys_factory():
    """The command line as a function: its exit code, its lines on stderr."""
    import contextlib
    import io

    def call(*words):
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as stop,
        ):
            main(words)
        return stop.value.code, err.getvalue().splitlines()

    return call
