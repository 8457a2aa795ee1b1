"""A network's module calls as they begin and end, without hooks.

A call with hooks is five frames of Python deep, one without them three, and torch.jit's tracer
writes the stack of frames down with every operator. What a module is called through is its own, as
`module.compile()` has it: to put something in the place of `nn.Module.__call__` makes Python forget
what it remembers of all the classes of modules that there are.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import _has_any_global_hook

from flopledger.counting.structure.hooks import Hook

CALLED_THROUGH = "_compiled_call_impl"

# what to do when a module begins and when it ends, and whether it ends that way where it raises
_Listener = tuple[Hook, Hook, bool]


@contextmanager
def on_calls(
    modules: Iterable[tuple[str, nn.Module]],
    enter: Callable[[str], Hook],
    leave: Callable[[str], Hook],
    *,
    leave_always: bool = True,
) -> Iterator[None]:
    """As `on_modules`; what the hooks that a module has already do is done inside its call.

    Of those who listen to one module, the last to begin ends first. A compiled one runs uncompiled.
    """
    heard: dict[int, tuple[nn.Module, Any]] = {}
    try:
        for name, module in modules:
            if id(module) in heard or isinstance(module, torch.jit.ScriptModule):
                continue
            listener: _Listener = (enter(name), leave(name), leave_always)
            own = vars(module)
            before = own.get(CALLED_THROUGH)
            others = before.args[1] if isinstance(before, _Heard) else ()
            heard[id(module)] = module, before
            own[CALLED_THROUGH] = _Heard(_heard, module, (*others, listener))
        yield
    finally:
        for module, before in heard.values():
            if before is None:
                vars(module).pop(CALLED_THROUGH, None)
            else:
                vars(module)[CALLED_THROUGH] = before


class _Heard(partial[Any]):
    """What a module that somebody listens to is called through."""


def _heard(
    module: nn.Module, listeners: tuple[_Listener, ...], /, *args: Any, **kwargs: Any
) -> Any:
    for begin, _, _ in listeners:
        begin(module, args, kwargs)
    result, returned = None, False
    try:
        call = module.forward if _bare(module) else module._call_impl
        result = call(*args, **kwargs)
        returned = True
    finally:
        for _, end, always in listeners:
            if returned or always:
                end(module, args, result)
    return result


def _bare(module: nn.Module) -> bool:
    """Whether to call it is no more than to call its forward."""
    return not (
        module._forward_pre_hooks
        or module._forward_hooks
        or module._backward_pre_hooks
        or module._backward_hooks
        or _has_any_global_hook()  # type: ignore[no-untyped-call]
    )
