"""Hooks on a network's modules, of which none is left afterwards."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

Hook = Callable[..., None]


@contextmanager
def on_modules(
    modules: Iterable[tuple[str, nn.Module]],
    enter: Callable[[str], Hook],
    leave: Callable[[str], Hook],
    *,
    leave_always: bool = True,
) -> Iterator[None]:
    """While the body runs, be called whenever a module begins and ends.

    A ScriptModule takes no hooks: what it does is its parent's.

    Args:
        modules: each with its name, as `named_modules` has them; one that comes twice is hooked
            once, by its first name.
        enter: given a name, returns the hook (module, args, kwargs) of that module's beginning.
        leave: likewise, the hook (module, args, result) of its end.
        leave_always: whether a module that raises ends as well; its result is then None.
    """
    handles = []
    hooked: set[int] = set()
    try:
        for name, module in modules:
            if isinstance(module, torch.jit.ScriptModule) or id(module) in hooked:
                continue
            hooked.add(id(module))
            handles.append(module.register_forward_pre_hook(enter(name), with_kwargs=True))
            handles.append(module.register_forward_hook(leave(name), always_call=leave_always))
        yield
    finally:
        for handle in handles:
            handle.remove()
