"""The results of convolutions, pooling and resizing on meta tensors, as `meta_shapes`."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.shapes.meta_gradients import Rule
from flopledger.counting.shapes.meta_layouts import blank, channels_last, images, tensors_among


def _convolution(
    x: Tensor, weight: Tensor, bias: Any, stride: list[int], padding: list[int],
    dilation: list[int], transposed: bool, output_padding: list[int], groups: int,
) -> Any:  # fmt: skip
    if transposed:
        return _transposed(x, weight, stride, padding, dilation, output_padding, groups)
    if x.dim() != weight.dim() or x.shape[1] != weight.shape[1] * groups:
        return NotImplemented
    out = _windows(x, weight.shape[2:], stride, padding, dilation)
    # of one channel, which axis is the last in memory is a matter of taste
    odd = x.shape[1] == 1 and x.stride(1) != prod(x.shape[2:])
    odd = odd or (x.dim() == 3 and not x.is_contiguous())  # one kernel does not as another
    if not out or odd or not (weight.is_contiguous() or channels_last(weight)):
        return NotImplemented
    both = (x.unsqueeze(2), weight.unsqueeze(2)) if x.dim() == 3 else (x, weight)
    return images((x.shape[0], weight.shape[0], *out), *both)


def _transposed(x: Tensor, weight: Tensor, *window: Any) -> Any:
    *sides, groups = window
    if x.dim() != weight.dim() or x.shape[1] != weight.shape[0] or not x.numel():
        return NotImplemented
    if not x.is_contiguous() or not weight.is_contiguous():
        return NotImplemented
    full = [list(w) * (x.dim() - 2) if len(w) == 1 else w for w in sides]
    if any(more >= max(stride, dilation) for stride, _, dilation, more in zip(*full, strict=True)):
        return NotImplemented
    out = [
        (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1
        for n, kernel, stride, padding, dilation, more in zip(
            x.shape[2:], weight.shape[2:], *full, strict=True
        )
    ]
    return (
        blank(x, (x.shape[0], weight.shape[1] * groups, *out)) if min(out) > 0 else NotImplemented
    )


def _max_pool(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,), ceil_mode: bool = False,
) -> Any:  # fmt: skip
    out = _windows(x, kernel, stride or kernel, padding, dilation)
    if ceil_mode or not out or 2 * max(padding) > min(kernel):
        return NotImplemented
    kept = images((*x.shape[:2], *out), x)
    return kept, torch.empty_strided(kept.shape, kept.stride(), dtype=torch.int64, device="meta")


def _avg_pool(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0,),
    ceil_mode: bool = False, *_: Any,
) -> Any:  # fmt: skip
    out = _windows(x, kernel, stride or kernel, padding, (1,))
    if ceil_mode or not out or 2 * max(padding) > min(kernel):
        return NotImplemented
    if x.dim() == 5 and not x.is_contiguous():
        return NotImplemented
    return images((*x.shape[:2], *out), x)


def _windows(x: Tensor, *window: Sequence[int]) -> list[int]:
    """How many windows fit along each side of [batch, channels, *sides]; [] where none does.

    `window` is kernel, stride, padding and dilation, each with one number for all sides or one a
    side.
    """
    sides = x.shape[2:]
    full = [list(w) * len(sides) if len(w) == 1 else w for w in window]
    if not sides or {*map(len, full)} != {len(sides)}:
        return []
    out = [
        (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for n, kernel, stride, padding, dilation in zip(sides, *full, strict=True)
    ]
    return out if min(out) >= 1 else []


def _resized(x: Tensor, size: Sequence[int], *_: Any) -> Any:
    if x.dim() != 4 or len(size) != 2 or not x.numel() or min(size) < 1:
        return NotImplemented
    return images((*x.shape[:2], *size), x)


_BY_NAME: dict[str, Callable[..., Any]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "max_pool3d_with_indices": _max_pool,
    "avg_pool2d": _avg_pool,
    "avg_pool3d": _avg_pool,
    "_adaptive_avg_pool2d": _resized,
    "upsample_nearest2d": _resized,
}
# each with the arguments that must be floating tensors of one dtype, on meta
WINDOWS: dict[str, Rule] = {f"aten::{op}": (rule, tensors_among) for op, rule in _BY_NAME.items()}
