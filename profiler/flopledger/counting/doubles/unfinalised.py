"""The end of copies whose class has a `__del__`, which would close what the original shares."""

from collections.abc import Iterable
from typing import Any

from torch import nn


class _Ended:
    """A copy that is done with."""


class _EndedModule(nn.Module):
    """Likewise of a module."""


_kept: list[Any] = []  # what can be of no other class; it is never collected


def has_finaliser(kind: type) -> bool:
    """Whether instances of that class do something of their own as they end."""
    return hasattr(kind, "__del__")


def unfinalised(copies: Iterable[Any]) -> None:
    """From now on, nothing happens when these end: each is of another class, without `__del__`."""
    for copy in copies:
        kind = type(copy)
        for ended in (_Ended, _EndedModule, _without(kind)):
            try:
                object.__setattr__(copy, "__class__", ended)
                break
            except TypeError:  # it is laid out otherwise
                continue
        if has_finaliser(type(copy)) and type(copy) is kind:
            _kept.append(copy)


def _without(kind: type) -> type:
    """A subclass whose `__del__` does nothing."""
    if "__init_subclass__" in {name for base in kind.__mro__[:-1] for name in vars(base)}:
        return kind  # whose author would be told of it
    body = {"__slots__": (), "__del__": lambda self: None}
    return type.__new__(type(kind), kind.__name__, (kind,), body)
