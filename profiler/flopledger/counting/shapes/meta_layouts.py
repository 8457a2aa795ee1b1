"""How the results of operators lie in memory: what `view` takes or refuses depends on it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def tensors_among(*args: Any) -> list[Tensor]:
    """Those of a call's arguments that are tensors themselves."""
    return [a for a in args if isinstance(a, Tensor)]


def blank(x: Tensor, shape: Sequence[int]) -> Tensor:
    """A tensor of that shape without gaps, of that tensor's dtype and on its device.

    On meta, `new_empty` is a function of Python's: four times the time.
    """
    return torch.empty(shape, dtype=x.dtype, device=x.device)


def like(shape: Sequence[int], tensors: Sequence[Tensor]) -> Tensor:
    """A tensor of that shape, laid out as an elementwise operator's result of these tensors is.

    As TensorIterator does it: the axes of the result stand in memory in the order of the operands'
    strides, and of two operands that disagree the first decides.

    Args:
        shape: the shape to which they broadcast.
        tensors: the operands, of which the first has the result's dtype and device.
    """
    first = tensors[0]
    if first.is_contiguous() and first.shape == shape:
        return blank(first, shape)  # it decides on every pair of axes
    operands = [_strides(t, shape) for t in tensors]
    order = list(range(len(shape)))[::-1]  # the axes, the quickest first
    for i in range(1, len(order)):
        moving = i
        for other in range(i - 1, -1, -1):
            wanted = _compared(order[other], order[moving], operands, shape)
            if wanted < 0:
                break
            if wanted > 0:
                order[other], order[moving] = order[moving], order[other]
                moving = other
    return _strided(first, shape, order)


def images(shape: Sequence[int], *tensors: Tensor) -> Tensor:
    """A tensor of that shape, its channels last in memory if those of any of these tensors are.

    Args:
        shape: [batch, channels, *sides].
        tensors: of which the first has the result's dtype and device.
    """
    if True in map(channels_last, tensors):
        return _strided(tensors[0], shape, [1, *range(len(shape) - 1, 1, -1), 0])
    return blank(tensors[0], shape)


def channels_last(x: Tensor) -> bool:
    """Whether PyTorch takes a tensor's axis 1 for the last in memory, its sides being two or three.

    As its own `is_strides_like_channels_last`: where an axis of one element makes it a matter of
    taste, it is not.
    """
    if x.dim() not in (4, 5) or x.is_contiguous():
        return False
    least, strides = 0, x.stride()
    for axis in (1, *range(x.dim() - 1, 1, -1), 0):
        if not x.shape[axis] or not strides[1] or strides[axis] < least:
            return False
        if axis == 0 and least == strides[1]:
            return False
        least = strides[axis] * x.shape[axis]
    return True


def _strides(x: Tensor, shape: Sequence[int]) -> list[int]:
    """Of each axis of the result; 0 where the tensor is spread over it."""
    missing = len(shape) - x.dim()
    own = [
        0 if n == 1 and side != 1 else stride
        for n, side, stride in zip(x.shape, shape[missing:], x.stride(), strict=True)
    ]
    return [0] * missing + own


def _compared(a: int, b: int, operands: list[list[int]], shape: Sequence[int]) -> int:
    """Whether axis b is to be quicker than axis a (1), or slower (-1), or no operand tells (0)."""
    for strides in operands:
        if not strides[a] or not strides[b]:
            continue
        if strides[a] != strides[b]:
            return 1 if strides[a] > strides[b] else -1
        if shape[a] > shape[b]:
            return 1
    return 0


def _strided(like: Tensor, shape: Sequence[int], order: Sequence[int]) -> Tensor:
    """A tensor without gaps whose axes, the quickest first, are in that order."""
    strides, step = [0] * len(shape), 1
    for axis in order:
        strides[axis] = step
        step *= max(shape[axis], 1)
    return torch.empty_strided(tuple(shape), strides, dtype=like.dtype, device=like.device)
