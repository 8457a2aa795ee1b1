"""What the CPU's kernels of convolutions and LSTMs take for themselves while they run.

Read off the allocator with PyTorch 2.13 and its oneDNN, for x86 with AVX-512; sizes are in bytes.
"""

from math import ceil, prod
from typing import Any

import torch
from torch import Tensor

FLOAT32 = torch.float32.itemsize
_LANES = 16  # channels that lie together in a blocked tensor
_CELLS = 32  # of an LSTM, that lie together
_SMALL = 20_480  # elements of one picture's input up to which oneDNN is not asked


def scratch(op: str, args: Any, out: Any) -> int:
    """The bytes of that call beside its arguments and results; 0 where they are not known."""
    if op == "aten::convolution" and not args[6]:
        return _convolution(args[0], args[1], out, args[3], args[5], args[8])
    if op == "aten::convolution_backward" and not args[7]:
        gradient, x, weight, _, stride, _, dilation, _, _, groups, mask = args
        return _convolution_backward(gradient, x, weight, stride, dilation, groups, mask)
    if op in ("aten::mkldnn_rnn_layer", "aten::mkldnn_rnn_layer_backward"):
        x, from_input, from_hidden = args[:3]
        return _lstm(x, from_input, from_hidden, op.endswith("backward"))
    return 0


def _lstm(x: Tensor, from_input: Tensor, from_hidden: Tensor, backward: bool) -> int:
    # each time it runs, oneDNN reorders a layer's weights so that all that one input is weighed
    # with lies together, and stores its gates
    width, own = from_hidden.shape[1], x.element_size()
    inputs, gates, cells = (from_input.shape[1], width), 4 * width, x.shape[0] * x.shape[1]
    in_blocks = own * sum(inputs) * 4 * ceil(width / _CELLS) * _CELLS
    if not backward and not torch.is_grad_enabled():
        wide = x.numel() if x.shape[2] > width else 0  # what is wider than its states is copied
        return in_blocks + own * (cells * gates + wide)
    if own < FLOAT32:  # never all gates; gradients of weights and of what came out are float32
        made = sum(inputs) * leading(gates) + cells * width
        return in_blocks + backward * FLOAT32 * made
    floats = (sum(inputs) + cells) * leading(gates)
    if backward:  # gradients come as they lie in PyTorch, but where such rows would be unlucky
        floats += gates * sum(leading(row) for row in inputs if leading(row) != row)
    return FLOAT32 * floats


def leading(width: int) -> int:
    """How many float32 lie from a row of a matrix to the next: oneDNN's `rnn_utils::get_good_ld`.

    Whole lines of the cache, and never a multiple of 256, at which rows push one another out of it.
    """
    lines = ceil(width / _LANES) * _LANES
    return lines + _LANES if lines % 256 == 0 else lines


def _convolution(
    x: Tensor, weight: Tensor, out: Tensor, stride: Any, dilation: Any, groups: int
) -> int:
    if not _by_onednn(x, weight, stride, dilation, groups):
        return _columns(x, weight, out)
    given, weights, made = _blocked(x), _blocked_weight(weight, groups), _blocked(out)
    # the result in blocks is there while it is computed, and then while it is put in order
    return max(given + weights + made - _size(out), made)


def _convolution_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: Any, dilation: Any, groups: int, mask: Any
) -> int:
    if not _by_onednn(x, weight, stride, dilation, groups):
        return _columns(x, weight, gradient)
    given, weights, made = _blocked(x), _blocked_weight(weight, groups), _blocked(gradient)
    of_input = of_weight = 0
    if mask[0]:  # with a stride it is made of zeros first
        copies = 1 if set(stride) == {1} else 2
        of_input = max(made + weights + given - _size(x), copies * given)
    if mask[1]:
        # sums of narrow products are kept as float32
        sums = weights if weight.element_size() >= FLOAT32 else FLOAT32 * weight.numel() + weights
        of_weight = max(given + made + sums, 2 * weights) - _size(weight)
    # the gradient of the input is made first: by then the weight's is not there yet
    return int(max(of_input - mask[1] * _size(weight), of_weight, 0))


def _by_onednn(x: Tensor, weight: Tensor, stride: Any, dilation: Any, groups: int) -> bool:
    """As `use_mkldnn` of aten/src/ATen/native/Convolution.cpp decides."""
    if x.dtype not in (torch.float32, torch.bfloat16) or x.dim() < 4:
        return False
    kernel = weight.shape[2:]
    pointwise = set(kernel) == {1} and set(stride) == {1} and set(dilation) == {1}
    if pointwise and x.shape[0] < 16 and torch.get_num_threads() == 1:
        return False
    wide = all(side > 3 for side in kernel[-2:])
    return bool(groups > 1 or wide or x.shape[0] > 1 or x.numel() > _SMALL)


def _columns(x: Tensor, weight: Tensor, out: Tensor) -> int:
    # each window of the input as a column; a kernel of one point needs none
    if prod(weight.shape[2:]) == 1:
        return 0
    return x.element_size() * x.shape[0] * prod(weight.shape[1:]) * prod(out.shape[2:])


def _blocked(tensor: Tensor) -> int:
    """Of a copy in blocks of channels; pictures of three channels, and channels last, need none."""
    channels = tensor.shape[1]
    if channels <= 4 or not tensor.is_contiguous():
        return 0
    return _size(tensor) // channels * _padded(channels)


def _blocked_weight(weight: Tensor, groups: int) -> int:
    out, inner = weight.shape[:2]
    if groups > 1:
        return _size(weight)
    return (
        _size(weight)
        // max(out * inner, 1)
        * _padded(out)
        * (_padded(inner) if inner > 4 else inner)
    )


def _padded(channels: int) -> int:
    return ceil(channels / _LANES) * _LANES


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
