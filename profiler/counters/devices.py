"""Which device a tensor lives on while a network is counted: floats on meta, integers real."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from profiler.counters.shapes import infer

_FLOAT_FACTORIES = {
    f"aten::{name}"
    for name in ("zeros", "ones", "empty", "rand", "randn", "eye", "linspace", "logspace", "normal")
}
_SCALAR_FACTORIES = {f"aten::{name}" for name in ("arange", "full", "scalar_tensor")}

# their integers (lengths, batch sizes) are read while they run
_MIXED = {"aten::_pack_padded_sequence", "aten::_pad_packed_sequence"}


class IntegersReal(TorchDispatchMode):
    """Under torch.device("meta"): integer and boolean tensors are made on the CPU all the same."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True would import torch._dynamo at the first call: a second

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        op, overload = func._schema.name, func._schema.overload_name
        args, kwargs = on_one_device(op, args, kwargs or {})
        made = infer(op, overload, args, kwargs)
        return func(*args, **kwargs) if made is NotImplemented else made


def on_one_device(op: str, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Floating tensors on meta; integer and boolean ones real, unless a call mixes the two."""
    tensors = tensors_in(*args, *kwargs.values())
    if not tensors:
        if op in _FLOAT_FACTORIES or op in _SCALAR_FACTORIES:
            return args, {**kwargs, "device": "meta" if _makes_floats(op, args, kwargs) else "cpu"}
        return args, kwargs
    meta = [t.device.type == "meta" for t in tensors]
    if not any(meta):
        return args, kwargs
    if kwargs.get("device") is not None:  # .cpu() or .to(...) of a tensor without values
        kwargs = {**kwargs, "device": torch.device("meta")}
    if all(meta) or op in _MIXED:
        return args, kwargs
    if op.startswith("aten::index"):
        args = tree_map(_as_numbers, args)
    return tree_map(_to_meta, args), tree_map(_to_meta, kwargs)


def tensors_in(*values: Any) -> list[Tensor]:
    """The tensors among an operator's arguments or results, one list deep, as schemas allow."""
    found = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [item for item in value if isinstance(item, Tensor)]
    return found


def _as_numbers(leaf: Any) -> Any:
    # how many elements a mask selects is lost on meta, a list of their positions is not
    if isinstance(leaf, Tensor) and leaf.dtype == torch.bool and leaf.device.type != "meta":
        return leaf.nonzero().squeeze(-1) if leaf.dim() == 1 else leaf
    return leaf


def _makes_floats(op: str, args: Any, kwargs: dict[str, Any]) -> bool:
    dtype = kwargs.get("dtype")
    if dtype is not None:
        return bool(dtype.is_floating_point or dtype.is_complex)
    if op in _FLOAT_FACTORIES:
        return True
    return any(isinstance(a, float | complex) for a in args)


def _to_meta(leaf: Any) -> Any:
    return leaf.to("meta") if isinstance(leaf, Tensor) else leaf
