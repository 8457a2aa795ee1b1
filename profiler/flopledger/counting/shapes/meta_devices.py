"""Which device a tensor lives on while a network is counted: floats on meta, integers real."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from flopledger.counting.shapes.dispatch_mode import DispatchMode
from flopledger.counting.shapes.meta_shapes import infer
from flopledger.counting.structure.shared_objects import ATOMS
from flopledger.counting.structure.sparse_tensors import SparseMeta, is_sparse
from flopledger.errors import FlopledgerError

_FLOAT_FACTORIES = {
    f"aten::{name}"
    for name in ("zeros", "ones", "empty", "rand", "randn", "eye", "linspace", "logspace", "normal")
}
_WINDOWS = {
    f"aten::{name}_window" for name in ("hann", "hamming", "bartlett", "blackman", "kaiser")
}
_SCALAR_FACTORIES = {f"aten::{name}" for name in ("arange", "full", "scalar_tensor")}

# what they hold is known before any input is, and code asks for it: drop rates, positions, masks
# that hide nothing
_CONSTANTS = _WINDOWS | {f"aten::{name}" for name in ("linspace", "logspace", "arange", "ones")}
_ZEROS = "aten::zeros"  # where no gradient has to go back through what is written over them
_LIKES = {
    f"aten::{name}"
    for name in ("zeros_like", "new_zeros", "ones_like", "new_ones", "full_like", "new_full")
}
_SMALL = 1 << 20  # elements of a constant that is made for real

# their integers (lengths, batch sizes, masks) are read while they run
_MIXED = {
    f"aten::{name}"
    for name in ("_pack_padded_sequence", "_pad_packed_sequence", "masked_select", "_grouped_mm")
}


_LISTS = (list, tuple)
_unknown = ContextVar("constants are unknown", default=False)


class Overwrites(FlopledgerError, RuntimeError):
    """Known values are overwritten in place by unknown ones, through which a gradient goes back."""


@contextmanager
def constants_unknown() -> Iterator[None]:
    """In the body, floating constants, too, are made on meta: they can be written over."""
    token = _unknown.set(True)
    try:
        yield
    finally:
        _unknown.reset(token)


class IntegersReal(DispatchMode):
    """Under torch.device("meta"): integer and boolean tensors are made on the CPU all the same.

    So are floating tensors that the code asks to have on the CPU, and small constants.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        op, overload = func._schema.name, func._schema.overload_name
        kwargs = kwargs or {}
        if str(kwargs.get("device")) == "cpu" and not tensors_in(*args):
            return func(*args, **kwargs)
        args, kwargs = on_one_device(op, args, kwargs)
        made = infer(op, overload, args, kwargs)
        return func(*args, **kwargs) if made is NotImplemented else made


class GivenReal(TorchFunctionMode):
    """Under torch.device("meta"): a tensor that is made of given numbers keeps them."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "cpu"}
        return func(*args, **kwargs)


def stays_on_meta(tensors: list[Tensor], kwargs: dict[str, Any]) -> bool:
    """Whether `on_one_device` leaves a call as it is, for it is of shapes alone, as most are.

    Not of an operator that makes constants (`makes_constants`).

    Args:
        tensors: all that are among the arguments.
        kwargs: keyword arguments.
    """
    if not tensors or (kwargs and kwargs.get("device") is not None):
        return False
    for tensor in tensors:  # noqa: SIM110  a generator would take twice the time, at every call
        if not tensor.is_meta:
            return False
    return True


def makes_constants(op: str) -> bool:
    """Whether the operator ("aten::zeros_like") makes a constant like a tensor that it is given."""
    return op in _LIKES


def on_one_device(
    op: str, args: Any, kwargs: dict[str, Any], zeros_known: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Floating tensors on meta; integer and boolean ones real, unless a call mixes the two.

    Args:
        op: "aten::mul".
        args: positional arguments.
        kwargs: keyword arguments.
        zeros_known: whether zeros are constants.

    Raises:
        Overwrites: known values are overwritten in place by values that are not computed.
    """
    tensors = tensors_in(*args, *kwargs.values())
    if not tensors:
        if op in _FLOAT_FACTORIES or op in _SCALAR_FACTORIES or op in _WINDOWS:
            return args, {
                **kwargs,
                "device": "meta" if _belongs_on_meta(op, args, kwargs, zeros_known) else "cpu",
            }
        return args, kwargs
    meta = [t.is_meta for t in tensors]
    if not any(meta):
        if op == "aten::histc" and not args[0].is_floating_point():  # on a GPU it takes integers
            args = (args[0].float(), *args[1:])
        if kwargs.get("device") is not None:  # to where its kin is: what is known stays known
            kwargs = {**kwargs, "device": torch.device("cpu")}
        return args, kwargs
    if op in _LIKES and not _is_floating(kwargs.get("dtype") or args[0].dtype):
        return args, {**kwargs, "device": torch.device("cpu")}
    if kwargs.get("device") is not None:  # .cpu() or .to(...) of a tensor without values
        kwargs = {**kwargs, "device": torch.device("meta")}
    return _mixed(op, args, kwargs, meta)


def _mixed(
    op: str, args: Any, kwargs: dict[str, Any], meta: list[bool]
) -> tuple[Any, dict[str, Any]]:
    if all(meta) or op in _MIXED:
        return args, kwargs
    if op.endswith("_") and isinstance(args[0], Tensor) and args[0].device.type != "meta":
        raise Overwrites(f"{op} writes values on the meta device over known ones")
    if op.startswith("aten::index"):
        args = tuple(_as_positions(a) if isinstance(a, list | tuple) else a for a in args)
    return tree_map(_to_meta, args), tree_map(_to_meta, kwargs)


def tensors_in(*values: Any) -> list[Tensor]:
    """The tensors among an operator's arguments or results, one list deep, as schemas allow."""
    tensors = []
    for value in values:
        if type(value) in ATOMS:  # as most are that are no tensors
            continue
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, _LISTS) and value and type(value[0]) is not int:
            tensors += [item for item in value if isinstance(item, Tensor)]
    return tensors


def _as_positions(indices: Any) -> list[Any]:
    # how many elements a mask selects is lost on meta, lists of their positions are not
    positions: list[Any] = []
    for index in indices:
        if (
            isinstance(index, Tensor)
            and index.dtype in (torch.bool, torch.uint8)
            and index.device.type != "meta"
        ):
            positions += index.nonzero().unbind(1)
        else:
            positions.append(index)
    return positions


def _belongs_on_meta(op: str, args: Any, kwargs: dict[str, Any], zeros_known: bool) -> bool:
    if not _makes_floats(op, args, kwargs):
        return False
    constant = not _unknown.get() and (op in _CONSTANTS or (op == _ZEROS and zeros_known))
    return not constant or _elements(op, args) > _SMALL


def _is_floating(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def _elements(op: str, args: Any) -> int:
    """Of a constant that is asked for by these arguments."""
    numbers = [a for a in args if isinstance(a, int | float)]
    if op in ("aten::ones", _ZEROS):
        return prod(args[0])
    if op in _WINDOWS:
        return int(args[0])
    if op in ("aten::linspace", "aten::logspace"):
        return int(args[2])
    if op == "aten::arange":
        start, end, step = {1: (0, *numbers, 1), 2: (*numbers, 1)}.get(len(numbers), numbers)
        return int(abs((end - start) / step))
    return 1


def _makes_floats(op: str, args: Any, kwargs: dict[str, Any]) -> bool:
    dtype = kwargs.get("dtype")
    if dtype is not None:
        return _is_floating(dtype)
    if op in _FLOAT_FACTORIES or op in _WINDOWS:
        return True
    return any(isinstance(a, float | complex) for a in args)


def _to_meta(leaf: Any) -> Any:
    if is_sparse(leaf):
        raise SparseMeta
    return leaf.to("meta") if isinstance(leaf, Tensor) else leaf
