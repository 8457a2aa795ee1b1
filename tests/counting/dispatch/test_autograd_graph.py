"""What autograd's graph says of a backward pass, against products by hand, and beside the other."""

import pytest
import torch
import torch.nn.functional as F
from flopledger.counting.dispatch.autograd_graph import read
from flopledger.counting.profiling import profile
from torch import nn, rand
from torch.utils.checkpoint import checkpoint


class Call(nn.Module):
    """A function as a network; its layers, if it has any, come first among its arguments."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, *args):
        return self.function(*self.layers, *args)


def frozen(layer):
    return layer.requires_grad_(False)


def complex_(*shape):
    return torch.randn(*shape, dtype=torch.complex64)


MM, SCORES = 4 * 3 * 5, 2 * 5 * 7  # 2 heads, 5 queries by 7 keys
HEADS = rand(1, 2, 5, 11), rand(1, 2, 7, 11), rand(1, 2, 7, 11)
CONV = 6 * 6 * 4 * (3 * 9)  # 3 channels of 8 x 8 to 4 by 3 x 3
SPREAD = 16 * 3 * (6 * 4)  # each of 3 x 16 elements to 6 channels by 2 x 2
FUNCTIONS = {  # function, arguments, the forward's MACs: twice as many backward
    "mm": (torch.mm, (rand(4, 3), rand(3, 5)), MM),
    "bmm": (torch.bmm, (rand(2, 4, 3), rand(2, 3, 5)), 2 * MM),
    "addmm": (torch.addmm, (rand(5), rand(4, 3), rand(3, 5)), MM),
    "baddbmm": (torch.baddbmm, (rand(2, 4, 5), rand(2, 4, 3), rand(2, 3, 5)), 2 * MM),
    "addbmm": (torch.addbmm, (rand(4, 5), rand(2, 4, 3), rand(2, 3, 5)), 2 * MM),
    "mv": (torch.mv, (rand(4, 3), rand(3)), 4 * 3),
    "addmv": (torch.addmv, (rand(4), rand(4, 3), rand(3)), 4 * 3),
    "dot": (torch.dot, (rand(7), rand(7)), 7),
    "complex mm": (torch.mm, (complex_(4, 3), complex_(3, 5)), 4 * MM),
    "conv": (F.conv2d, (rand(1, 3, 8, 8), rand(4, 3, 3, 3)), CONV),
    "conv in groups": (
        lambda x, w: F.conv2d(x, w, groups=3), (rand(1, 3, 8, 8), rand(6, 1, 3, 3)), 36 * 6 * 9,
    ),
    "transposed": (
        lambda x, w: F.conv_transpose2d(x, w, stride=2), (rand(1, 3, 4, 4), rand(3, 6, 2, 2)),
        SPREAD,
    ),
    "attention": (F.scaled_dot_product_attention, HEADS, SCORES * (11 + 11)),
    "distances": (torch.cdist, (rand(30, 3), rand(7, 3)), 30 * 7 * 3),
    # 2 pictures of 4 x 5 points, [x, y, 1] times [3, 2]; only the matrices want a gradient
    "affine grid": (
        lambda theta: F.affine_grid(theta, (2, 1, 4, 5), align_corners=False), (rand(2, 2, 3),),
        2 * 20 * 3 * 2,
    ),
    "outer": (torch.outer, (rand(4), rand(5)), 0),
    "elements": (lambda a, b: (a * b).softmax(-1), (rand(4, 5), rand(4, 5)), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("values", [False, True])
def test_both_counters_say_twice_the_forward_where_all_is_wanted(name, values):
    function, args, by_hand = FUNCTIONS[name]
    args = tuple(a.requires_grad_() for a in args)
    counted = profile(Call(function), args, backward=True, values=values)
    check = counted.backward_check
    whole = len(args) * by_hand if name == "affine grid" else 2 * by_hand
    assert counted.total("macs") == by_hand
    assert (counted.backward.macs, check.macs, check.agrees) == (whole, whole, True)
    # the CPU's kernel computes its scores a second time
    assert counted.backward.rescored_macs == (SCORES * 11 if name == "attention" and values else 0)


@pytest.mark.parametrize("operand", [-2, -1])
@pytest.mark.parametrize(
    "name", "mm bmm addmm baddbmm addbmm mv addmv dot conv transposed distances".split()
)
def test_of_two_operands_the_wanted_one_takes_as_many_as_the_forward(name, operand):
    function, args, by_hand = FUNCTIONS[name]
    args = tuple(a.detach().clone() for a in args)
    args[operand].requires_grad_()
    counted = profile(Call(function), args, backward=True)
    # of distances both are made all the same
    expected = 2 * by_hand if name == "distances" else by_hand
    check = counted.backward_check
    assert (counted.backward.macs, check.macs) == (expected, expected)


NETWORKS = {  # network, input that wants no gradient, the backward's MACs
    "first layer": (nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2)), rand(4, 3), MM + 2 * 4 * 10),
    "frozen conv behind another": (
        nn.Sequential(nn.Conv2d(3, 4, 3), frozen(nn.Conv2d(4, 5, 3))), rand(1, 3, 8, 8),
        CONV + 16 * 5 * 4 * 9,
    ),
    "frozen transposed": (
        nn.Sequential(nn.Conv2d(3, 3, 1), frozen(nn.ConvTranspose2d(3, 6, 2, 2))), rand(1, 3, 4, 4),
        16 * 9 + SPREAD,
    ),
    "transposed, first": (nn.ConvTranspose2d(3, 6, 2, 2), rand(1, 3, 4, 4), SPREAD),
    # x's gradient is not wanted; the weight's: first x gradient (4 x 3 x 6), then x the other side
    "bilinear": (
        Call(lambda layer, x: layer(x, x), nn.Bilinear(3, 3, 6)), rand(4, 3),
        4 * 3 * 6 + 4 * 6 * 3 * 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_not_wanted_is_in_neither_count(name):
    network, x, by_hand = NETWORKS[name]
    counted = profile(network, x, backward=True)
    check = counted.backward_check
    assert (counted.backward.macs, check.macs, check.agrees) == (by_hand, by_hand, True)


def test_layers_of_recurrence_and_attention_agree():
    for network, args in (
        (nn.LSTM(3, 4, 2, bidirectional=True), (rand(5, 2, 3),)),
        (nn.GRU(3, 4), (rand(5, 2, 3),)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (rand(2, 5, 8),)),
    ):
        assert profile(network, args, backward=True).backward_check.agrees


def test_what_checkpointing_computes_again_is_left_out_on_both_sides():
    layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    kept = Call(lambda inner, x: checkpoint(inner, x, use_reentrant=False), layers)
    counted = profile(kept, rand(3, 4), backward=True)
    # two weights and one input of 3 x 4 x 4 each; the first layer runs once more
    assert (counted.backward.macs, counted.backward.recomputed_macs) == (4 * 48, 48)
    assert (counted.backward_check.macs, counted.backward_check.agrees) == (3 * 48, True)


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


@pytest.mark.parametrize(
    ("network", "x", "reason"),
    [
        (Call(lambda layer, x: Own.apply(layer(x)), nn.Linear(3, 5)), rand(4, 3), "OwnBackward"),
        (
            Call(lambda layer, x: torch.linalg.inv(layer(x)), nn.Linear(3, 3)), rand(3, 3),
            "LinalgInvEx",
        ),
    ],
)  # fmt: skip
def test_what_the_graph_does_not_show_is_unknown(network, x, reason):
    check = profile(network, x, backward=True, values=True).backward_check
    assert (check.macs, check.agrees) == (None, None)
    assert reason in check.reason


def test_gradients_of_gradients_are_products_as_others_are_but_a_convolutions():
    def force(layer, x):
        return torch.autograd.grad(layer(x).tanh().sum(), x, create_graph=True)[0]

    counted = profile(Call(force, nn.Linear(3, 4)), rand(5, 3, requires_grad=True), backward=True)
    assert counted.backward_check.agrees
    x = rand(1, 3, 8, 8, requires_grad=True)
    check = profile(Call(force, nn.Conv2d(3, 4, 3)), x, backward=True).backward_check
    assert "ConvolutionBackwardBackward" in check.reason


def test_a_sparse_matrix_is_unknown_to_the_graph():
    network = Call(lambda layer, a, x: torch.sparse.mm(a, layer(x)), nn.Linear(3, 3))
    check = profile(network, (torch.eye(4).to_sparse(), rand(4, 3)), backward=True).backward_check
    assert check.agrees is None
    assert "sparse" in check.reason


def test_a_count_that_lacks_a_product_is_found_out(monkeypatch):
    from flopledger.counting.formulas import formula_table

    monkeypatch.setitem(formula_table._macs, "aten::mm", lambda *_, **__: 0)
    counted = profile(nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2)), rand(4, 3), backward=True)
    check = counted.backward_check
    assert (counted.backward.macs, check.agrees) == (0, False)
    assert check.reason == "they differ at 1, 0"  # as it goes back


def test_the_graph_is_read_before_anything_runs():
    weight = rand(3, 5, requires_grad=True)
    out = rand(4, 3) @ weight
    assert read([out, out.sum()], lambda node: node.name()).macs == {"MmBackward0": MM}
    assert weight.grad is None
    out.sum().backward()  # the graph is still there


def test_without_a_check_nothing_checks_the_backward_pass_either():
    counted = profile(nn.Linear(3, 5), rand(4, 3), backward=True, check=False)
    assert (counted.backward.macs, counted.backward_check) == (MM, None)


def test_torchscript_takes_gradients_that_the_graph_does_not_show():
    scripted = torch.jit.script(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)))
    for _ in range(3):  # it is compiled into one piece at the second call
        scripted(torch.zeros(2, 8))
    counted = profile(scripted, (torch.zeros(2, 8),), backward=True)
    assert counted.backward.macs == 2 * (8 * 8 + 2 * 8 * 4)
    assert counted.backward_check.agrees is None
    assert "TorchScript" in counted.backward_check.reason
