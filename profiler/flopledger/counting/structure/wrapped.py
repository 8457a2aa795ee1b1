"""Tensors that hold tensors: nested ones, and DTensor's, which are spread over processes."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from threading import get_ident
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes, is_traceable_wrapper_subclass

from flopledger.calls import Shape

NESTED = torch._C.DispatchKey.NestedTensorCPU


def holds_tensors(x: Tensor) -> bool:
    """Whether it is a wrapper around others, which its operators reach in its place."""
    return is_traceable_wrapper_subclass(x)


def any_holds_tensors(kinds: Iterable[type]) -> bool:
    """Whether one of these classes is a wrapper's."""
    return any(map(_is_wrapper, kinds))


@cache
def _is_wrapper(kind: type) -> bool:
    return hasattr(kind, "__tensor_flatten__") and hasattr(kind, "__tensor_unflatten__")


def held_by(x: Any) -> list[Tensor]:
    """The tensors that it holds, at any depth; of one that holds none, itself."""
    if not holds_tensors(x):
        return [x]
    names, _ = x.__tensor_flatten__()
    parts = (getattr(x, name) for name in names)  # among which there may be a DeviceMesh
    return [held for part in parts if isinstance(part, Tensor) for held in held_by(part)]


def rewrapped(x: Any, of: Callable[[Tensor], Tensor]) -> Tensor:
    """A wrapper like x around `of` of each tensor that it holds.

    Raises:
        RuntimeError: x is nested, and its rows went to another device than their lengths.
    """
    names, context = x.__tensor_flatten__()
    parts = {name: getattr(x, name) for name in names}
    held = {name: of(p) if isinstance(p, Tensor) else p for name, p in parts.items()}
    if x.is_nested and len({part.device for part in held.values()}) > 1:
        raise RuntimeError("a nested tensor has its rows where their lengths are known")
    return type(x).__tensor_unflatten__(held, context, x.shape, x.stride())  # type: ignore[no-any-return]


def is_nested(x: Tensor) -> bool:
    """Whether it is nested in C, its parts one after the other (the strided layout)."""
    return x.is_nested and x.layout is torch.strided


def shape_of(x: Tensor) -> Shape:
    """Its shape; of a nested tensor its rows', all samples' one after the other.

    Those of a nested one whose samples have no rows alike are its elements.
    """
    if not x.is_nested:
        return tuple(x.shape)
    if x.layout is torch.jagged:
        return tuple(x.values().shape)
    sizes = x._nested_tensor_size().tolist()
    rows, alike = [size[0] for size in sizes], {tuple(size[1:]) for size in sizes}
    return (sum(rows), *alike.pop()) if len(alike) == 1 else (x.numel(),)


def goes_by_parts(func: Any) -> bool:
    """Whether the operator has a kernel for tensors nested in C, made of operators on their parts.

    Such a kernel is to be called as `func._op_dk(NESTED, ..)`: the dispatcher would come back to
    the mode that is on.
    """
    return torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "NestedTensorCPU")


@contextmanager
def shapes_unheard() -> Iterator[None]:
    """In the body, no mode hears the operators that DTensor runs for the shape of a result alone.

    It does so the first time that it meets an operator with such shapes.
    """
    home = sys.modules.get("torch.distributed.tensor._sharding_prop")
    if home is None:  # nobody uses it
        yield
        return
    kind, name, own = home.ShardingPropagator, "_propagate_tensor_meta_non_cached", get_ident()
    shaped = vars(kind)[name]

    def unheard(*args: Any) -> Any:
        with _disable_current_modes() if get_ident() == own else nullcontext():
            return shaped(*args)

    setattr(kind, name, unheard)
    try:
        yield
    finally:
        setattr(kind, name, shaped)


def states_of_shards() -> Any:
    """FSDP2's table of what it knows of each layer that it shards, by weak reference; or {}."""
    home = sys.modules.get("torch.distributed._composable_state")
    return {} if home is None else home._module_state_mapping


def readable(x: Tensor) -> Tensor:
    """The tensor; of one whose memory is given back, as FSDP does, one alike that can be read."""
    if x.is_meta or x.layout is not torch.strided or x.untyped_storage().nbytes() or not x.numel():
        return x
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=x.device)
