"""What a network's code keeps outside of its modules: in globals, classes, functions and caches.

There is one of each, which every network and thread shares. While a pass runs, copies stand in
their places; which they are is read from the names in the code that the pass may reach.
"""

import dis
import functools
import gc
import sys
import types
from collections import defaultdict
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import ref

from torch import Tensor, nn

from flopledger.counting.copying import Copier
from flopledger.counting.shared_objects import ATOMS

_Cache = functools._lru_cache_wrapper
_CODE = (types.FunctionType, types.MethodType, types.ModuleType, type, _Cache, staticmethod,
         classmethod, property, functools.cached_property, functools.partialmethod)  # fmt: skip
_LIBRARIES = sys.stdlib_module_names | {"torch", "numpy"}
_INSTALLED = ("site-packages", "dist-packages")

# the lowest bit of what it loads says how it is called
_GLOBALS = {dis.opmap["LOAD_GLOBAL"]: 1, dis.opmap["STORE_GLOBAL"]: 0}

# by a code's id (to hash it is to hash all that it holds): the code, its names, and the globals
_Names = tuple[ref[types.CodeType], frozenset[str], frozenset[str]]
_names: dict[int, _Names] = {}


@contextmanager
def outside_kept(copier: Copier) -> Iterator[None]:
    """In the body, the code of what was copied meets copies of what it keeps outside of it.

    Then all is as it was. A cache of functools that got tensors in the body is empty afterwards:
    nothing else can be taken out of it.

    Args:
        copier: it has copied a network and its arguments.
    """
    reach = _Reach(copier)
    places = reach.unmoved
    entries: list[tuple[Any, frozenset[str]]] = []
    misses: list[tuple[Any, int]] = []
    try:
        for place in reach.places():
            places.append(place)
            twin = copier(place.value)
            if twin is not place.value:
                _write(place, twin)
        entries += [(owner, frozenset(vars(owner))) for owner in (*reach.classes, *reach.functions)]
        misses += [(cache, cache.cache_info().misses) for cache in reach.caches]
        yield
    finally:
        for owner, names in entries:
            if vars(owner).keys() == names:
                continue
            for name in vars(owner).keys() - names:
                (type if isinstance(owner, type) else object).__delattr__(owner, name)
        for place in reversed(places):
            if _read(place) is not place.value:
                _write(place, place.value)
        for cache, before in misses:
            if cache.cache_info().misses != before and _holds_tensors(cache):
                cache.cache_clear()


class _Place(NamedTuple):
    """Where a value is kept: in a module's globals, or as an attribute."""

    owner: Any
    name: str
    value: Any


def _read(place: _Place) -> Any:
    owner = place.owner
    table = owner if isinstance(owner, dict) else vars(owner) if isinstance(owner, type) else None
    return getattr(owner, place.name, None) if table is None else table.get(place.name)


def _write(place: _Place, value: Any) -> None:
    if isinstance(place.owner, dict):
        place.owner[place.name] = value
    elif isinstance(place.owner, type):
        type.__setattr__(place.owner, place.name, value)
    else:
        setattr(place.owner, place.name, value)


class _Reach:
    """Code that a pass may run, followed from name to name, and where it keeps things.

    Attributes:
        unmoved: where it keeps what needs no copy, but may be another afterwards: a number.
        classes: the classes among that code.
        functions: the functions.
        caches: those of functools.
    """

    def __init__(self, copier: Copier) -> None:
        self.classes: set[type] = set()
        self.functions: list[types.FunctionType] = []
        self.caches: list[Any] = []
        self.unmoved: list[_Place] = []
        self._copier = copier
        self._own = _Own({kind.__module__.partition(".")[0] for kind in copier.classes})
        self._seen: set[int] = set()
        self._seen_globals = defaultdict[int, set[str]](set)
        # names in the code so far; those among them that were looked up in all classes and modules
        self._names, self._looked_up = {"forward"}, set[str]()
        self._modules: list[dict[str, Any]] = []
        # hooks that the user put on all modules at once
        hooks = vars(nn.modules.module)
        self._found = [
            _Place(hooks, name, value)
            for name, value in hooks.items()
            if name.startswith("_global_") and isinstance(value, dict) and value
        ]
        self._to_visit: list[Any] = []

    def places(self) -> Iterator[_Place]:
        """Each whose value may need a copy; to copy it may show more code, which is followed."""
        classes: set[type] = set()
        functions = 0
        while True:
            self._to_visit += self._copier.classes - classes
            classes |= self._copier.classes
            for function in self._copier.functions[functions:]:
                self._code(function)
            functions = len(self._copier.functions)
            while self._to_visit:
                while self._to_visit:
                    self._visit(self._to_visit.pop())
                self._look_up()
            if not self._found:
                return
            while self._found:
                yield self._found.pop()

    def _look_up(self) -> None:
        """What the names that are new mean."""
        new = self._names - self._looked_up
        self._looked_up |= new
        for kind in self.classes if new else ():
            self._members(kind, new)
        for module in self._modules if new else ():
            self._globals(module, new)

    def _visit(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, _Cache):
            if self._once(value):
                self.caches.append(value)
                self._to_visit.append(value.__wrapped__)
        else:  # what a class has in a function's place
            self._to_visit += [getattr(value, word) for word in ("fget", "fset", "__func__", "func")
                               if isinstance(value, _CODE) and hasattr(value, word)]  # fmt: skip

    def _module(self, module: types.ModuleType) -> None:
        if self._once(module) and self._own[module.__name__]:
            self._modules.append(vars(module))
            self._globals(vars(module), self._looked_up)

    def _once(self, value: Any) -> bool:
        key = id(value)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _function(self, function: types.FunctionType) -> None:
        if not self._once(function) or not self._own[function.__module__]:
            return
        self._code(function)
        self.functions.append(function)
        for name, value in vars(function).items():
            self._keep(function, name, value)
        if function.__defaults__:
            self._keep(function, "__defaults__", function.__defaults__)
        if function.__kwdefaults__:
            self._keep(function, "__kwdefaults__", function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                self._keep(cell, "cell_contents", cell.cell_contents)
            except ValueError:  # it is empty
                continue

    def _keep(self, owner: Any, name: str, value: Any) -> None:
        kind = type(value)
        if kind is types.FunctionType or isinstance(value, _CODE):
            self._to_visit.append(value)
        elif kind in ATOMS or (kind is tuple and ATOMS.issuperset(map(type, value))):
            self.unmoved.append(_Place(owner, name, value))
        elif not isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType)):
            self._found.append(_Place(owner, name, value))

    def _code(self, function: types.FunctionType) -> None:
        """What its names may mean."""
        if self._own[function.__globals__.get("__name__")]:
            _, names, used = _names_of(function.__code__)
            self._globals(function.__globals__, used)
            self._names |= names

    def _globals(self, module: dict[str, Any], names: Set[str]) -> None:
        """What these names mean in that module, each once."""
        seen = self._seen_globals[id(module)]
        if not names <= seen and (new := (names & module.keys()) - seen):
            seen |= new
            for name in new:
                self._keep(module, name, module[name])

    def _class(self, kind: type) -> None:
        for base in kind.__mro__:
            if not self._once(base) or not self._own[base.__module__]:
                continue
            self.classes.add(base)
            self._to_visit.append(type(base))  # it may keep things, too
            self._members(base, self._looked_up)
            # what Python calls without its name
            self._to_visit += [value for name, value in vars(base).items()
                               if name[:2] == "__" and isinstance(value, _CODE)]  # fmt: skip

    def _members(self, kind: type, names: Set[str]) -> None:
        members = vars(kind)
        for name in names & members.keys():
            self._keep(kind, name, members[name])


class _Own(dict[str | None, bool]):
    """Whether a module is the network's own, or its author's, and no library that it uses.

    Args:
        roots: the packages that the network's own classes are of.
    """

    def __init__(self, roots: set[str]) -> None:
        super().__init__({None: False})
        self._roots = roots

    def __missing__(self, home: str) -> bool:
        root = home.partition(".")[0]
        file = getattr(sys.modules.get(home), "__file__", None) or ""
        self[home] = root not in _LIBRARIES and (
            root in self._roots or not any(folder in file for folder in _INSTALLED)
        )
        return self[home]


def _names_of(code: types.CodeType) -> _Names:
    """Itself, all names in it and in the functions that it makes, and of these the globals."""
    known = _names.get(id(code))
    if known is None or known[0]() is not code:
        names, used = set(code.co_names), set()
        argument = 0
        for operation, low in zip(code.co_code[::2], code.co_code[1::2], strict=True):
            argument = argument << 8 | low
            if operation in _GLOBALS:
                used.add(code.co_names[argument >> _GLOBALS[operation]])
            if operation != dis.EXTENDED_ARG:
                argument = 0
        for part in code.co_consts:
            if isinstance(part, types.CodeType):
                names |= _names_of(part)[1]
                used |= _names_of(part)[2]
            elif isinstance(part, str) and part.isidentifier():  # getattr(x, "name"), globals()
                names.add(part)
                used.add(part)
        forgets = ref(code, functools.partial(_forget, id(code)))
        known = _names[id(code)] = forgets, frozenset(names), frozenset(used)
    return known


def _forget(key: int, _: object) -> None:
    _names.pop(key, None)


def _holds_tensors(cache: Any) -> bool:
    seen: set[int] = set()
    left = [cache]
    while left:
        value = left.pop()
        if isinstance(value, Tensor | nn.Module):
            return True
        if id(value) in seen or (isinstance(value, _CODE) and value is not cache):
            continue
        seen.add(id(value))
        left += gc.get_referents(value)
    return False
