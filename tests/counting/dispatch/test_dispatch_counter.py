"""What only the dispatch counter does: the backward pass, and code that asks for values."""

import subprocess
import sys

import pytest
import torch
from flopledger.counting.dispatch import dispatch_counter
from torch import nn
from torch.utils.checkpoint import checkpoint


def macs(calls, backward, path=None):
    return sum(c.macs for c in calls if c.backward == backward and path in (None, c.path))


def test_the_first_layer_needs_no_input_gradient():
    network = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.ReLU(), nn.Conv2d(6, 8, 3))
    calls = dispatch_counter.count(network, (torch.zeros(1, 4, 9, 9),), {}, backward=True)
    first, second = 49 * 6 * 2 * 9, 25 * 8 * 6 * 9
    assert macs(calls, backward=False) == first + second
    assert macs(calls, backward=True, path="0") == first
    assert macs(calls, backward=True, path="2") == 2 * second


def test_a_frozen_layer_needs_no_weight_gradient():
    network = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 7))
    network[1].requires_grad_(False)
    calls = dispatch_counter.count(network, (torch.zeros(3, 4),), {}, backward=True)
    by_hand = 3 * 4 * 5 + 3 * 5 * 6 + 2 * 3 * 6 * 7
    assert macs(calls, backward=True) == by_hand


def test_an_input_that_requires_a_gradient_gets_one():
    x = torch.zeros(3, 4, requires_grad=True)
    calls = dispatch_counter.count(nn.Linear(4, 5), (x,), {}, backward=True)
    assert macs(calls, backward=True) == 2 * 3 * 4 * 5
    assert x.grad is None


def test_nothing_to_differentiate_is_an_error():
    frozen = nn.Linear(4, 5).requires_grad_(False)
    with pytest.raises(ValueError, match="unfreeze a parameter"):
        dispatch_counter.count(frozen, (torch.zeros(3, 4),), {}, backward=True)


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))

    def forward(self, x):
        return checkpoint(self.layers, x, use_reentrant=False)


def test_a_recomputed_forward_belongs_to_the_backward_pass():
    calls = dispatch_counter.count(Checkpointed(), (torch.zeros(3, 4),), {}, backward=True)
    layer = 3 * 4 * 4
    assert macs(calls, backward=False) == 2 * layer
    # the first layer once more, and its weight's gradient; torch stops recomputing as soon as the
    # second layer's input is there
    assert macs(calls, backward=True, path="layers.0") == layer + layer
    assert macs(calls, backward=True, path="layers.2") == 2 * layer


class AsksForValues(nn.Module):
    """A layer a token that is not padding: integers decide how often it runs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("limit", torch.tensor(3))
        self.embed, self.layer = nn.Embedding(10, 4), nn.Linear(4, 4)

    def forward(self, tokens):
        x = self.embed(tokens)
        mask = torch.arange(tokens.shape[1]) < self.limit
        if (tokens == 0).any():
            x = x.masked_fill(~mask.unsqueeze(-1), 0.0)
        for _ in range(int((tokens[0] > 0).sum().item())):
            x = self.layer(x)
        return x[:, mask]


def test_integer_control_flow_runs_for_real():
    tokens = torch.tensor([[5, 6, 0, 7]])
    calls = dispatch_counter.count(AsksForValues(), (tokens,), {})
    assert macs(calls, backward=False) == 3 * (4 * 4 * 4)
    assert all(call.counted for call in calls)


def test_a_product_of_two_dtypes_is_refused_as_a_kernel_would():
    with pytest.raises(RuntimeError, match="takes one dtype, but got float32 and int64"):
        dispatch_counter.count(nn.Linear(4, 5), (torch.zeros(3, 4, dtype=torch.int64),), {})


class MakesTensors(nn.Module):
    def forward(self, x):
        scale = torch.full((4, 4), 0.5) + torch.eye(4) + torch.ones(4, dtype=torch.float32)
        return x.to("cpu") @ scale.tril()


def test_tensors_made_on_the_way_join_the_others():
    calls = dispatch_counter.count(MakesTensors(), (torch.zeros(2, 4),), {})
    assert macs(calls, backward=False) == 2 * 4 * 4


def test_a_parameter_is_named_where_it_is_used():
    network = nn.Sequential(nn.Linear(4, 5), nn.LSTM(5, 3))
    calls = dispatch_counter.count(network, (torch.zeros(2, 4),), {})
    assert {name for c in calls for name in c.params} == {n for n, _ in network.named_parameters()}


def test_an_ordinary_network_is_counted_without_importing_what_takes_long():
    code = """
import sys, torch
from flopledger import profile
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
class Causal(nn.Module):
    def forward(self, x):
        return scaled_dot_product_attention(x, x, x, is_causal=True)
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                    nn.GroupNorm(2, 4), Causal(), nn.Flatten(), nn.Linear(36, 8), nn.LayerNorm(8),
                    nn.Softmax(-1)).eval()
profile(net, torch.zeros(1, 3, 8, 8))
slow = ("sympy", "torch._dynamo", "fvcore.nn", "tabulate")  # the third compiles losses
sys.exit(any(name in sys.modules for name in slow))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 5, dtype=torch.complex64))
        self.register_buffer("ids", torch.ones(5, 7, dtype=torch.int64))

    def forward(self, x):
        return x @ self.weight, self.ids.T @ self.ids, self.ids + self.ids


def test_a_call_says_what_went_in_and_what_came_out():
    calls = dispatch_counter.count(Complex(), (torch.zeros(2, 3, dtype=torch.complex64),), {})
    product, integers, added = (c for c in calls if c.op in ("aten::mm", "aten::add"))
    assert (product.inputs, product.outputs) == (((2, 3), (3, 5)), ((2, 5),))
    assert product.macs == 4 * 2 * 3 * 5  # a complex product is four real ones
    assert product.params == ("weight",)
    assert (product.backward, product.recomputed, product.counted) == (False, False, True)
    # integers: products all the same, but no FLOP
    assert (integers.macs, integers.other_flops) == (7 * 5 * 7, 0)
    assert (added.macs, added.other_flops, added.params) == (0, 0, ())


def test_what_is_recomputed_says_so():
    calls = dispatch_counter.count(Checkpointed(), (torch.zeros(3, 4),), {}, backward=True)
    again = [c for c in calls if c.recomputed and c.macs]
    assert [(c.path, c.backward, c.op) for c in again] == [("layers.0", True, "aten::addmm")]
    assert not any(c.recomputed for c in calls if not c.backward)


@pytest.mark.parametrize("asks", [False, True])
def test_a_selection_is_evenly_spread_where_its_values_are_asked_for(asks):
    class Counts(nn.Module):
        def forward(self, x):
            return [torch.bincount(x.topk(2).indices.flatten())] if asks else x.topk(2)

    calls = dispatch_counter.count(Counts(), (torch.zeros(3, 4),), {})
    assert [c.evenly for c in calls if c.op == "aten::topk"] == [asks]


@pytest.mark.parametrize("values", ["unknown", "zeros", "given"])
def test_the_path_of_each_call_in_both_directions(values):
    network = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.ReLU(), nn.Linear(5, 6)))
    x = torch.zeros(3, 4)
    calls = dispatch_counter.count(network, (x,), {}, backward=True, values=values)
    products = [(c.path, c.backward, c.macs) for c in calls if c.macs]
    first, second = 3 * 4 * 5, 3 * 5 * 6
    assert products == [
        ("0", False, first),
        ("1.1", False, second),
        ("1.1", True, second),
        ("1.1", True, second),
        ("0", True, first),
    ]
    relu = [
        (c.path, c.backward, c.other_flops) for c in calls if "relu" in c.op or "thresh" in c.op
    ]
    assert relu == [("1.0", False, 15), ("1.0", True, 15)]


TWO_DTYPES = {
    "mm": [(3, 3), (3, 3)],
    "bmm": [(2, 3, 3), (2, 3, 3)],
    "mv": [(3, 3), (3,)],
    "dot": [(3,), (3,)],
    "addmm": [(3, 3), (3, 3), (3, 3)],
    "addmv": [(3,), (3, 3), (3,)],
    "addbmm": [(3, 3), (2, 3, 3), (2, 3, 3)],
    "baddbmm": [(2, 3, 3), (2, 3, 3), (2, 3, 3)],
    "conv1d": [(2, 3, 5), (3, 3, 2)],
    "Tensor.addmm_": [(3, 3), (3, 3), (3, 3)],
}


@pytest.mark.parametrize("op", TWO_DTYPES)
def test_no_product_mixes_two_dtypes(op):
    class Mixes(nn.Module):
        def forward(self, *tensors):
            if op == "Tensor.addmm_":
                return (tensors[0] + 0).addmm_(*tensors[1:])
            return getattr(torch, op)(*tensors)

    tensors = [torch.zeros(shape) for shape in TWO_DTYPES[op]]
    assert dispatch_counter.count(Mixes(), tuple(tensors), {})
    mixed = (*tensors[:-1], tensors[-1].double())
    with pytest.raises(RuntimeError, match="takes one dtype, but got float32 and float64"):
        dispatch_counter.count(Mixes(), mixed, {})


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_another_dtype_costs_as_many_operators(dtype):
    def operators(dtype):
        network = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6)).to(dtype)
        x = torch.zeros(3, 4, dtype=dtype)
        return [(c.op, c.macs) for c in dispatch_counter.count(network, (x,), {}, backward=True)]

    assert operators(dtype) == operators(torch.float32)


def test_what_is_given_by_name_went_in_as_well():
    class Searches(nn.Module):
        def forward(self, x, order):
            return torch.searchsorted(x, x[:2], sorter=order)

    calls = dispatch_counter.count(Searches(), (torch.zeros(5), torch.arange(5)), {})
    (call,) = (c for c in calls if c.op == "aten::searchsorted")
    assert call.inputs == ((5,), (2,), (5,))
