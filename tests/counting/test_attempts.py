"""Attempts: what came of asking a counter, and what is said of one that was stopped."""

import gc
import re

import pytest
import torch
from flopledger import Coverage, ProfilingError, WrongOption, profile
from flopledger.calls import OpCall
from flopledger.counting.attempts import Attempt, by_dispatch, by_fvcore, complaint
from flopledger.counting.doubles.network_double import ChangesItself
from torch import nn


class AsksForAValue(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x) if x.sum() < 1 else x


class Grows(nn.Module):
    def forward(self, x):
        self.late = nn.Linear(4, 4)
        return self.late(x)


def linear_call(**fields):
    return OpCall(path="", op="aten::linear", inputs=((1, 2),), outputs=((1, 3),), **fields)


def test_a_counter_that_is_not_stopped_has_operator_calls_and_layer_calls():
    network = nn.Sequential(nn.Linear(4, 5))
    for attempt in (by_dispatch, by_fvcore):
        tried = attempt(network, ((torch.zeros(2, 4),), {}))
        assert sum(call.macs for call in tried.forward) == 2 * 4 * 5
        assert tried.seen.calls == {"": 1, "0": 1}
        assert (tried.error, tried.stopped_at, tried.notes) == (None, "", ())
        assert tried.values == "unknown"


def test_a_network_that_asks_for_a_value_is_computed_and_noted():
    tried = by_dispatch(AsksForAValue(), ((torch.zeros(2, 4),), {}))
    assert sum(call.macs for call in tried.forward) == 2 * 4 * 4
    (note,) = tried.notes
    assert "test_attempts.py" in note
    assert "x.sum() < 1" in note


class Early(nn.Module):
    """Leaves after the first layer where its result is above 0."""

    def __init__(self, weight):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        nn.init.constant_(self.first.weight, weight)

    def forward(self, x):
        x = self.first(x)
        return x if x.sum() > 0 else self.second(x)


@pytest.mark.parametrize(("weight", "layers"), [(1.0, 1), (-9.0, 2)])
def test_the_values_are_the_callers_own_where_they_are_there(weight, layers):
    network = Early(weight)
    tried = by_dispatch(network, ((torch.ones(2, 4),), {}))
    assert sum(call.macs for call in tried.forward) == layers * 2 * 4 * 4
    assert tried.values == "given"
    assert "on the weights and inputs given" in tried.notes[0]
    again = by_fvcore(network, ((torch.ones(2, 4),), {}), tried.values)
    assert sum(call.macs for call in again.forward) == layers * 2 * 4 * 4


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (nn.Linear(5, 3), "mat1 and mat2 shapes cannot be multiplied (2x4 and 5x3)"),
        (nn.Unflatten(1, (3, 3)), "don't multiply up to the size of dim 1 (4)"),
    ],
)
def test_what_zeros_refuse_as_shapes_do_is_tried_on_no_other_values(network, words):
    tried = by_dispatch(network, ((torch.zeros(2, 4, device="meta"),), {}))
    assert words in str(tried.error)
    assert tried.values == "unknown"  # nor need the other counter compute anything


def test_zeros_stand_for_values_that_are_not_there():
    network = Early(1.0).to("meta")
    tried = by_dispatch(network, ((torch.ones(2, 4),), {}))
    assert sum(call.macs for call in tried.forward) == 2 * 2 * 4 * 4  # 0 is not above 0
    assert tried.values == "zeros"
    assert "on weights that are zero" in tried.notes[0]


def test_one_that_changes_itself_is_not_computed(monkeypatch):
    def no_second_pass(*_):
        raise AssertionError("it was computed as well")

    monkeypatch.setattr("flopledger.counting.attempts.fits", no_second_pass)
    tried = by_dispatch(Grows(), ((torch.zeros(2, 4),), {}))
    assert tried.calls is None
    assert isinstance(tried.error, ChangesItself)


class Viewed(nn.Module):
    def forward(self, x):
        return x.view(5, -1)


def test_shapes_that_an_operator_cannot_take_are_not_computed(monkeypatch):
    def no_second_pass(*_):
        raise AssertionError("it was computed as well")

    monkeypatch.setattr("flopledger.counting.attempts.fits", no_second_pass)
    x = torch.zeros(2, 3, 8, 8)
    for last, line in (
        (nn.Linear(5, 6), r"cannot be multiplied \(48x8 and 5x6\)"),
        (nn.Conv2d(4, 5, 3), "to have 4 channels, but got 3"),
        (nn.LayerNorm(7), "normalized_shape"),
        (Viewed(), "invalid for input of size 384"),
    ):
        tried = by_dispatch(nn.Sequential(nn.Identity(), last), ((x,), {}))
        assert re.search(line, str(tried.error)), tried.error
        assert tried.stopped_at == "stopped at layer 1, which got 2x3x8x8"


class Cut(nn.Module):
    """What it cuts off depends on values: nothing, where all are alike."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 6)

    def forward(self, x):
        return self.last(x[:, : 4 - int(x.argmax(-1).sum())])


def test_shapes_that_were_made_up_are_computed():
    tried = by_dispatch(Cut(), ((torch.ones(3, 4),), {}))
    assert (tried.values, sum(call.macs for call in tried.forward)) == ("given", 3 * 4 * 6)


@pytest.mark.parametrize("attempt", [by_dispatch, by_fvcore])
def test_where_it_stopped_stands_in_the_complaint(attempt):
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 6))
    tried = attempt(network, ((torch.zeros(2, 3),), {}))
    assert tried.calls is None
    assert tried.stopped_at == "stopped at layer 1, which got 2x4"
    line = complaint(tried)
    assert line.endswith("(stopped at layer 1, which got 2x4; change the input or that layer)")
    assert "\n" not in line


@pytest.mark.parametrize("attempt", [by_dispatch, by_fvcore])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_of_cycles_is_left_as_it_was(attempt, enabled):
    gc.enable() if enabled else gc.disable()
    try:
        attempt(nn.Linear(4, 5), ((torch.zeros(2, 4),), {}))
        attempt(nn.Linear(4, 5), ((torch.zeros(2, 3),), {}))  # it is stopped
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_want_of_memory_has_its_own_complaint():
    full = Attempt(counter="fvcore", error=MemoryError(), stopped_at="stopped at layer a")
    assert complaint(full) == (
        "memory is too small; give a smaller --batch or --input (stopped at layer a)"
    )
    nowhere = Attempt(counter="fvcore", error=MemoryError("numpy wants 9 TiB\nmore"))
    assert complaint(nowhere).endswith("(numpy wants 9 TiB)")


def test_both_passes_and_the_unknown_operators_each_once():
    calls = (
        linear_call(),
        linear_call(backward=True),
        OpCall(path="", op="mine::odd", inputs=(), outputs=(), counted=False),
        OpCall(path="a", op="mine::odd", inputs=(), outputs=(), counted=False),
    )
    attempt = Attempt(counter="dispatch", calls=calls)
    assert attempt.forward == (calls[0], *calls[2:])
    assert attempt.backward == (calls[1],)
    assert attempt.unknown == ("mine::odd",)


@pytest.mark.parametrize("counter", ["fvcore", "dispatch"])
def test_the_other_counter_checks(counter):
    counted = profile(nn.Linear(2, 3), torch.zeros(1, 2), counter=counter)
    assert counted.counter == counter
    assert {counted.counter, counted.check.counter} == {"fvcore", "dispatch"}
    assert (counted.check.macs, counted.check.agrees) == (6, True)


class Dead(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.dead = nn.Linear(4, 5), nn.Linear(4, 7)

    def forward(self, x):
        self.dead(x)
        return self.used(x)


@pytest.mark.parametrize("counter", ["auto", "fvcore", "dispatch"])
def test_work_that_reaches_no_output_is_counted_and_named(counter):
    counted = profile(Dead(), torch.zeros(1, 4), counter=counter)
    assert (counted.total("macs"), counted.check.macs, counted.check.agrees) == (48, 48, True)
    assert counted.notes == (
        "28 of the 48 MACs (58.3%) reach no output: the work of dead is thrown away",
    )


class FloatDecides(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) if x.sum() >= 0 else x


def test_where_a_float_decides_the_network_is_computed_and_the_line_named():
    counted = profile(FloatDecides(), torch.zeros(1, 4))
    assert (counted.total("macs"), counted.check.macs, counted.check.agrees) == (16, 16, True)
    (note,) = counted.notes
    assert "test_attempts.py" in note
    assert "x.sum() >= 0" in note
    assert "computed, on the weights and inputs given" in note


def test_where_a_float_decides_in_what_does_not_fit_the_line_is_named(monkeypatch):
    monkeypatch.setattr("flopledger.counting.attempts.fits", lambda module: False)
    with pytest.raises(ProfilingError, match=r"x\.sum\(\) >= 0.*too large to compute"):
        profile(FloatDecides(), torch.zeros(1, 4))


class Router(nn.Module):
    """Sends each token to the expert of the higher score, and nothing to the other."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(2, 2, bias=False)
        self.small, self.large = nn.Linear(2, 2, bias=False), nn.Linear(2, 8, bias=False)
        self.gate.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]])

    def forward(self, x):
        chosen = self.gate(x).argmax(-1)
        return self.small(x[chosen == 0]), self.large(x[chosen == 1])


def test_with_values_a_router_sends_each_token_where_it_would():
    x = torch.tensor([[0.0, 1.0]] * 5 + [[1.0, 0.0]])
    assert profile(Router(), x).total("macs") == 6 * 4 + 3 * 4 + 3 * 16  # evenly
    counted = profile(Router(), x, values=True)
    assert counted.total("macs") == 6 * 4 + 1 * 4 + 5 * 16
    assert counted.check.agrees
    assert counted.notes == ()
    with pytest.raises(WrongOption, match="stored on the CPU"):
        profile(Router().to("meta"), x, values=True)


class NoTensor(nn.Module):
    def forward(self, x):
        return int(x.shape[0])


def test_auto_takes_the_counter_that_can():
    counted = profile(NoTensor(), torch.zeros(1, 4))
    assert (counted.counter, counted.check.counter, counted.check.agrees) == (
        "dispatch",
        "fvcore",
        None,
    )
    assert "returns no tensor" in counted.check.reason


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x @ x

    @staticmethod
    def backward(ctx, grad):
        return grad


class OwnFunction(nn.Module):
    def forward(self, x):
        return Product.apply(x)


def test_auto_takes_the_counter_that_counts_all():
    # tracing does not look inside an autograd function
    counted = profile(OwnFunction(), torch.zeros(4, 4))
    assert (counted.counter, counted.total("macs"), counted.complete) == (
        "dispatch",
        4 * 4 * 4,
        True,
    )
    assert counted.check.agrees is None  # a lower bound contradicts nothing
    assert counted.check.reason.startswith("it has no formula for prim::PythonOp.Product")
    assert "prim::PythonOp.Product" in counted.reason


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_scripted_part_is_one_layer():
    network = nn.Sequential(nn.Linear(3, 4), torch.jit.script(nn.Linear(4, 5)))
    counted = profile(network, torch.zeros(2, 3))
    assert counted.total("macs") == 2 * 3 * 4 + 2 * 4 * 5
    assert counted.total("params") == 3 * 4 + 4 + 4 * 5 + 5


def test_coverage_is_the_share_that_has_a_formula():
    counted = profile(OwnFunction(), torch.zeros(4, 4), counter="fvcore")
    assert counted.coverage == Coverage(
        calls=0.0, arithmetic=None
    )  # a trace does not say its shapes
    known = profile(nn.Linear(2, 3), torch.zeros(1, 2))
    assert known.coverage == Coverage(calls=1.0, arithmetic=1.0)
