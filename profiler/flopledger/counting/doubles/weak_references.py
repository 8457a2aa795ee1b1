"""Copies of what refers to objects weakly: they refer to those objects' copies."""

import weakref
from collections.abc import Callable
from typing import Any

WEAK = (
    weakref.ref, *weakref.ProxyTypes,
    weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet,
)  # fmt: skip


def weak_copy(x: Any, copied: Callable[[Any], Any], later: Callable[[Any], None]) -> Any:
    """The copy of a weak reference or container; the same object where what it refers to is.

    Args:
        x: of a kind in `WEAK`.
        copied: the copy of an object.
        later: takes what is to be done once all copies are whole.
    """
    if isinstance(x, weakref.ref):
        return _reference(x, copied)
    if isinstance(x, weakref.ProxyTypes):
        return _proxy(x, copied)
    twin = type(x)()
    if isinstance(x, weakref.WeakSet):
        items = [copied(item) for item in x]
        later(lambda: twin.update(items))
    else:
        pairs = [(copied(key), copied(value)) for key, value in x.items()]
        later(lambda: twin.update(pairs))
    return twin


def _reference(x: Any, copied: Callable[[Any], Any]) -> Any:
    target = x()
    twin = copied(target)
    if twin is target:
        return x
    if isinstance(x, weakref.WeakMethod):
        return weakref.WeakMethod(twin)
    return weakref.ref(twin, copied(x.__callback__)) if type(x) is weakref.ref else x


def _proxy(x: Any, copied: Callable[[Any], Any]) -> Any:
    try:
        target = x.__repr__.__self__
    except ReferenceError:
        return x
    return weakref.proxy(copied(target))
