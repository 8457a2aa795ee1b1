"""Copies of all that an object holds, with other tensors in place of its own."""

import enum
import functools
import types
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from flopledger.counting.doubles import copied_callables, copied_containers
from flopledger.counting.doubles.copied_containers import Copied, itself
from flopledger.counting.doubles.given_back import GIVEN_BACK, lent
from flopledger.counting.doubles.unfinalised import has_finaliser, unfinalised
from flopledger.counting.doubles.weak_references import WEAK, weak_copy
from flopledger.counting.structure.module_calls import CALLED_THROUGH
from flopledger.counting.structure.shared_objects import (
    ATOMS,
    is_shared,
    slots_of,
)
from flopledger.counting.structure.wrapped import holds_tensors, readable, rewrapped

# without a `__del__`
_ENDS_QUIETLY = frozenset(
    (dict, list, tuple, set, OrderedDict, Tensor, nn.Parameter, types.FunctionType, types.CellType,
     functools._lru_cache_wrapper)
)  # fmt: skip

_AT_ONCE = ATOMS - {type}  # a class is the same in the copy, but its code may run

# a module's tables of what else has a name
_NAMED = frozenset(("_parameters", "_buffers", "_modules"))
_TABLES = frozenset((OrderedDict, set))  # those of its hooks


class Copier:
    """Copies objects and what they hold, once each, so that what was shared stays shared.

    What holds no tensors and cannot change (numbers, strings, functions without variables of their
    own) is the same object in the copy; so is what cannot be copied: classes, locks, generators.
    Queues, files and context variables are shared, and as they were after `end`.

    Attributes:
        place: what stands in the copy for a tensor; it is given each tensor once.
        tensors: what stands in for one.
        functions: the Python functions met on the way.
        scripted: likewise the ScriptModules, each its own copy.
        classes: likewise the classes of the objects copied, in no order.
        held: likewise the classes that these objects hold.
        to_fill: what is left to be done to copies that are made, and hold nothing yet.
        to_key: likewise what waits until all else is filled: a key can be looked up once
            it is whole.
    """

    def __init__(self, place: Callable[[Tensor], Tensor]) -> None:
        self.functions: list[types.FunctionType] = []
        self.scripted: list[nn.Module] = []
        self.classes: set[type] = set()
        self.held: set[type] = set()
        self.place = place
        self.tensors: list[Tensor] = []
        self._shared: dict[type, bool] = {}
        self._slots: dict[type, list[Any]] = {}
        self._copies: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no other object takes the place of one in the memory
        self.to_fill: list[Callable[[], None]] = []
        self.to_key: list[Callable[[], None]] = []
        self._to_give_back: list[Callable[[], None]] = []
        self._to_end: list[Any] = []

    def __call__(self, original: Any) -> Any:
        """The copy of that object."""
        twin = self.of(original)
        while self.to_fill or self.to_key:
            (self.to_fill or self.to_key).pop()()
        return twin

    def put(self, original: Any, twin: Any) -> Any:
        """From now on, this is the copy of that object; returned for convenience."""
        self._copies[id(original)] = twin
        self._kept.append(original)
        kind = type(twin)
        if kind not in _ENDS_QUIETLY and twin is not original and has_finaliser(kind):
            self._to_end.append(twin)
        return twin

    def give_back(self) -> None:
        """What the copies share with the originals is as it was."""
        while self._to_give_back:
            self._to_give_back.pop()()

    def end(self) -> None:
        """Likewise, and when the copies end, nothing of their classes' own happens."""
        self.give_back()
        unfinalised(self._to_end)
        self._to_end.clear()

    def known(self, x: Any) -> Any:
        """The copy of that object, if it was made, or None."""
        return self._copies.get(id(x))

    def of(self, x: Any) -> Any:
        """The copy of that object, which may hold nothing until `to_fill` and `to_key` are done."""
        kind = type(x)
        if kind in _AT_ONCE:
            return x
        known = self._copies.get(id(x), self)
        if known is not self:
            return known
        if kind is nn.Parameter or isinstance(x, Tensor):
            return self._tensor(x)
        copied = _BY_KIND.get(kind)
        return copied(self, x) if copied is not None else self._other(x, kind)

    def _class(self, x: type) -> type:
        self.held.add(x)
        return x

    def _other(self, x: Any, kind: type) -> Any:
        if isinstance(x, type):  # of a class of classes
            return self._class(x)
        if self._shared.get(kind):
            return x
        for base, copied in _BY_BASE:
            if isinstance(x, base):
                return copied(self, x)
        if any(base.__module__.startswith("numpy.random.") for base in kind.__mro__):
            return itself(self, x)  # not by its class: to import it takes 3 MiB
        if kind not in self._shared:
            self._shared[kind] = is_shared(kind)
            self._slots[kind] = slots_of(kind)
        return x if self._shared[kind] else self._instance(x)

    def _tensor(self, x: Tensor) -> Tensor:
        kind = type(x)
        usual = kind is nn.Parameter  # as most are: to ask Python what else takes its time
        if not usual and is_lazy(x):  # has no shape yet
            # a lazy buffer cannot be copied otherwise
            return self.put(x, kind(x.requires_grad, x.device, x.dtype))  # type: ignore
        wraps = kind not in _ENDS_QUIETLY and holds_tensors(x)
        twin = rewrapped(x, self.of) if wraps else self.place(readable(x))
        if usual and type(twin) is Tensor:
            twin = Tensor._make_subclass(nn.Parameter, twin, x.requires_grad)
        elif kind is not Tensor and isinstance(x, nn.Parameter):
            twin = nn.Parameter(twin, x.requires_grad)
        elif x.requires_grad:
            twin.requires_grad_()
        self.put(x, twin)
        if wraps:
            return twin
        self.tensors.append(twin)
        if x.__dict__ and twin is not x:
            self.to_fill.append(lambda: self.fill(twin.__dict__, x.__dict__))
        return twin

    def _module(self, x: nn.Module) -> Any:
        if isinstance(x, torch.jit.ScriptModule):  # keeps its own tensors
            self.scripted.append(x)
            return self.put(x, x)
        twin = self.put(x, object.__new__(type(x)))
        self.classes.add(type(x))
        self.to_fill.append(lambda: self._members(twin, x))
        return twin

    def _members(self, twin: Any, x: nn.Module) -> None:
        """Of a module: of the tables that each has, most are empty."""
        members = vars(twin)
        members.update(vars(x))
        members.pop(CALLED_THROUGH, None)  # it is not compiled, and nobody listens to it
        for key, value in members.items():
            kind = type(value)
            if kind in _AT_ONCE:
                continue
            if kind in _TABLES and not value and key[:1] == "_":
                members[key] = kind()
            elif kind is dict and key in _NAMED:
                members[key] = self._copies[id(value)] = table = dict[str, Any]()
                if value:
                    self.fill(table, value)
            else:
                members[key] = self.of(value)
        if isinstance(x, DistributedDataParallel):  # its gradients are sent to nobody
            twin.forward = lambda *args, **kwargs: twin.module(*args, **kwargs)

    def _instance(self, x: Any) -> Any:
        try:
            twin = object.__new__(type(x))
        except TypeError:  # made in C
            return self.put(x, x)
        self.put(x, twin)
        self.classes.add(type(x))

        def fill() -> None:
            if hasattr(x, "__dict__"):
                self.fill(vars(twin), vars(x))
            for slot in self._slots[type(x)]:
                try:
                    value = slot.__get__(x)
                except AttributeError:  # not set
                    continue
                slot.__set__(twin, self.of(value))

        self.to_fill.append(fill)
        return twin

    def fill(self, twin: dict[Any, Any], entries: dict[Any, Any]) -> None:
        """Copies of the entries' values, under the same keys."""
        twin.update(entries)
        for key, value in twin.items():
            if type(value) not in _AT_ONCE:
                twin[key] = self.of(value)

    def attributes(self, x: Any, twin: Any) -> None:
        """Those that an instance of a subclass has beside its items."""
        if attributes := getattr(x, "__dict__", None):
            self.to_fill.append(lambda: self.fill(vars(twin), attributes))

    def _weak(self, x: Any) -> Any:
        return self.put(x, weak_copy(x, self.of, self.to_key.append))

    def _lent(self, x: Any) -> Any:
        self.put(x, x)
        self._to_give_back.append(lent(x, self.of))
        return x


_BY_KIND: dict[type, Copied] = {
    **copied_containers.BY_KIND,
    **copied_callables.BY_KIND,
    type: Copier._class,
    weakref.ref: Copier._weak,
    weakref.ProxyType: Copier._weak,
    weakref.CallableProxyType: Copier._weak,
}
_BY_BASE: tuple[tuple[Any, Copied], ...] = (
    (nn.Module, Copier._module),
    (enum.Enum, lambda copier, x: x),
    *copied_containers.BY_BASE,
    *copied_callables.BY_BASE,
    (WEAK, Copier._weak),
    (torch.Generator, lambda copier, x: copier.put(x, x.clone_state())),
    (GIVEN_BACK, Copier._lent),
)
