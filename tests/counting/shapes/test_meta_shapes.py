"""Our shape rules against PyTorch's own, and against the arithmetic of windows."""

import pytest
import torch
from flopledger import memory, profile
from flopledger.counting.shapes.kernel_checks import checks_of
from flopledger.counting.shapes.meta_shapes import infer
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

aten = torch.ops.aten


def meta(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


def both(overload, *args, **kwargs):
    """The result by our rule and by PyTorch's, as (shape, dtype) pairs."""
    schema = overload._schema
    ours = infer(schema.name, schema.overload_name, args, kwargs)
    assert ours is not NotImplemented, f"{schema.name} has no rule for this call"
    theirs = overload(*args, **kwargs)
    return _described(ours), _described(theirs)


def _described(out):
    return [(tuple(t.shape), t.dtype) for t in (out if isinstance(out, tuple | list) else [out])]


LN = meta(5, 6)
LN4 = meta(4)
IMAGE = meta(2, 4, 9, 7)
CALLS = {
    "mm": (aten.mm.default, meta(2, 3), meta(3, 5)),
    "addmm": (aten.addmm.default, meta(5), meta(2, 3), meta(3, 5)),
    "bmm": (aten.bmm.default, meta(7, 2, 3), meta(7, 3, 5)),
    "softmax": (aten._softmax.default, meta(2, 3), -1, False),
    "batch_norm": (aten.native_batch_norm.default, IMAGE, *[meta(4)] * 4, False, 0.1, 1e-5),
    "batch_norm train": (aten.native_batch_norm.default, IMAGE, *[meta(4)] * 4, True, 0.1, 1e-5),
    "layer_norm": (aten.native_layer_norm.default, meta(3, 5, 6), [5, 6], LN, LN, 1e-5),
    "group_norm": (aten.native_group_norm.default, meta(2, 4, 5, 6), LN4, LN4, 2, 4, 30, 2, 1e-5),
    "group_norm, rows": (aten.native_group_norm.default, meta(3, 6), None, None, 3, 6, 1, 3, 1e-5),
    "mean": (aten.mean.dim, IMAGE, [-1, 2]),
    "mean keepdim": (aten.mean.dim, IMAGE, [1], True),
    "sum": (aten.sum.dim_IntList, IMAGE, [0]),
    "sum of all": (aten.sum.default, IMAGE),
    "cat": (aten.cat.default, [meta(2, 3), meta(5, 3)], 0),
    "stack": (aten.stack.default, [meta(2, 3)] * 4, -1),
    "where": (aten.where.self, meta(3, dtype=torch.bool), meta(2, 1), meta(1, 3)),
    "where of doubles": (
        aten.where.self, meta(3, dtype=torch.bool), meta(2, 1, dtype=torch.float64),
        meta(1, 3, dtype=torch.float64),
    ),
    "embedding": (aten.embedding.default, meta(10, 4), meta(2, 3, dtype=torch.int64)),
    "relu": (aten.relu.default, meta(2, 3)),
    "softmax of the first": (aten._softmax.default, meta(2, 3), -2, False),
    "log_softmax of the last": (aten._log_softmax.default, meta(2, 3), 1, False),
    "batch_norm of features": (
        aten.native_batch_norm.default, meta(2, 4), *[meta(4)] * 4, False, 0.1, 1e-5,
    ),
    "layer_norm of rows": (aten.native_layer_norm.default, meta(3, 6), [6], None, None, 1e-5),
    "mean of all": (aten.mean.default, IMAGE),
    "mean from end to end": (aten.mean.dim, IMAGE, [-4, 3], True),
    "cat of columns": (aten.cat.default, [meta(2, 3), meta(2, 5), meta(2, 7)], -1),
    "cat of rows from the end": (aten.cat.default, [meta(2, 3), meta(5, 3)], -2),
    "stack in front": (aten.stack.default, [meta(2, 3)] * 4, -3),
    "stack behind": (aten.stack.default, [meta(2, 3)] * 4, 2),
    "stack between": (aten.stack.default, [meta(2, 3)] * 4, 1),
    "max_pool3d": (aten.max_pool3d_with_indices.default, meta(2, 3, 5, 6, 7), [2]),
    "avg_pool3d": (aten.avg_pool3d.default, meta(2, 3, 5, 6, 7), [2, 3, 1]),
    "avg_pool2d, half padded": (aten.avg_pool2d.default, IMAGE, [2, 2], [3], [1, 0]),
    "max_pool2d, half padded": (aten.max_pool2d_with_indices.default, IMAGE, [2, 2], [3], [1]),
    "pool of one window": (aten.avg_pool2d.default, IMAGE, [9, 7]),
    "conv 1d": (
        aten.convolution.default, meta(2, 4, 9), meta(6, 4, 9), None, [2], [0], [1], False, [0], 1,
    ),
    "conv, transposed": (
        aten.convolution.default, IMAGE, meta(4, 3, 4, 5), meta(6),
        [2, 3], [1, 0], [1, 2], True, [1, 0], 2,
    ),
    "conv 1d, transposed": (
        aten.convolution.default, meta(2, 4, 9), meta(4, 6, 3), None, [2], [1], [1], True, [1], 1,
    ),
    "adaptive pool": (aten._adaptive_avg_pool2d.default, IMAGE, [6, 1]),
    "upsample": (aten.upsample_nearest2d.default, IMAGE, [18, 21], 2.0, 3.0),
    "amax": (aten.amax.default, IMAGE, [2, -1]),
    "amax of all": (aten.amax.default, IMAGE),
    "amin keepdim": (aten.amin.default, IMAGE, [1], True),
    "cat to nothing": (aten.cat.default, [meta(0), meta(2, 3), meta(5, 3)], 0),
    "triu": (aten.triu.default, meta(2, 3, 4), 1),
    "pow of a number": (aten.pow.Scalar, 2.0, meta(2, 3)),
    "add_": (aten.add_.Tensor, meta(2, 3), meta(3)),
    "mul_": (aten.mul_.Scalar, meta(2, 3), 2.0),
    "fill_": (aten.fill_.Scalar, meta(2, 3), 2.0),
    "uniform_": (aten.uniform_.default, meta(2, 3)),
    "normal_": (aten.normal_.default, meta(2, 3)),
    "zero_": (aten.zero_.default, meta(2, 3)),
    "copy_": (aten.copy_.default, meta(2, 3), meta(3)),
    "rsub": (aten.rsub.Scalar, meta(2, 3), 1.0),
    "tril": (aten.tril.default, meta(3, 3)),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_a_rule_says_what_pytorch_says(call):
    overload, *args = CALLS[call]
    ours, theirs = both(overload, *args)
    assert ours == theirs


sizes = st.integers(1, 3)


@settings(max_examples=60)
@given(
    st.integers(5, 12), st.integers(5, 12), sizes, sizes, sizes, st.integers(0, 2), sizes,
    st.sampled_from([1, 2]),
)  # fmt: skip
def test_convolutions(height, width, k1, k2, stride, padding, dilation, groups):
    x, weight = meta(2, 4, height, width), meta(6, 4 // groups, k1, k2)
    tail = [stride, 1], [padding, 0], [1, dilation], False, [0, 0], groups
    if width < dilation * (k2 - 1) + 1:
        return
    ours, theirs = both(aten.convolution.default, x, weight, meta(6), *tail)
    assert ours == theirs


@settings(max_examples=60)
@given(st.integers(5, 12), st.integers(2, 4), sizes, st.integers(0, 1), sizes)
def test_pools(side, kernel, stride, padding, dilation):
    x = meta(2, 3, side, side)
    if side + 2 * padding < dilation * (kernel - 1) + 1:
        return
    window = [kernel] * 2, [stride] * 2, [padding] * 2
    ours, theirs = both(aten.max_pool2d_with_indices.default, x, *window, [dilation] * 2)
    assert ours == theirs
    ours, theirs = both(aten.avg_pool2d.default, x, *window)
    assert ours == theirs


@settings(max_examples=60)
@given(st.lists(st.sampled_from([1, 3]), max_size=4), st.lists(st.sampled_from([1, 3]), max_size=4))
def test_pointwise_operators_broadcast(a, b):
    ours, theirs = both(aten.mul.Tensor, meta(*a), meta(*b))
    assert ours == theirs


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(RuntimeError, match=r"\(2,\), \(3,\) do not broadcast"):
        infer("aten::mul", "Tensor", (meta(2), meta(3)), {})
    with pytest.raises(RuntimeError, match="do not broadcast"):
        infer("aten::addmm", "default", (meta(4), meta(2, 3), meta(3, 5)), {})


@pytest.mark.parametrize(
    "call",
    [
        ("aten::mm", "default", (meta(2, 3), meta(4, 5)), {}),
        ("aten::mul", "Tensor", (meta(2), meta(2, dtype=torch.float64)), {}),
        ("aten::mul", "Tensor", (meta(2), 1j), {}),
        ("aten::add", "out", (meta(2), meta(2)), {"out": meta(2)}),
        ("aten::relu", "default", (torch.zeros(2),), {}),
        ("aten::mul", "Tensor", (meta(2, dtype=torch.int64), 2), {}),
        ("aten::softmax", "int", (meta(2), 0), {"dtype": torch.float64}),
        ("aten::nonzero", "default", (meta(2),), {}),
        ("aten::_softmax", "default", (meta(2, 3), 2, False), {}),
        ("aten::mean", "dim", (meta(2, 3), [2]), {}),
        ("aten::cat", "default", ([meta(2, 3)] * 2, 2), {}),
        ("aten::stack", "default", ([meta(2, 3)] * 2, 3), {}),
        ("aten::stack", "default", ([meta(2, 3)] * 2, -4), {}),
        ("aten::stack", "default", ([meta(2, 3), meta(3, 2)], 0), {}),
        ("aten::cat", "default", ([meta(2, 3)] * 2, -3), {}),
        ("aten::cat", "default", ([meta(2, 3), meta(2, 5)], 0), {}),
        ("aten::cat", "default", ([meta(2, 3), meta(2, 3, dtype=torch.float64)], 0), {}),
        ("aten::cat", "default", ([], 0), {}),
        ("aten::_softmax", "default", (meta(2, 3), -3, False), {}),
        ("aten::mean", "dim", (meta(2, 3), [-3]), {}),
        ("aten::mean", "default", (meta(),), {}),
        ("aten::mm", "default", (meta(2, 3, 4), meta(3, 5)), {}),
        ("aten::mm", "default", (meta(2, 3), meta(3, 4, 5)), {}),
        ("aten::mm", "default", (meta(2, 3), torch.zeros(3, 5)), {}),
        ("aten::addmm", "default", (meta(2, 2, 5), meta(2, 3), meta(3, 5)), {}),
        ("aten::addmm", "default", (meta(5), meta(2, 3), meta(4, 5)), {}),
        ("aten::bmm", "default", (meta(2, 3), meta(2, 3, 4)), {}),
        ("aten::bmm", "default", (meta(2, 3, 4), meta(4, 5)), {}),
        ("aten::bmm", "default", (meta(2, 3, 4), meta(7, 4, 5)), {}),
        ("aten::bmm", "default", (meta(2, 3, 4), meta(2, 3, 5)), {}),
        ("aten::div", "Tensor_mode", (meta(2), meta(2)), {"rounding_mode": "floor"}),
        ("aten::add_", "Tensor", (meta(3), meta(2, 3)), {}),
        ("aten::add_", "Tensor", (meta(1), meta(3)), {}),
        ("aten::native_layer_norm", "default", (meta(2, 3), [2], None, None, 1e-5), {}),
        ("aten::avg_pool2d", "default", (IMAGE, [3, 3], [2, 2], [0, 0], True), {}),
        ("aten::avg_pool2d", "default", (IMAGE, [3, 3], [1, 1], [2, 2]), {}),
        ("aten::avg_pool2d", "default", (IMAGE, [10, 3]), {}),
        ("aten::avg_pool2d", "default", (meta(4, 9, 7), [3, 3]), {}),
        (
            "aten::max_pool2d_with_indices",
            "default",
            (IMAGE, [3, 3], [2, 2], [0, 0], [1, 1], True),
            {},
        ),
        ("aten::max_pool2d_with_indices", "default", (IMAGE, [3, 8]), {}),
        (
            "aten::convolution",
            "default",
            (IMAGE, meta(6, 4, 3, 3), None, [1], [0], [1], True, [0], 1),
            {},
        ),
        (
            "aten::convolution",
            "default",
            (IMAGE, meta(6, 4, 3, 3), None, [1], [0], [1], False, [0], 2),
            {},
        ),
        (
            "aten::convolution",
            "default",
            (IMAGE, meta(6, 4, 3), None, [1], [0], [1], False, [0], 1),
            {},
        ),
        (
            "aten::convolution",
            "default",
            (IMAGE, meta(6, 4, 10, 3), None, [1], [0], [1], False, [0], 1),
            {},
        ),
        ("aten::masked_select", "default", (meta(2), meta(2, dtype=torch.bool)), {}),
        ("aten::_grouped_mm", "default", (meta(2, 3), meta(4, 5)), {}),
        ("aten::tril", "default", (meta(2),), {}),
        ("aten::max_pool2d_with_indices", "default", (IMAGE, [3, 3], [1, 1], [2, 2]), {}),
        (
            "aten::native_batch_norm",
            "default",
            (IMAGE, meta(5), meta(5), meta(5), meta(5), False, 0.1, 1e-5),
            {},
        ),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_pytorch(call):
    assert infer(*call) is NotImplemented


def test_a_lookup_has_a_row_an_index():
    weight, indices = meta(10, 4), torch.tensor([[0, 9, 3]])
    assert infer("aten::embedding", "default", (weight, indices), {}).shape == (1, 3, 4)
    none = torch.empty(0, dtype=torch.int64)
    assert infer("aten::embedding", "default", (weight, none), {}).shape == (0, 4)
    (refuse,) = checks_of("aten::embedding")
    for wrong in (10, -1):
        with pytest.raises(RuntimeError, match=rf"index {wrong} is outside .* of 10 rows"):
            refuse("aten::embedding", (weight, torch.tensor([3, wrong, 4])))
    with pytest.raises(RuntimeError, match="are int64 or int32"):
        refuse("aten::embedding", (weight, meta(2)))


def test_a_known_mask_selects_so_many():
    mask = torch.tensor([True, False, True])
    for x, selected in ((meta(3), 2), (meta(5, 3), 5 * 2), (meta(5, 1), 5 * 2)):
        assert infer("aten::masked_select", "default", (x, mask), {}).shape == (selected,)


@pytest.mark.parametrize(
    ("a", "b", "out"),
    [
        ((7, 3), (2, 3, 5), (7, 5)),
        ((3, 7), (7, 5), (2, 3, 5)),  # a matrix a group
        ((2, 7, 3), (3, 11), (7, 11)),
        ((2, 7, 3), (2, 3, 5), (2, 7, 5)),
    ],
)
def test_a_grouped_product(a, b, out):
    offsets = torch.tensor([4, 7], dtype=torch.int32)
    args = meta(*a), meta(*b), offsets
    assert infer("aten::_grouped_mm", "default", args, {}).shape == out


@pytest.mark.parametrize(("act", "halves"), [(nn.LogSigmoid(), 1), (nn.PReLU(4), 1), (nn.GLU(), 2)])
def test_activations_of_two_results_need_no_values(act, halves):
    network = nn.Sequential(nn.Linear(3, 4 * halves), act)
    counted = profile(network, (torch.zeros(5, 3),), backward=True)
    assert counted.notes == ()  # nothing was computed for it
    assert counted.total("macs") == 5 * 3 * 4 * halves
    assert counted.backward.macs == 5 * 3 * 4 * halves  # the weight's gradient alone
    x = torch.zeros(5, 3)
    # what the activation keeps: its argument, and of LogSigmoid exp(-|x|) as well; the Linear: x
    kept = {nn.LogSigmoid: 2, nn.PReLU: 1, nn.GLU: 1}[type(act)] * 5 * 4 * halves * 4
    assert memory(network, (x,)).saved_activations_bytes == kept
