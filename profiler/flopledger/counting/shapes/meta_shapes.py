"""The results of common operators on meta tensors, worked out here instead of in PyTorch.

PyTorch's own rules for most operators are Python, the first of which imports torch._dynamo and
sympy: a second, as much as importing torch. Any call that is out of the ordinary is left to them.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.formulas.elementwise import is_pointwise
from flopledger.counting.shapes.meta_gradients import GRADIENTS, Rule
from flopledger.counting.shapes.meta_layouts import (
    blank,
    channels_last,
    images,
    like,
    tensors_among,
)
from flopledger.counting.shapes.meta_windows import WINDOWS

_LEFT = frozenset(("out", "grad_input", "dtype", "rounding_mode"))  # arguments left to PyTorch

# each with the arguments that must be floating tensors of one dtype, on meta;
# a rule's NotImplemented leaves the call to PyTorch
_rules = GRADIENTS | WINDOWS


def infer(op: str, overload: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a call, as meta tensors, or NotImplemented where PyTorch has to be asked.

    Args:
        op: "aten::mul_".
        overload: "Tensor"; an overload that writes to `out` is left to PyTorch.
        args: positional arguments.
        kwargs: keyword arguments.
    """
    rule = rule_of(op, overload)
    return NotImplemented if rule is None else inferred(rule, args, kwargs)


def inferred(rule: Rule, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """As `infer`, by that operator's rule."""
    if kwargs and not _LEFT.isdisjoint(kwargs):
        return NotImplemented
    infers, floats = rule
    return infers(*args, **kwargs) if _alike(floats(*args)) else NotImplemented


@cache
def rule_of(op: str, overload: str) -> Rule | None:
    """How the results of that operator are worked out here; None where PyTorch has to be asked."""
    if overload.endswith("out"):
        return None
    if op in _rules:
        return _rules[op]
    if is_pointwise(op):
        return (_in_place if op.endswith("_") else _pointwise), tensors_among
    return None


def _alike(tensors: Sequence[Any]) -> bool:
    dtype = getattr(tensors[0], "dtype", None) if tensors else None
    if dtype is None or not dtype.is_floating_point:
        return False
    for t in tensors:  # a generator would take twice the time, at every call
        if not isinstance(t, Tensor) or not t.is_meta or t.dtype is not dtype:
            return False
    return True


def _rule(
    *ops: str, floats: Callable[..., Sequence[Any]] = tensors_among
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        _rules.update({f"aten::{op}": (rule, floats) for op in ops})
        return rule

    return register


def _pointwise(*args: Any, **kwargs: Any) -> Any:
    if complex in map(type, args):
        return NotImplemented
    return _elementwise(*tensors_among(*args))


def _elementwise(*tensors: Tensor) -> Tensor:
    return like(_broadcast(*[t.shape for t in tensors]), tensors)


@_rule("rsub", "threshold_backward", "leaky_relu_backward")
def _second_first(*args: Any, **_: Any) -> Any:
    return _elementwise(*tensors_among(*args[1::-1]))


@_rule("log_sigmoid")
def _log_sigmoid_alone(x: Tensor) -> Any:
    return blank(x, x.shape)


@_rule("log_sigmoid_forward")
def _log_sigmoid(x: Tensor) -> Any:
    return blank(x, x.shape), blank(x, x.shape)  # the second is for the backward pass


@_rule("pow")
def _pow(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, complex) or not (
        isinstance(base, Tensor) or exponent.is_contiguous()
    ):  # of a number's powers the kernel lays out no two alike
        return NotImplemented
    return _elementwise(*tensors_among(base, exponent))


@_rule("log_sigmoid_backward")
def _log_sigmoid_backward(grad: Tensor, x: Tensor, kept: Tensor) -> Any:
    return like(grad.shape, [grad]) if grad.shape == x.shape == kept.shape else NotImplemented


@_rule("_prelu_kernel_backward")
def _prelu_backward(grad: Tensor, x: Tensor, weight: Tensor) -> Any:
    return _elementwise(x, weight, grad), _elementwise(x, weight, grad)


@_rule("glu_backward")
def _glu_backward(grad: Tensor, x: Tensor, dim: int) -> Any:
    return blank(x, x.shape)


def _in_place(x: Any, *args: Any, **_: Any) -> Any:
    others = [a.shape for a in args if isinstance(a, Tensor)]
    return (
        x if isinstance(x, Tensor) and _broadcast(x.shape, *others) == x.shape else NotImplemented
    )


def _broadcast(*shapes: Sequence[int]) -> tuple[int, ...]:
    # torch.broadcast_shapes imports sympy
    first, second = shapes[0], shapes[-1]
    if shapes.count(first) == len(shapes):
        return tuple(first)
    if len(shapes) == 2 and first[max(len(first) - len(second), 0) :] == second:
        return tuple(first)  # as of a bias, one of a channel or a number
    sides = [
        {n for n in column if n != 1} or {1}
        for column in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    ]
    if any(len(side) > 1 for side in sides):
        raise RuntimeError(f"shapes {', '.join(map(str, map(tuple, shapes)))} do not broadcast")
    return tuple(side.pop() for side in reversed(sides))


@_rule("mm")
def _mm(a: Tensor, b: Tensor) -> Any:
    left, right = a.shape, b.shape
    if len(left) != 2 or len(right) != 2 or left[1] != right[0]:
        return NotImplemented
    return blank(a, (left[0], right[1]))


@_rule("addmm")
def _addmm(bias: Tensor, a: Tensor, b: Tensor, **_: Any) -> Any:
    out = _mm(a, b)
    if out is NotImplemented or _broadcast(out.shape, bias.shape) != out.shape:
        return NotImplemented
    return out


@_rule("bmm")
def _bmm(a: Tensor, b: Tensor) -> Any:
    if a.dim() != 3 or b.dim() != 3 or a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        return NotImplemented
    return blank(a, (a.shape[0], a.shape[1], b.shape[2]))


@_rule("uniform_", "normal_", "fill_", "zero_", "copy_", floats=lambda x, *_: (x,))
def _filled(x: Tensor, *_: Any, **__: Any) -> Any:
    return x


@_rule("_softmax", "_log_softmax", "_safe_softmax")
def _like(x: Tensor, dim: int, *_: Any) -> Any:
    return blank(x, x.shape) if _axes_of(x, [dim]) else NotImplemented


@_rule("native_batch_norm")
def _batch_norm(x: Tensor, *rest: Any) -> Any:
    # weight, bias, running mean and variance: one element a channel
    if not (x.is_contiguous() or channels_last(x)):
        return NotImplemented
    if x.dim() < 2 or any(t.shape != x.shape[1:2] for t in tensors_among(*rest[:4])):
        return NotImplemented
    return images(x.shape, x), blank(x, x.shape[1:2]), blank(x, x.shape[1:2])


@_rule("native_layer_norm")
def _layer_norm(x: Tensor, normalised: Sequence[int], *_: Any) -> Any:
    if tuple(x.shape[x.dim() - len(normalised) :]) != tuple(normalised):
        return NotImplemented
    saved = (*x.shape[: x.dim() - len(normalised)], *[1] * len(normalised))
    return blank(x, x.shape), blank(x, saved), blank(x, saved)


@_rule("native_group_norm")
def _group_norm(
    x: Tensor, weight: Any, bias: Any, batch: int, channels: int, side: int, groups: int, *_: Any
) -> Any:
    if not x.is_contiguous() or x.numel() != batch * channels * side or channels % groups:
        return NotImplemented
    if any(t.shape != (channels,) for t in tensors_among(weight, bias)):
        return NotImplemented
    return blank(x, x.shape), blank(x, (batch, groups)), blank(x, (batch, groups))


@_rule("tril", "triu")
def _triangle(x: Tensor, diagonal: int = 0) -> Any:
    return blank(x, x.shape) if x.dim() >= 2 else NotImplemented


@_rule("cat", floats=lambda tensors, *_: tensors)
def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    # an empty cache of keys: nothing, of any shape
    tensors = [t for t in tensors if t.shape != (0,)] or tensors
    shape = list(tensors[0].shape)
    if not _axes_of(tensors[0], [dim]):
        return NotImplemented
    axis = dim % len(shape)
    if any(_without(t.shape, axis) != _without(shape, axis) for t in tensors):
        return NotImplemented
    shape[axis] = sum(t.shape[axis] for t in tensors)
    if all(channels_last(t) for t in tensors):
        return images(shape, *tensors)
    return blank(tensors[0], shape)


@_rule("stack", floats=lambda tensors, *_: tensors)
def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    shape = list(tensors[0].shape)
    if (
        any(t.shape != tensors[0].shape for t in tensors)
        or not -len(shape) <= dim + 1 <= len(shape) + 1
        or not all(t.is_contiguous() for t in tensors)
    ):
        return NotImplemented
    shape.insert(dim % (len(shape) + 1), len(tensors))
    return blank(tensors[0], shape)


def _axes_of(x: Tensor, dims: Sequence[int]) -> bool:
    return all(-x.dim() <= dim < x.dim() for dim in dims)


def _without(shape: Sequence[int], axis: int) -> list[int]:
    return [n for i, n in enumerate(shape) if i != axis]


@_rule("where", floats=lambda condition, *values: values)
def _where(condition: Tensor, x: Tensor, y: Tensor) -> Any:
    made = like(_broadcast(condition.shape, x.shape, y.shape), (condition, x, y))
    return torch.empty_strided(made.shape, made.stride(), dtype=x.dtype, device="meta")


@_rule("masked_fill", floats=lambda x, *_: (x,))
def _masked_fill(x: Tensor, mask: Tensor, value: Any) -> Any:
    if not mask.is_meta or mask.dtype is not torch.bool or isinstance(value, complex):
        return NotImplemented
    return blank(x, _broadcast(x.shape, mask.shape))


@_rule("embedding", floats=lambda weight, *_: (weight,))
def _embedding(weight: Tensor, indices: Tensor, *_: Any) -> Any:
    return blank(weight, (*indices.shape, *weight.shape[1:]))


@_rule("mean", "sum")
def _reduce(x: Tensor, dims: Any = None, keepdim: bool = False) -> Any:
    if not x.dim() or not _axes_of(x, dims or [0]):
        return NotImplemented
    reduced = {d % x.dim() for d in (dims or range(x.dim()))}
    kept = [1 if i in reduced else n for i, n in enumerate(x.shape) if keepdim or i not in reduced]
    return blank(x, kept)


@_rule("amax", "amin")
def _extreme(x: Tensor, dims: Any = (), keepdim: bool = False) -> Any:
    return _reduce(x, dims, keepdim) if x.numel() else NotImplemented


@_rule("masked_select", floats=lambda x, *_: (x,))
def _masked_select(x: Tensor, mask: Tensor) -> Any:
    if mask.device.type == "meta":
        return NotImplemented
    every = mask.expand(_broadcast(x.shape, mask.shape))
    return blank(x, (int(every.sum()),))


@_rule("_grouped_mm", floats=lambda a, b, *_: (a, b))
def _grouped_mm(a: Tensor, b: Tensor, offsets: Any = None, *_: Any) -> Any:
    # PyTorch's rule wants bfloat16, as its CUDA kernel does; its CPU kernel takes any
    if (a.dim(), b.dim()) == (2, 2) and offsets is not None:
        return blank(a, (offsets.numel(), a.shape[0], b.shape[1]))
    if a.shape[-1] != b.shape[-2]:
        return NotImplemented
    if a.dim() == 2:
        return blank(a, (a.shape[0], b.shape[-1]))
    if b.dim() == 2:
        return blank(a, (a.shape[1], b.shape[1]))
    return blank(a, (a.shape[0], a.shape[1], b.shape[2]))
