"""A network as it was: what a pass does to it besides computing is undone, or refused."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map

from flopledger.errors import FlopledgerError

_TABLES = ("_modules", "_parameters", "_buffers")


class ChangesItself(FlopledgerError, RuntimeError):
    """A network's layers or parameters are others after a pass; the message names the first."""


@contextmanager
def restoring(module: nn.Module) -> Iterator[None]:
    """Undo, after the body, what it set on the network's modules.

    Raises:
        ChangesItself: layers or parameters were added or removed.
    """
    children = [m for m in module.modules() if not isinstance(m, torch.jit.ScriptModule)]
    tables = [(table, dict(table)) for child in children for table in _tables(child)]
    attributes = [(child, dict(vars(child))) for child in children]
    scripted = [m for m in module.modules() if isinstance(m, torch.jit.ScriptModule)]
    buffers = [(buffer, buffer.detach().clone()) for m in scripted for buffer in m.buffers()]
    fast = torch.backends.mha.get_fastpath_enabled()
    names = _names(module)
    changed: set[str] = set()
    try:
        # the fused path of attention would leave padding out, and is opaque to a trace
        torch.backends.mha.set_fastpath_enabled(False)
        yield
        changed = names ^ _names(module)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for buffer, kept in buffers:
            buffer.copy_(kept)
        for child, before in attributes:
            vars(child).clear()
            vars(child).update(before)
        for table, entries in tables:
            table.clear()
            table.update(entries)
    if changed:
        first = min(changed)
        how = "removes" if first in names else "adds"
        raise ChangesItself(f"it {how} {first} while it runs; build it whole in __init__")


def materialised(module: nn.Module, inputs: tuple[tuple[Any, ...], dict[str, Any]]) -> nn.Module:
    """The network; of one with lazy layers, a copy whose layers a first pass has made."""
    if not any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        return module
    whole = copy.deepcopy(module)
    device = next((p.device for p in whole.parameters()), torch.device("cpu"))
    args, kwargs = tree_map(
        lambda leaf: leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf, inputs
    )
    with torch.no_grad():
        whole(*args, **kwargs)
    return whole


def _tables(module: nn.Module) -> list[dict[str, Any]]:
    return [getattr(module, name) for name in _TABLES]


def _names(module: nn.Module) -> set[str]:
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    return parameters | {name for name, _ in module.named_modules(remove_duplicate=False)}
