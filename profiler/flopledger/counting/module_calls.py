"""A network's module calls as they begin and end, without hooks.

A call with hooks is five frames of Python deep, one without two, and torch.jit's tracer writes the
stack of frames down with every operator: with hooks, that is half of a trace's time.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import _has_any_global_hook

from flopledger.counting.hooks import Hook

# by a module's id: the module (so that no other takes its id), what to do when it begins and when
# it ends, and whether it ends that way also where it raises
_Listener = dict[int, tuple[nn.Module, Hook, Hook, bool]]

_listeners: tuple[_Listener, ...] = ()
_changing = Lock()
_call = nn.Module.__call__


@contextmanager
def on_calls(
    modules: Iterable[tuple[str, nn.Module]],
    enter: Callable[[str], Hook],
    leave: Callable[[str], Hook],
    *,
    leave_always: bool = True,
) -> Iterator[None]:
    """As `on_modules`; what the hooks that a module has already do is done inside its call."""
    listener: _Listener = {}
    for name, module in modules:
        if id(module) not in listener and not isinstance(module, torch.jit.ScriptModule):
            listener[id(module)] = (module, enter(name), leave(name), leave_always)
    _change(lambda listeners: (*listeners, listener))
    try:
        yield
    finally:
        _change(lambda listeners: tuple(other for other in listeners if other is not listener))


@contextmanager
def listened_to() -> Iterator[None]:
    """Hold this around several passes: they then take over `nn.Module.__call__` once.

    With each change of it Python forgets what it remembers of all the classes of modules that there
    are: milliseconds, where a library has thousands.
    """
    with on_calls((), lambda _: lambda *_: None, lambda _: lambda *_: None):
        yield


def _change(to: Callable[[tuple[_Listener, ...]], tuple[_Listener, ...]]) -> None:
    """Other listeners, of whom any thread may have some; with the last one all is as it was."""
    global _listeners, _call
    with _changing:
        were, _listeners = _listeners, to(_listeners)
        if _listeners and not were:
            _call = nn.Module.__call__
            nn.Module.__call__ = _heard  # type: ignore[method-assign]
        elif were and not _listeners:
            nn.Module.__call__ = _call  # type: ignore[method-assign]


def _heard(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    own = [listener[id(self)] for listener in _listeners if id(self) in listener]
    for _, begin, _, _ in own:
        begin(self, args, kwargs)
    result, returned = None, False
    try:
        result = self.forward(*args, **kwargs) if _bare(self) else _call(self, *args, **kwargs)
        returned = True
    finally:
        for _, _, end, always in own:
            if returned or always:
                end(self, args, result)
    return result


def _bare(module: nn.Module) -> bool:
    """Whether to call it is no more than to call its forward."""
    return not (
        module._compiled_call_impl
        or module._forward_pre_hooks
        or module._forward_hooks
        or module._backward_pre_hooks
        or module._backward_hooks
        or _has_any_global_hook()  # type: ignore[no-untyped-call]
    )
