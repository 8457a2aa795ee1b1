"""Other FLOPs against the convention's arithmetic."""

import pytest
from flopledger.counting.formulas.elementwise import FREE, POINTWISE, is_free, is_pointwise
from flopledger.counting.formulas.every import known_operators, multiplies, work

X = (2, 3, 4, 4)


@pytest.mark.parametrize(
    ("op", "args", "out", "by_hand"),
    [
        ("relu_", [X], X, 96),
        ("add", [X, (4,)], X, 96),
        ("addcmul", [X, X, X], X, 3 * 96),
        ("addcdiv_", [X, X, X], X, 3 * 96),
        ("rrelu_with_noise", [X, X, 0.1, 0.3, True], X, 96),
        ("polar", [X, X], X, 4 * 96),
        ("kron", [(2, 3), (5, 7)], (10, 21), 210),
        ("cross", [(5, 3), (5, 3)], (5, 3), 3 * 15),
        ("linalg_cross", [(5, 3), (5, 3)], (5, 3), 3 * 15),
        # of several results the first
        ("log_sigmoid_forward", [X], (X, (2, 3)), 96),
        ("add", [(), ()], (), 1),
        ("sum", [X, [1]], (2, 4, 4), 96),
        ("mean", [X, [2, 3]], (2, 3), 96),
        ("var", [X, [1]], (2, 4, 4), 4 * 96),
        ("softmax", [X, -1], X, 5 * 96),
        ("layer_norm", [X, [4]], X, 7 * 96),
        ("native_layer_norm", [X, [4], (4,), (4,), 1e-5], (X, (2,), (2,)), 7 * 96),
        ("batch_norm", [X, (3,), (3,), (3,), (3,), False, 0.1, 1e-5, True], X, 2 * 96),
        ("batch_norm", [X, (3,), (3,), (3,), (3,), True, 0.1, 1e-5, True], X, 7 * 96),
        # 2 x 2 windows, each with 3 x 3 elements
        ("max_pool2d", [X, [3, 3], [1, 1]], (2, 3, 2, 2), 2 * 3 * 2 * 2 * 9),
        ("avg_pool3d", [(2, 1, 3, 4, 4), [3, 1, 1]], (2, 1, 1, 4, 4), 2 * 16 * 3),
        ("adaptive_avg_pool2d", [X, [1, 1]], (2, 3, 1, 1), 96),
        ("glu", [X, 1], (2, 3, 2, 4), 2 * 48),
        ("native_dropout", [X, 0.5, True], (X, X), 2 * 96),
        ("upsample_bilinear2d", [X, [8, 8]], (2, 3, 8, 8), 8 * 4 * 96),
    ],
)
def test_other_flops(op, args, out, by_hand):
    assert work(f"aten::{op}", args, {}, out) == (0, by_hand)


def test_an_operator_is_free_or_has_a_formula_not_both():
    assert not FREE & (POINTWISE | known_operators())


@pytest.mark.parametrize(
    ("op", "free"),
    [
        ("aten::view", True),
        ("aten::copy_", True),
        ("aten::embedding", True),
        ("prim::ListUnpack", True),
        ("aten::permute_copy", True),  # as permute
        ("aten::squeeze_copy_", True),
        ("aten::add", False),
        ("aten::add_", False),
        ("mine::view", False),
    ],
)
def test_moving_data_is_free(op, free):
    assert is_free(op) == free


@pytest.mark.parametrize(
    ("op", "pointwise"),
    [("aten::relu", True), ("aten::relu_", True), ("aten::sum", False), ("aten::mm", False)],
)
def test_what_maps_elements_to_elements(op, pointwise):
    assert is_pointwise(op) == pointwise
    assert multiplies(op) == (op == "aten::mm")
