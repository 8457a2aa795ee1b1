"""Our rules for the backward pass against PyTorch's CPU kernels: shapes, dtypes, and layouts."""

from itertools import product

import pytest
import torch
from flopledger.counting.shapes.meta_shapes import infer

aten = torch.ops.aten
MASKS = [list(mask) for mask in product((True, False), repeat=3)]
ROWS = {
    "whole": torch.rand(3, 5, 6),
    "turned round": torch.rand(6, 5, 3).permute(2, 1, 0),
    "spread": torch.rand(1, 1, 6).expand(3, 5, 6),
}
IMAGES = {
    "images": torch.rand(2, 4, 5, 6),
    "channels last": torch.rand(2, 4, 5, 6).to(memory_format=torch.channels_last),
    "features": torch.rand(2, 4),
    "one pixel": torch.rand(1, 4, 1, 1),
    "one channel": torch.rand(2, 1, 5, 6),
    "volumes, channels last": torch.rand(2, 4, 3, 5, 6).to(memory_format=torch.channels_last_3d),
}


def described(out):
    return [
        t if t is None else (tuple(t.shape), t.stride(), t.dtype)
        for t in (out if isinstance(out, tuple) else [out])
    ]


def ours(overload, *args):
    placed = [a.to("meta") if isinstance(a, torch.Tensor) else a for a in args]
    return infer(overload._schema.name, overload._schema.overload_name, placed, {})


def compare(overload, *args):
    out = ours(overload, *args)
    assert out is not NotImplemented
    assert described(out) == described(overload(*args))


@pytest.mark.parametrize("x", ROWS)
@pytest.mark.parametrize("grad", ROWS)
def test_of_rows(grad, x):
    grad, x, scale = ROWS[grad], ROWS[x], torch.rand(5, 6)
    _, mean, rstd = aten.native_layer_norm(x, [5, 6], scale, scale, 1e-5)
    saved = grad, x, [5, 6], mean, rstd
    for mask in MASKS:
        compare(aten.native_layer_norm_backward.default, *saved, scale, scale, mask)
    plain = [True, False, False]
    compare(aten.native_layer_norm_backward.default, *saved, None, None, plain)
    for dim in (0, 1, -1):
        compare(aten._softmax_backward_data.default, grad, x, dim, torch.float32)
        compare(aten._log_softmax_backward_data.default, grad, x, dim, torch.float32)
    compare(aten.slice_backward.default, grad, [3, 5, 12], 2, 0, 6, 1)
    compare(aten.masked_fill.Scalar, grad, x > 0.5, 2.0)


@pytest.mark.parametrize("images", IMAGES)
def test_of_images(images):
    x = IMAGES[images]
    n = x.shape[1]
    scale, shift, mean, var = torch.rand(4, n)
    _, saved, inverse = aten.native_batch_norm(x, scale, shift, mean, var, True, 0.1, 1e-5)
    for grad, mask in product((torch.ones_like(x), torch.ones(x.shape)), MASKS):
        stored = scale, mean, var, saved, inverse, True, 1e-5, mask
        compare(aten.native_batch_norm_backward.default, grad, x, *stored)
    if n % 2 or not x.is_contiguous():
        return
    sizes = x.shape[0], n, x[0, 0].numel(), 2
    _, saved, inverse = aten.native_group_norm(x, scale, shift, *sizes, 1e-5)
    for mask in MASKS:
        compare(
            aten.native_group_norm_backward.default,
            torch.ones_like(x), x, saved, inverse, scale, *sizes, mask,
        )  # fmt: skip


def test_what_is_out_of_the_ordinary_is_left_to_pytorch():
    x, row = torch.rand(2, 4, 6, 5), torch.rand(4)
    half, scale = x.to(torch.bfloat16), torch.rand(2, 3)
    every = [True] * 3
    for overload, *args in (
        (aten.native_layer_norm_backward.default, x[0], x, [5], row, row, row, row, every),
        (aten.native_layer_norm_backward.default, x, x, [5], row, row, None, None, every),
        (aten.native_layer_norm_backward.default, x, x, [5], row, row, scale, scale, every),
        (aten.native_layer_norm_backward.default, half, half, [5], row, row, row, row, every),
        (aten.native_batch_norm_backward.default, x, x, *[scale] * 5, True, 1e-5, every),
        (
            aten.native_batch_norm_backward.default,
            x, x.transpose(2, 3), *[row] * 5, True, 1e-5, every,
        ),
        (aten.native_group_norm_backward.default, x, x, row, row, row, 2, 4, 30, 3, every),
        (aten.native_group_norm_backward.default, x, x, row, row, scale, 2, 4, 30, 2, every),
        (aten._softmax_backward_data.default, x, x, 4, torch.float32),
        (aten._softmax_backward_data.default, x, x, 0, torch.bfloat16),
        (aten._softmax_backward_data.default, x, x[0], 0, torch.float32),
        (aten.masked_fill.Scalar, x, x, 1.0),
    ):  # fmt: skip
        assert ours(overload, *args) is NotImplemented, overload
