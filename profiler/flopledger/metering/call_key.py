"""What of a call's arguments decides how much work it is, without holding any of them."""

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from enum import Enum
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from flopledger.counting.structure.wrapped import shape_of

# values that are short, and kept in the key as they are
_KEPT = (
    bool, int, str, bytes, type(None), torch.dtype, torch.device, torch.layout, torch.Size, range,
    slice, type, Enum,
)  # fmt: skip
_NUMBERS = frozenset({float, complex})
_COUNTED = frozenset({int, str, bytes})
_DEEPEST = 5  # objects within objects: a cache's layers' tensors, and not all that hangs on them


def key_of(value: Any, depth: int = 0) -> Hashable:
    """What calls are told apart by: shapes, dtypes, whole numbers, words.

    A float does not: an annealed factor takes another value at every step. Nor does who an object
    is: of one of another class, what stands in its attributes counts, such as a batch's tensors.
    """
    if isinstance(value, Tensor):
        if value.is_nested:  # its own shape is another each time, or none
            return "nested", value.size(0), shape_of(value), value.dtype, value.requires_grad
        return value.shape, value.dtype, value.requires_grad
    kind: Any = type(value)
    if kind in _NUMBERS:
        return str(kind)
    if isinstance(value, PackedSequence):
        return kind, value.data.shape, value.data.dtype, tuple(value.batch_sizes.tolist())
    if isinstance(value, _KEPT):
        return (kind, value) if kind is bool else _hashed(value)  # True would be 1
    if depth == _DEEPEST:
        return str(kind)
    if isinstance(value, list | tuple):
        return tuple([key_of(item, depth + 1) for item in value])
    if isinstance(value, dict):
        return tuple([(_hashed(key), key_of(item, depth + 1)) for key, item in value.items()])
    return _of_an_object(value, kind, depth)


def members_of(value: Any) -> dict[str, Any]:
    """What an object of another class holds, by name."""
    members: dict[str, Any] = getattr(value, "__dict__", None) or {}
    if members:
        return members
    if is_dataclass(value):
        names = [field.name for field in fields(value)]
    else:
        names = [name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())]
    return {name: getattr(value, name, None) for name in names}


def loosely(key: Hashable) -> Hashable:
    """The key without its whole numbers and words: a counter takes another value at every step."""
    if isinstance(key, tuple) and not isinstance(key, torch.Size):
        return tuple([loosely(part) for part in key])
    kind = type(key)
    return kind if kind in _COUNTED else key


def physical_shapes(tree: Any) -> Hashable:
    """The shapes that tensors of a mapped function (torch.vmap) have in memory."""
    return tuple(physical(tensor).shape for tensor in _tensors(tree))


def physical(tensor: Tensor) -> Tensor:
    """What a mapped function's tensor is of."""
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(tensor):
        tensor = functorch.get_unwrapped(tensor)
    return tensor


def _tensors(tree: Any) -> list[Tensor]:
    if isinstance(tree, Tensor):
        return [tree]
    items = tree.values() if isinstance(tree, dict) else tree
    return [t for item in items for t in _tensors(item)] if isinstance(
        tree, list | tuple | dict
    ) else []  # fmt: skip


def _hashed(value: Any) -> Hashable:
    try:
        hash(value)
    except Exception:  # a slice; a subclass's own hash may be anybody's code
        return str(type(value))
    return value  # type: ignore[no-any-return]


def _of_an_object(value: Any, kind: type, depth: int) -> Hashable:
    if isinstance(value, FunctionType):
        return value.__code__
    if isinstance(value, MethodType):
        return value.__func__.__code__ if isinstance(value.__func__, FunctionType) else str(kind)
    if isinstance(value, torch.nn.Module):
        return str(kind)
    items = members_of(value).items()
    return kind, tuple([(name, key_of(item, depth + 1)) for name, item in items])
