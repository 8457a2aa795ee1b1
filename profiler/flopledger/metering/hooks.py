"""What a meter hangs on modules: it counts there, and copies of a module come without it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn

from flopledger.metering.call_counter import CallCounter

# of a copied or saved module's hook: calling nothing's end does nothing, and needs no flopledger
_WITHOUT_IT = (getattr, (nullcontext(), "__exit__"))


class Begin:
    """A forward pre-hook."""

    def __init__(self, counter: CallCounter, name: str) -> None:
        self._counter, self._name = counter, name

    def __call__(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """The module begins."""
        self._counter.begin(self._name, module, module, args, kwargs)

    def __reduce__(self) -> Any:
        return _WITHOUT_IT


class End:
    """A forward hook.

    Args:
        counter: is told.
        off: is called when the last call ends after the meter's end.
    """

    def __init__(self, counter: CallCounter, off: Callable[[], None]) -> None:
        self._counter, self._off = counter, off

    def __call__(self, module: nn.Module, args: Any, out: Any) -> None:
        """The module ends."""
        if self._counter.end(module, args, out):
            self._off()

    def __reduce__(self) -> Any:
        return _WITHOUT_IT


@contextmanager
def method_of(
    module: nn.Module, name: str, called: str, counter: CallCounter, off: Callable[[], None]
) -> Iterator[None]:
    """While the body runs, calls of a module's method count.

    Args:
        module: has it.
        name: of the method.
        called: what its calls go by.
        counter: is told.
        off: is called when the last call ends after the meter's end.
    """
    own = vars(module).get(name)
    object.__setattr__(module, name, _Method(counter, module, name, called, off))
    try:
        yield
    finally:
        if own is None:
            object.__delattr__(module, name)
        else:
            object.__setattr__(module, name, own)


class _Method:
    """Stands in an object's place for one of its methods."""

    def __init__(
        self,
        counter: CallCounter,
        module: nn.Module,
        name: str,
        called: str,
        off: Callable[[], None],
    ) -> None:
        self._counter, self._module, self._name, self._off = counter, module, name, off
        self._called, self._method = called, getattr(module, name)
        self.__doc__ = self._method.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As the method itself."""
        self._counter.begin(self._called, self._module, self, args, kwargs)
        failed, out = True, None
        try:
            out = self._method(*args, **kwargs)
            failed = False
            return out
        finally:
            if self._counter.end(self, args, out, failed):
                self._off()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_method"], name)

    def __reduce__(self) -> Any:
        return getattr, (self._module, self._name)
