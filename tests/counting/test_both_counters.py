"""Both counters on the same networks, against products written out by hand."""

import copy

import pytest
import torch
import torch.nn.functional as F
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.trace import fvcore_counter
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

COUNTERS = {"fvcore": fvcore_counter.count, "dispatch": dispatch_counter.count}
each = pytest.mark.parametrize("count", COUNTERS.values(), ids=COUNTERS)


def macs(calls, path=None):
    return sum(c.macs for c in calls if path is None or c.path == path)


def other(calls):
    return sum(c.other_flops for c in calls)


class Attention(nn.Module):
    """Causal self-attention of 4 heads of width 16 over 64 channels."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(64, 192), nn.Linear(64, 64)

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, 4, 16).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, 64))


class Baddbmm(nn.Module):
    def forward(self, x):
        return torch.baddbmm(x, x, x)


ATTENTION = 10 * 64 * 192 + 2 * (4 * 10 * 10 * 16) + 10 * 64 * 64
LSTM = 7 * 4 * 5 * ((8 + 5) + (5 + 5))
BOTH_WAYS = nn.LSTM(8, 5, 2, bidirectional=True, proj_size=3)
BIDIRECTIONAL = 7 * 2 * (4 * 5 * ((8 + 3) + (6 + 3)) + 2 * 3 * 5)
MHA = 2 * (4 * 7 * 8 * 8 + 2 * 7 * 7 * 8)

# network, input's shape, MACs by hand
NETWORKS = {
    "conv": (nn.Conv2d(3, 8, 5), (1, 3, 9, 9), 25 * 8 * 3 * 25),
    "grouped conv": (nn.Conv2d(4, 6, 3, groups=2), (1, 4, 9, 9), 49 * 6 * 2 * 9),
    "depthwise": (nn.Conv2d(4, 4, 3, padding=1, groups=4), (1, 4, 9, 9), 81 * 4 * 9),
    "dilated conv": (nn.Conv2d(3, 8, 3, dilation=2), (1, 3, 9, 9), 25 * 8 * 3 * 9),
    "same padding": (nn.Conv2d(3, 8, 3, padding="same"), (1, 3, 9, 9), 81 * 8 * 3 * 9),
    "conv 1d": (nn.Conv1d(3, 8, 3), (2, 3, 9), 2 * 7 * 8 * 3 * 3),
    "conv 3d": (nn.Conv3d(3, 8, 3), (1, 3, 5, 5, 5), 27 * 8 * 3 * 27),
    "transposed conv": (nn.ConvTranspose2d(4, 6, 3, 2, groups=2), (1, 4, 7, 7), 49 * 4 * 3 * 9),
    "linear": (nn.Linear(4, 5), (2, 3, 4), 2 * 3 * 4 * 5),
    "linear without bias": (nn.Linear(4, 5, bias=False), (3, 4), 3 * 4 * 5),
    "attention": (Attention(), (1, 10, 64), ATTENTION),
    "lstm": (nn.LSTM(8, 5, 2, batch_first=True), (1, 7, 8), LSTM),
    "lstm, both ways": (BOTH_WAYS, (7, 1, 8), BIDIRECTIONAL),
    "gru": (nn.GRU(8, 5), (7, 1, 8), 7 * 3 * 5 * (8 + 5)),
    "rnn": (nn.RNN(8, 5), (7, 1, 8), 7 * 5 * (8 + 5)),
    "lstm cell": (nn.LSTMCell(8, 5), (2, 8), 2 * 4 * 5 * (8 + 5)),
    "baddbmm": (Baddbmm(), (2, 4, 4), 2 * 4 * 4 * 4),
    "batch norm": (nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)), (1, 3, 4, 4), 16 * 8 * 3),
    "nothing": (nn.ReLU(), (2, 3), 0),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@each
@pytest.mark.parametrize("name", NETWORKS)
def test_macs_by_hand(count, name):
    network, shape, by_hand = NETWORKS[name]
    calls = count(network.eval(), (torch.zeros(shape),), {})
    assert macs(calls) == by_hand
    assert all(call.counted for call in calls)


@each
def test_fused_attention_modules(count):
    x = torch.zeros(2, 7, 8)
    mha = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    assert macs(count(mha, (x, x, x), {})) == MHA
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    assert macs(count(layer, (x,), {})) == MHA + 2 * 7 * 2 * (8 * 16)


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


@each
def test_a_packed_sequence_counts_its_real_steps(count):
    calls = count(Packed(), (torch.zeros(2, 7, 8), torch.tensor([7, 5])), {})
    assert macs(calls) == (7 + 5) * 4 * 4 * (8 + 4)
    assert all(call.counted for call in calls)


@each
def test_batch_norm_is_not_mixed_into_the_convolutions(count):
    # fvcore as it comes would report 16 * 8 * 3 + 2 * 16 * 8
    network, shape, by_hand = NETWORKS["batch norm"]
    calls = count(network.eval(), (torch.zeros(shape),), {})
    assert (macs(calls), other(calls)) == (by_hand, 2 * 16 * 8)
    assert macs(calls, "1") == 0


@each
def test_work_is_booked_on_the_innermost_module(count):
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.Flatten(), nn.Linear(16, 2)))
    calls = count(network, (torch.zeros(1, 3, 2, 2),), {})
    assert (macs(calls, "0"), macs(calls, "1.1"), macs(calls, "1")) == (4 * 4 * 3, 16 * 2, 0)


class Twice(nn.Module):
    """One layer called twice, and its weight once more by a function."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return F.linear(self.layer(self.layer(x)), self.layer.weight)


@each
def test_a_module_called_twice_counts_twice(count):
    calls = count(Twice(), (torch.zeros(3, 4),), {})
    assert macs(calls, "layer") == 2 * 3 * 4 * 4
    assert macs(calls, "") == 3 * 4 * 4


class Structured(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)

    def forward(self, batch, scale=None, *, name):
        assert name == "x"
        return {"y": self.layer(batch["x"]) * scale, "none": None}


@each
def test_dicts_keywords_and_other_things_go_in_and_out(count):
    args, kwargs = ({"x": torch.zeros(2, 4)},), {"name": "x", "scale": torch.ones(())}
    assert macs(count(Structured(), args, kwargs)) == 2 * 4 * 5


class Dead(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.dead = nn.Linear(4, 5), nn.Linear(4, 7)

    def forward(self, x):
        self.dead(x)
        return self.used(x)


def test_fvcore_prunes_what_does_not_reach_the_output_and_dispatch_does_not():
    x = torch.zeros(3, 4)
    assert macs(fvcore_counter.count(Dead(), (x,), {})) == 3 * 4 * 5
    assert macs(dispatch_counter.count(Dead(), (x,), {})) == 3 * 4 * 5 + 3 * 4 * 7


@torch.library.custom_op("unknown::halve", mutates_args=())
def halve(x: torch.Tensor) -> torch.Tensor:
    """An operator that nobody has a formula for."""
    return x / 2


halve.register_fake(torch.empty_like)


class Unknown(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4))

    def forward(self, x):
        return halve(self.inner(x))


@each
def test_an_operator_without_a_formula_is_listed_where_it_ran(count):
    calls = count(nn.Sequential(Unknown()), (torch.zeros(4, 4),), {})
    missing = [(c.op, c.path) for c in calls if not c.counted]
    assert missing == [("unknown::halve", "0")]
    assert macs(calls) == 4 * 4 * 4


class Integers(nn.Module):
    def forward(self, x):
        return (x @ x + x).sum(), torch._int_mm(x.to(torch.int8), x.to(torch.int8))


@each
def test_integers_are_multiplied_too(count):
    calls = count(Integers(), (torch.ones(32, 32, dtype=torch.int64),), {})
    assert (macs(calls), other(calls)) == (2 * 32 * 32 * 32, 0)
    assert all(c.counted for c in calls)


class Boom(nn.Module):
    def forward(self, x):
        raise RuntimeError("boom")


def _state(module):
    return {
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in module.modules()],
        "modes": [m.training for m in module.modules()],
        "tensors": [(id(t), t._version) for t in (*module.parameters(), *module.buffers())],
        "grads": [p.grad for p in module.parameters()],
        "flat": [id(w) for m in module.modules() for w in getattr(m, "_flat_weights", [])],
        "random": torch.random.get_rng_state().tolist()[:64],
        "keys": [list(m.__dict__) for m in module.modules()],
    }


@each
@pytest.mark.parametrize("tail", [nn.Identity(), Boom()])
def test_counting_leaves_no_trace(count, tail):
    network = nn.Sequential(nn.Conv1d(3, 4, 1), nn.BatchNorm1d(4), nn.LSTM(5, 2), tail)
    network[1].eval()  # a mixed mode, and batch norm in training would move its statistics
    network[0].register_forward_hook(lambda *_: None)
    network.insert(0, nn.BatchNorm1d(3))
    before, values = _state(network), copy.deepcopy(network.state_dict())
    if isinstance(tail, Boom):
        network[-1] = tail
        before = _state(network)
    try:
        count(network, (torch.zeros(2, 3, 5),), {})
    except RuntimeError as error:
        assert "boom" in str(error)
    else:
        assert not isinstance(tail, Boom)
    assert _state(network) == before
    after = network.state_dict()
    assert all(torch.equal(values[key], after[key]) for key in values)


@st.composite
def networks(draw):
    """A chain of convolutions and a linear layer, with the MACs worked out on the way."""
    channels, side = draw(st.integers(1, 4)) * 2, draw(st.integers(6, 12))
    shape, layers, total = (2, channels, side, side), [], 0
    for _ in range(draw(st.integers(1, 4))):
        groups = draw(st.sampled_from([1, 2]))
        kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 2)), 1
        filters = draw(st.integers(1, 4)) * 2
        layers.append(nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups))
        side = (side + 2 * padding - kernel) // stride + 1
        total += 2 * side * side * filters * (channels // groups) * kernel * kernel
        channels = filters
        layers += draw(st.sampled_from([[], [nn.ReLU()], [nn.BatchNorm2d(filters)], [nn.GELU()]]))
    units = draw(st.integers(1, 5))
    layers += [nn.Flatten(), nn.Linear(channels * side * side, units)]
    return nn.Sequential(*layers).eval(), shape, total + 2 * channels * side * side * units


@settings(max_examples=25)
@given(networks())
def test_random_networks_by_both_counters_and_by_hand(drawn):
    network, shape, by_hand = drawn
    x = torch.zeros(shape)
    assert macs(fvcore_counter.count(network, (x,), {})) == by_hand
    assert macs(dispatch_counter.count(network, (x,), {})) == by_hand


class Marked(nn.Module):
    """A part of which torch.profiler is told the name, as DataParallel does."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)

    def forward(self, x):
        with torch.profiler.record_function("a part"):
            return self.layer(x)


@each
def test_a_profilers_mark_is_no_operator(count):
    calls = count(Marked(), (torch.zeros(3, 4),), {})
    assert macs(calls) == 3 * 4 * 5
    assert all(c.counted for c in calls)
