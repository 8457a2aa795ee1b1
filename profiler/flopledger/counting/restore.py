"""A network as it was: what a pass does to it besides computing is undone, or refused."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map

from flopledger.counting.network_parts import modules_of, tensors_of
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
    modules = [child for _, child in modules_of(module)]
    scripted = [m for m in modules if isinstance(m, torch.jit.ScriptModule)]
    children = [m for m in modules if not isinstance(m, torch.jit.ScriptModule)]
    tables = [(table, dict(table)) for child in children for table in _tables(child)]
    attributes = [(child, dict(vars(child))) for child in children]
    buffers = [(buffer, buffer.detach().clone()) for m in scripted for buffer in m.buffers()]
    fast = torch.backends.mha.get_fastpath_enabled()
    others: set[str] | None = None
    try:
        # the fused path of attention would leave padding out, and is opaque to a trace
        torch.backends.mha.set_fastpath_enabled(False)
        yield
        if any(_keys(table) != _keys(before) for table, before in tables):
            others = _names(module)
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
    names = _names(module) if others is not None else set()
    if others is not None and (changed := names ^ others):
        first = min(changed)
        how = "removes" if first in names else "adds"
        raise ChangesItself(f"it {how} {first} while it runs; build it whole in __init__")


def materialised(module: nn.Module, inputs: tuple[tuple[Any, ...], dict[str, Any]]) -> nn.Module:
    """The network; of one with lazy layers, a copy whose layers a first pass has made."""
    if not any(map(is_lazy, tensors_of(module))):
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


def _keys(table: dict[str, Any]) -> set[str]:
    return {key for key, value in table.items() if value is not None}


def _names(module: nn.Module) -> set[str]:
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    return parameters | {name for name, _ in module.named_modules(remove_duplicate=False)}
