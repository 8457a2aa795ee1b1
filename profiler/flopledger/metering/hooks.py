"""What a meter hangs on modules: it counts there, and copies of a module come without it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from torch import nn

from flopledger.metering.call_counter import CallCounter

# of a copied or saved module's hook: calling nothing's end does nothing, and needs no flopledger
_WITHOUT_IT = (getattr, (nullcontext(), "__exit__"))


class Hook(partial[None]):
    """Of a forward pass."""

    def __reduce__(self) -> Any:
        return _WITHOUT_IT


def begin(counter: CallCounter, name: str) -> Hook:
    """A forward pre-hook: a module that goes by that name begins."""
    return Hook(counter.begins(name))


def end(counter: CallCounter) -> Hook:
    """A forward hook: a module ends."""
    return Hook(counter.ends())


@contextmanager
def method_of(module: nn.Module, name: str, called: str, counter: CallCounter) -> Iterator[None]:
    """While the body runs, calls of a module's method count.

    Args:
        module: has it.
        name: of the method.
        called: what its calls go by.
        counter: is told.
    """
    own = vars(module).get(name)
    method = _Method(counter, module, name, called, own)
    object.__setattr__(module, name, method)
    try:
        yield
    finally:
        method.ended = True
        # what another meter hung above it stays until that one ends, and then takes it off as well
        own = vars(module).get(name)
        while isinstance(own, _Method) and own.ended:
            own = own.own
            if own is None:
                object.__delattr__(module, name)
            else:
                object.__setattr__(module, name, own)


class _Method:
    """Stands in an object's place for one of its methods."""

    def __init__(
        self, counter: CallCounter, module: nn.Module, name: str, called: str, own: Any
    ) -> None:
        self.own, self.ended = own, False  # what the object had there itself
        self._counter, self._module, self._name = counter, module, name
        self._called, self._method = called, getattr(module, name)
        self.__doc__ = self._method.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As the method itself."""
        if self.ended:
            return self._method(*args, **kwargs)
        self._counter.begin(self._called, self._module, args, kwargs, self)
        failed, out = True, None
        try:
            out = self._method(*args, **kwargs)
            failed = False
            return out
        finally:
            self._counter.end(self, args, out, failed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_method"], name)

    def __reduce__(self) -> Any:
        return getattr, (self._module, self._name)
