"""What a network and its double share: what cannot change, and what is of the machinery."""

import itertools
import sys
import types
from typing import Any

import torch

# nothing of them changes
ATOMS = frozenset({
    type(None), type(Ellipsis), type(NotImplemented), bool, int, float, complex, str, bytes, range,
    slice, object, type, types.ModuleType, torch.Size, torch.dtype, torch.device, torch.layout,
    torch.memory_format,
})  # fmt: skip

# where they are is theirs alone; itertools.count copies itself
ITERATORS = frozenset({
    *map(type, (iter([]), iter(()), iter(""), iter(b""), iter({}), iter({}.values()),
                iter({}.items()), iter(set()), iter(range(0)), iter(range(2**64)),
                iter(int, 0), reversed([]))),
    enumerate, filter, map, reversed, zip,
    *(kind for kind in vars(itertools).values()
      if isinstance(kind, type) and kind is not itertools.count and hasattr(kind, "__next__")),
    type(itertools.tee(())[0]), getattr(itertools, "_tee_dataobject", object),
})  # fmt: skip

# of the standard library and of torch, what may hold a network's state: no lock, thread or process
_HOLDERS = ("argparse", "collections", "types", "unittest")
_TORCH_HOLDERS = ("torch.nn", "torch.quasirandom", "torch.utils.hooks", "torch.distributed.fsdp")


def is_shared(kind: type) -> bool:
    """Whether the copy holds the same instance of that class: it is of the machinery."""
    home = kind.__module__
    root = home.partition(".")[0]
    if root == "torch":
        return not home.startswith(_TORCH_HOLDERS)
    return root in sys.stdlib_module_names and root not in _HOLDERS


def slots_of(kind: type) -> list[Any]:
    """What of its instances stands in no `__dict__`."""
    members = [member for base in kind.__mro__ for member in vars(base).values()]
    return [member for member in members if isinstance(member, types.MemberDescriptorType)]


def keeps_nothing(function: types.FunctionType, met: set[int]) -> bool:
    """Whether the function keeps nothing that could change or hold a tensor.

    A number in a variable of its own may be another one after a call.
    """
    met.add(id(function))
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    if not all(type(value) in ATOMS or _is_code(value, met) for value in defaults):
        return False
    kept = list(vars(function).values())
    for cell in function.__closure__ or ():
        try:
            kept.append(cell.cell_contents)
        except ValueError:  # empty as yet
            return False
    return all(_is_code(value, met) for value in kept)


def _is_code(value: Any, met: set[int]) -> bool:
    if isinstance(value, types.FunctionType):
        return id(value) in met or keeps_nothing(value, met)
    return isinstance(value, type) or (
        isinstance(value, types.BuiltinFunctionType)
        and isinstance(value.__self__, types.ModuleType | type | None)
    )
