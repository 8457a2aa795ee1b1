"""The results of common operators of the backward pass on meta tensors, as `meta_shapes`.

PyTorch's own rules for these are its decompositions, run whole: 1 to 6 ms a call.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.shapes.meta_layouts import blank, channels_last, images, tensors_among

Rule = tuple[Callable[..., Any], Callable[..., Sequence[Any]]]


def _wanted(mask: Sequence[bool], *results: Any) -> Any:
    """Those results whose gradients are asked for; None in place of the others."""
    return tuple(result if asked else None for result, asked in zip(results, mask, strict=True))


def _layer_norm(
    grad: Tensor, x: Tensor, normalised: Sequence[int], mean: Tensor, rstd: Tensor,
    weight: Any, bias: Any, mask: Sequence[bool],
) -> Any:  # fmt: skip
    if grad.shape != x.shape or (mask[1] and weight is None) or (mask[2] and bias is None):
        return NotImplemented
    if any(tuple(t.shape) != tuple(normalised) for t in tensors_among(weight, bias)):
        return NotImplemented
    return _wanted(mask, blank(x, x.shape), blank(x, normalised), blank(x, normalised))


def _batch_norm(grad: Tensor, x: Tensor, *rest: Any) -> Any:
    # weight, running mean and variance, mean and deviation: one element a channel
    *of_channels, _train, _eps, mask = rest
    channels = x.shape[1:2]
    if grad.shape != x.shape or x.dim() < 2 or not (x.is_contiguous() or channels_last(x)):
        return NotImplemented
    if any(t.shape != channels for t in tensors_among(*of_channels)):
        return NotImplemented
    return _wanted(mask, images(x.shape, x), blank(x, channels), blank(x, channels))


def _group_norm(
    grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, weight: Any,
    batch: int, channels: int, side: int, groups: int, mask: Sequence[bool],
) -> Any:  # fmt: skip
    if grad.shape != x.shape or not x.is_contiguous() or not grad.is_contiguous():
        return NotImplemented
    if x.numel() != batch * channels * side or channels % groups:
        return NotImplemented
    if any(t.shape != (channels,) for t in tensors_among(weight)):
        return NotImplemented
    return _wanted(mask, blank(x, x.shape), blank(x, (channels,)), blank(x, (channels,)))


def _softmax(grad: Tensor, out: Tensor, dim: int, dtype: torch.dtype) -> Any:
    if grad.shape != out.shape or dtype is not grad.dtype or not -grad.dim() <= dim < grad.dim():
        return NotImplemented
    return blank(grad, grad.shape)


def _slice(grad: Tensor, shape: Sequence[int], *_: Any) -> Any:
    return blank(grad, shape)


_BY_NAME: dict[str, Callable[..., Any]] = {
    "native_layer_norm_backward": _layer_norm,
    "native_batch_norm_backward": _batch_norm,
    "native_group_norm_backward": _group_norm,
    "_softmax_backward_data": _softmax,
    "_log_softmax_backward_data": _softmax,
    "slice_backward": _slice,
}
# each with the arguments that must be floating tensors of one dtype, on meta
GRADIENTS: dict[str, Rule] = {f"aten::{op}": (rule, tensors_among) for op, rule in _BY_NAME.items()}
