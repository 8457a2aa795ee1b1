"""Formulas against products written out by hand."""

import flopledger
import pytest
import torch
from flopledger.counting.formulas.every import work
from flopledger.counting.formulas.formula_table import macs
from torch import nn


def cost(op, *args, out, **kwargs):
    return work(op, args, kwargs, out)


@pytest.mark.parametrize(
    ("op", "args", "out", "by_hand"),
    [
        ("aten::mm", [(2, 3), (3, 5)], (2, 5), 2 * 3 * 5),
        ("aten::bmm", [(7, 2, 3), (7, 3, 5)], (7, 2, 5), 7 * 2 * 3 * 5),
        ("aten::matmul", [(3,), (3,)], (), 3),
        ("aten::matmul", [(2, 3), (3,)], (2,), 2 * 3),
        ("aten::matmul", [(3,), (7, 3, 5)], (7, 5), 7 * 3 * 5),
        # the batch comes from the second operand: 4 x 7 products of [2, 3] with [3, 5]
        ("aten::matmul", [(2, 3), (4, 7, 3, 5)], (4, 7, 2, 5), 4 * 7 * 2 * 3 * 5),
        ("aten::mv", [(2, 3), (3,)], (2,), 2 * 3),
        ("aten::dot", [(3,), (3,)], (), 3),
        ("aten::addmm", [(5,), (2, 3), (3, 5)], (2, 5), 2 * 3 * 5),
        ("aten::baddbmm", [(7, 2, 5), (7, 2, 3), (7, 3, 5)], (7, 2, 5), 7 * 2 * 3 * 5),
        # the batch is summed away, so the result alone would give a seventh of it
        ("aten::addbmm", [(2, 5), (7, 2, 3), (7, 3, 5)], (2, 5), 7 * 2 * 3 * 5),
        ("aten::addmv", [(2,), (2, 3), (3,)], (2,), 2 * 3),
        ("aten::linear", [(4, 2, 3), (5, 3), (5,)], (4, 2, 5), 4 * 2 * 3 * 5),
    ],
)
def test_matrix_products(op, args, out, by_hand):
    assert cost(op, *args, out=out) == (by_hand, 0)


def test_in_place_costs_what_the_other_form_costs():
    assert cost("aten::baddbmm_", (7, 2, 5), (7, 2, 3), (7, 3, 5), out=(7, 2, 5)) == (210, 0)


def conv(x, weight, out, transposed=False, groups=1):
    rest = (None, [1, 1], [0, 0], [1, 1], transposed, [0, 0], groups)
    return cost("aten::convolution", x, weight, *rest, out=out)[0]


def test_convolution_is_points_times_filters_times_kernel_and_channels():
    assert conv((2, 3, 9, 9), (8, 3, 5, 5), (2, 8, 5, 5)) == 2 * (5 * 5) * 8 * (3 * 5 * 5)


def test_a_group_sees_its_own_channels_only():
    # alexnet's second layer: 27 x 27 points, 256 filters, 48 of 96 channels (Krizhevsky 2012, 3.5)
    assert conv((1, 96, 27, 27), (256, 48, 5, 5), (1, 256, 27, 27), groups=2) == (
        27 * 27 * 256 * 48 * 5 * 5
    )


def test_transposed_convolution_spreads_each_input():
    # 4 x 4 points, 3 channels in, each spread over 8 filters of 2 x 2
    assert conv((1, 3, 4, 4), (3, 8, 2, 2), (1, 8, 8, 8), transposed=True) == 4 * 4 * 3 * 8 * 2 * 2


@pytest.mark.parametrize(("mask", "times"), [((1, 1, 1), 2), ((0, 1, 1), 1), ((0, 0, 1), 0)])
def test_convolution_backward_repeats_the_forward_for_each_gradient(mask, times):
    forward = 27 * 27 * 256 * 48 * 5 * 5
    rest = ([256], [1, 1], [2, 2], [1, 1], False, [0, 0], 2, [bool(m) for m in mask])
    shapes = (1, 256, 27, 27), (1, 96, 27, 27), (256, 48, 5, 5)
    counts = cost("aten::convolution_backward", *shapes, *rest, out=((1, 96, 27, 27), None, None))
    assert counts == (times * forward, 0)


def test_padding_given_by_name_changes_nothing():
    args = (1, 3, 9, 9), (8, 3, 3, 3), None, [1, 1], "same", [1, 1], 1
    assert cost("aten::_convolution_mode", *args, out=(1, 8, 9, 9))[0] == 9 * 9 * 8 * 3 * 3 * 3


def test_attention_is_the_full_square():
    # 2 sequences, 4 heads, 10 queries, 12 keys, width 16, values of width 8
    query, key, value = (2, 4, 10, 16), (2, 4, 12, 16), (2, 4, 12, 8)
    scores = 2 * 4 * 10 * 12
    counts = cost(
        "aten::scaled_dot_product_attention", query, key, value, None, 0.0, True, out=(2, 4, 10, 8)
    )
    assert counts == (scores * 16 + scores * 8, scores * (1 + 5))


def test_grouped_query_attention_repeats_keys_not_work():
    query, key = (1, 8, 10, 16), (1, 2, 10, 16)
    counts = cost("aten::scaled_dot_product_attention", query, key, key, out=(1, 8, 10, 16))
    assert counts[0] == 2 * 8 * 10 * 10 * 16


def test_fused_multi_head_attention():
    # batch 2, 5 queries, 7 keys, width 8: q from 5, k and v from 7, out from 5; 2 products a score
    x, key, square = (2, 5, 8), (2, 7, 8), 8 * 8
    args = x, key, key, 8, 2, (24, 8), (24,), (8, 8), (8,)
    by_hand = 2 * (5 + 7 + 7) * square + 2 * 5 * square + 2 * (2 * 5 * 7 * 8)
    assert cost("aten::_native_multi_head_attention", *args, out=((2, 5, 8), None))[0] == by_hand


def test_fused_encoder_layer_adds_its_two_linear_layers():
    x, square = (2, 5, 8), 8 * 8
    args = (x, 8, 2, (24, 8), (24,), (8, 8), (8,), False, False, 1e-5, (8,), (8,), (8,), (8,),
            (16, 8), (16,), (8, 16), (8,))  # fmt: skip
    attention = 2 * 5 * 4 * square + 2 * (2 * 5 * 5 * 8)
    linear = 2 * 5 * (8 * 16 + 16 * 8)
    counts = cost("aten::_transformer_encoder_layer_fwd", *args, out=(2, 5, 8))
    assert counts[0] == attention + linear


# two layers of 4 units over 8 inputs; 3 gate matrices for a GRU, 4 for an LSTM, 1 for an RNN
def _weights(gates, directions=1, projection=0):
    width = projection or 4
    shapes = []
    for inputs in (8, directions * width):
        for _ in range(directions):
            shapes += [(gates * 4, inputs), (gates * 4, width), (gates * 4,), (gates * 4,)]
            shapes += [(projection, 4)] if projection else []
    return shapes


@pytest.mark.parametrize(("op", "gates", "elementwise"), [("gru", 3, 10), ("rnn_tanh", 1, 2)])
def test_recurrent_layers(op, gates, elementwise):
    steps = 2 * 7
    counts = cost(
        f"aten::{op}", (2, 7, 8), (2, 2, 4), _weights(gates), True, 2, out=((2, 7, 4), ())
    )
    assert counts[0] == steps * gates * 4 * ((8 + 4) + (4 + 4))
    assert counts[1] == steps * elementwise * (4 + 4)


def test_lstm_with_two_directions_and_projections():
    steps, state = 2 * 7, [(4, 2, 3), (4, 2, 4)]
    weights = _weights(4, directions=2, projection=3)
    counts = cost("aten::lstm", (2, 7, 8), state, weights, True, 2, out=((2, 7, 6), (), ()))
    first, second = 4 * 4 * (8 + 3) + 3 * 4, 4 * 4 * (6 + 3) + 3 * 4
    assert counts[0] == steps * 2 * (first + second)
    assert counts[1] == steps * 13 * (4 * 4)  # four cells of 4 units


def test_a_packed_sequence_counts_its_real_steps():
    # 5 + 3 real steps; the batch sizes stand between the data and the states
    counts = cost("aten::lstm", (8, 8), (5,), [(2, 2, 4)] * 2, _weights(4), True, out=((8, 4), ()))
    assert counts[0] == (5 + 3) * 4 * 4 * ((8 + 4) + (4 + 4))


def test_an_operator_without_a_formula_is_none_not_zero():
    assert cost("mine::op", (2, 3), out=(2, 3)) is None


def test_an_operator_has_one_formula():
    with pytest.raises(ValueError, match="aten::mm has a formula already"):
        macs("aten::mm")(lambda *_, out: 0)


@torch.library.custom_op("yours::pairs", mutates_args=())
def pairs(x: torch.Tensor) -> torch.Tensor:
    """All dot products of x's rows."""
    return x @ x.T


pairs.register_fake(lambda x: x.new_empty(x.shape[0], x.shape[0]))


class Pairs(nn.Module):
    def forward(self, x):
        return pairs(x)


def test_a_user_adds_a_formula_in_one_function():
    before = flopledger.profile(Pairs(), torch.zeros(6, 4))
    assert (before.total("macs"), before.complete) == (0, False)

    @flopledger.macs("yours::pairs")
    def rows_times_rows(x, *, out):
        return x[0] * x[0] * x[1]

    after = flopledger.profile(Pairs(), torch.zeros(6, 4))
    assert (after.total("macs"), after.complete, after.check.agrees) == (6 * 6 * 4, True, True)
    flopledger.macs("yours::pairs")(rows_times_rows)  # its file is read again
