"""Copies of all that an object holds, with other tensors in place of its own."""

import array
import copy
import enum
import functools
import io
import itertools
import random
import threading
import types
import warnings
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from flopledger.counting.doubles.given_back import GIVEN_BACK, lent
from flopledger.counting.doubles.unfinalised import has_finaliser, unfinalised
from flopledger.counting.doubles.weak_references import WEAK, weak_copy
from flopledger.counting.structure.module_calls import CALLED_THROUGH
from flopledger.counting.structure.shared_objects import (
    ATOMS,
    ITERATORS,
    is_fixed,
    is_shared,
    slots_of,
)
from flopledger.counting.structure.wrapped import holds_tensors, readable, rewrapped

_Cache = functools._lru_cache_wrapper

# without a `__del__`
_ENDS_QUIETLY = frozenset((dict, list, tuple, OrderedDict, Tensor, nn.Parameter))

# a module's tables of what else has a name
_NAMED = frozenset(("_parameters", "_buffers", "_modules"))
_TABLES = frozenset((OrderedDict, set))  # those of its hooks

# state of their own in C, which they copy themselves
_COPY_THEMSELVES = (
    array.array, bytearray, io.BytesIO, io.StringIO, random.Random, itertools.count,
)  # fmt: skip


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
    """

    def __init__(self, place: Callable[[Tensor], Tensor]) -> None:
        self.functions: list[types.FunctionType] = []
        self.scripted: list[nn.Module] = []
        self.classes: set[type] = set()
        self.place = place
        self.tensors: list[Tensor] = []
        self._shared: dict[type, bool] = {}
        self._slots: dict[type, list[Any]] = {}
        self._copies: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no other object takes the place of one in the memory
        self._to_fill: list[Callable[[], None]] = []
        self._to_key: list[Callable[[], None]] = []
        self._to_give_back: list[Callable[[], None]] = []
        self._to_end: list[Any] = []

    def __call__(self, original: Any) -> Any:
        """The copy of that object."""
        twin = self._of(original)
        while self._to_fill or self._to_key:
            # a key can be looked up once it is whole
            (self._to_fill or self._to_key).pop()()
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

    def _of(self, x: Any) -> Any:
        kind = type(x)
        if kind in ATOMS:
            return x
        known = self._copies.get(id(x), self)
        if known is not self:
            return known
        if isinstance(x, Tensor):
            return self._tensor(x)
        copied = _BY_KIND.get(kind)
        return copied(self, x) if copied is not None else self._other(x, kind)

    def _other(self, x: Any, kind: type) -> Any:
        for base, copied in _BY_BASE:
            if isinstance(x, base):
                return copied(self, x)
        if any(base.__module__.startswith("numpy.random.") for base in kind.__mro__):
            return self._itself(x)  # not by its class: to import it takes 3 MiB
        if kind not in self._shared:
            self._shared[kind] = is_shared(kind)
            self._slots[kind] = slots_of(kind)
        return self.put(x, x) if self._shared[kind] else self._instance(x)

    def _tensor(self, x: Tensor) -> Tensor:
        kind = type(x)
        usual = kind is nn.Parameter  # as most are: to ask Python what else takes its time
        if not usual and is_lazy(x):  # has no shape yet
            # a lazy buffer cannot be copied otherwise
            return self.put(x, kind(x.requires_grad, x.device, x.dtype))  # type: ignore
        wraps = kind not in _ENDS_QUIETLY and holds_tensors(x)
        twin = rewrapped(x, self._of) if wraps else self.place(readable(x))
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
            self._to_fill.append(lambda: self._fill(twin.__dict__, x.__dict__))
        return twin

    def _module(self, x: nn.Module) -> Any:
        if isinstance(x, torch.jit.ScriptModule):  # keeps its own tensors
            self.scripted.append(x)
            return self.put(x, x)
        twin = self.put(x, object.__new__(type(x)))
        self.classes.add(type(x))
        self._to_fill.append(lambda: self._members(twin, x))
        return twin

    def _members(self, twin: Any, x: nn.Module) -> None:
        """Of a module: of the tables that each has, most are empty."""
        members = vars(twin)
        members.update(vars(x))
        members.pop(CALLED_THROUGH, None)  # it is not compiled, and nobody listens to it
        for key, value in members.items():
            kind = type(value)
            if kind in ATOMS:
                continue
            if kind is dict and key in _NAMED:
                members[key] = self._copies[id(value)] = table = dict[str, Any]()
                self._fill(table, value)
            elif kind in _TABLES and not value and key.startswith("_"):
                members[key] = value.copy()
            else:
                members[key] = self._of(value)
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
                self._fill(vars(twin), vars(x))
            for slot in self._slots[type(x)]:
                try:
                    value = slot.__get__(x)
                except AttributeError:  # not set
                    continue
                slot.__set__(twin, self._of(value))

        self._to_fill.append(fill)
        return twin

    def _fill(self, twin: dict[Any, Any], entries: dict[Any, Any]) -> None:
        twin.update(entries)
        for key, value in twin.items():
            if type(value) not in ATOMS:
                twin[key] = self._of(value)

    def _attributes(self, x: Any, twin: Any) -> None:
        """Those that an instance of a subclass has beside its items."""
        if attributes := getattr(x, "__dict__", None):
            self._to_fill.append(lambda: self._fill(vars(twin), attributes))

    def _mapping(self, x: dict[Any, Any]) -> Any:
        base: Any = next(b for b in (OrderedDict, defaultdict, dict) if isinstance(x, b))
        twin = self.put(x, base.__new__(type(x)))
        if base is defaultdict:
            twin.default_factory = self._of(x.default_factory)  # type: ignore[attr-defined]
        entries = list(base.items(x))
        if all(type(key) in ATOMS for key, _ in entries):
            self._to_fill.append(lambda: self._enter(base, twin, entries))
        else:
            copied = [(self._of(key), value) for key, value in entries]
            self._to_key.append(lambda: self._enter(base, twin, copied))
        self._attributes(x, twin)
        return twin

    def _enter(self, base: Any, twin: Any, entries: list[tuple[Any, Any]]) -> None:
        for key, value in entries:
            base.__setitem__(twin, key, self._of(value))

    def _list(self, x: list[Any]) -> Any:
        twin = self.put(x, list.__new__(type(x)))
        self._to_fill.append(lambda: list.extend(twin, [self._of(item) for item in list.copy(x)]))
        self._attributes(x, twin)
        return twin

    def _deque(self, x: deque[Any]) -> Any:
        twin = self.put(x, deque.__new__(type(x)))
        deque.__init__(twin, (), x.maxlen)
        self._to_fill.append(lambda: deque.extend(twin, [self._of(item) for item in tuple(x)]))
        self._attributes(x, twin)
        return twin

    def _set(self, x: set[Any]) -> Any:
        twin = self.put(x, set.__new__(type(x)))
        items = [self._of(item) for item in set.copy(x)]
        self._to_key.append(lambda: set.update(twin, items))
        self._attributes(x, twin)
        return twin

    def _frozenset(self, x: frozenset[Any]) -> Any:
        items = [self._of(item) for item in x]
        if all(a is b for a, b in zip(x, items, strict=True)):
            return self.put(x, x)
        return self.put(x, frozenset(items))

    def _tuple(self, x: tuple[Any, ...]) -> Any:
        if type(x) is tuple and ATOMS.issuperset(map(type, x)):
            return x
        items = [self._of(item) for item in x]
        if all(a is b for a, b in zip(x, items, strict=True)):
            return self.put(x, x)
        try:
            twin = tuple.__new__(type(x), items)
        except TypeError:  # torch.return_types
            twin = type(x)(items)
        self._attributes(x, twin)
        return self.put(x, twin)

    def _function(self, x: types.FunctionType) -> Any:
        self.functions.append(x)
        if is_fixed(x, set()):
            return self.put(x, x)
        cells = tuple(self._cell(cell) for cell in x.__closure__ or ())
        twin = types.FunctionType(x.__code__, x.__globals__, x.__name__, None, cells)
        self.put(x, twin)
        twin.__qualname__, twin.__module__, twin.__doc__ = x.__qualname__, x.__module__, x.__doc__
        twin.__defaults__ = self._of(x.__defaults__)
        twin.__kwdefaults__ = self._of(x.__kwdefaults__)
        twin.__annotations__ = x.__annotations__
        self._attributes(x, twin)
        return twin

    def _cell(self, x: Any) -> Any:
        known = self._copies.get(id(x))
        if known is not None:
            return known
        twin = self.put(x, types.CellType())

        def fill() -> None:
            try:
                twin.cell_contents = self._of(x.cell_contents)
            except ValueError:  # empty
                return

        self._to_fill.append(fill)
        return twin

    def _method(self, x: types.MethodType) -> Any:
        function, owner = self._of(x.__func__), self._of(x.__self__)
        if function is x.__func__ and owner is x.__self__:
            return self.put(x, x)
        return self.put(x, types.MethodType(function, owner))

    def _built_in(self, x: Any) -> Any:
        owner = x.__self__
        if isinstance(owner, types.ModuleType | type | None):
            return x
        twin = self._of(owner)
        return self.put(x, x if twin is owner else getattr(twin, x.__name__))

    def _partial(self, x: functools.partial[Any]) -> Any:
        args, words = self._of(x.args), {k: self._of(v) for k, v in x.keywords.items()}
        twin = functools.partial.__new__(type(x), self._of(x.func), *args, **words)
        self._attributes(x, twin)
        return self.put(x, twin)

    def _weak(self, x: Any) -> Any:
        return self.put(x, weak_copy(x, self._of, self._to_key.append))

    def _namespace(self, x: types.SimpleNamespace) -> Any:
        twin = self.put(x, types.SimpleNamespace())
        self._attributes(x, twin)
        return twin

    def _local(self, x: threading.local) -> Any:
        twin = self.put(x, threading.local())
        self._attributes(x, twin)
        return twin

    def _array(self, x: Any) -> Any:
        twin = self.put(x, x if isinstance(x, np.memmap) else x.copy())
        if x.dtype.kind == "O":
            self._to_fill.append(lambda: self._objects(twin))
        return twin

    def _objects(self, twin: Any) -> None:
        for place, value in enumerate(twin.flat):
            twin.flat[place] = self._of(value)

    def _itself(self, x: Any) -> Any:
        return self.put(x, (copy.copy if hasattr(x, "__next__") else copy.deepcopy)(x))

    def _iterator(self, x: Any) -> Any:
        """It goes on from where it is; what it goes over is copied, too."""
        with warnings.catch_warnings():  # Python 3.14 will not copy those of itertools
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                make, args, *state = x.__reduce__()
            except TypeError:
                return self.put(x, x)
        twin = self.put(x, make(*map(self._of, args)))
        if state and state[0] is not None:  # of a list, a place that is not there until it is full
            self._to_key.append(lambda: twin.__setstate__(self._of(state[0])))
        return twin

    def _cache(self, x: Any) -> Any:
        """Nobody can read what is in it: the copy is empty."""
        parameters = x.cache_parameters()
        made: Any = _Cache
        twin = made(self._of(x.__wrapped__), *parameters.values(), functools._CacheInfo)
        vars(twin).update(vars(x), __wrapped__=self._of(x.__wrapped__))
        return self.put(x, twin)

    def _lent(self, x: Any) -> Any:
        self.put(x, x)
        self._to_give_back.append(lent(x, self._of))
        return x


_BY_KIND: dict[type, Callable[[Copier, Any], Any]] = {
    dict: Copier._mapping,
    OrderedDict: Copier._mapping,
    list: Copier._list,
    tuple: Copier._tuple,
    set: Copier._set,
    types.FunctionType: Copier._function,
    types.MethodType: Copier._method,
    types.BuiltinMethodType: Copier._built_in,
    types.CellType: Copier._cell,
    weakref.ref: Copier._weak,
    weakref.ProxyType: Copier._weak,
    weakref.CallableProxyType: Copier._weak,
    threading.local: Copier._local,
    types.SimpleNamespace: Copier._namespace,
    _Cache: Copier._cache,
    **dict.fromkeys(ITERATORS, Copier._iterator),
}
_BY_BASE: tuple[tuple[Any, Callable[[Copier, Any], Any]], ...] = (
    (nn.Module, Copier._module),
    ((type, enum.Enum), lambda copier, x: x),
    (dict, Copier._mapping),
    (list, Copier._list),
    (tuple, Copier._tuple),
    (set, Copier._set),
    (frozenset, Copier._frozenset),
    (deque, Copier._deque),
    (functools.partial, Copier._partial),
    (WEAK, Copier._weak),
    (np.ndarray, Copier._array),
    (torch.Generator, lambda copier, x: copier.put(x, x.clone_state())),
    (_COPY_THEMSELVES, Copier._itself),
    (GIVEN_BACK, Copier._lent),
)
