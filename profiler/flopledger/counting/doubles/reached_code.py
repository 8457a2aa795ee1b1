"""The code that a pass may run, and where outside of the network's modules it keeps things.

It is followed from name to name: what a name in code that may run means may run, or change, too.
"""

import dis
import functools
import sys
import types
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import ref

from torch import nn

from flopledger.counting.doubles.copying import Copier
from flopledger.counting.structure.shared_objects import ATOMS

_Cache = functools._lru_cache_wrapper
_ITSELF = (types.FunctionType, types.ModuleType, type, _Cache)
_CALLS_IT = (types.MethodType, staticmethod, classmethod, property, functools.cached_property,
             functools.partialmethod)  # fmt: skip
_COPIED = (staticmethod, classmethod, property)  # where what they call is no mere code
CODE = (*_ITSELF, *_CALLS_IT)
_LIBRARIES = sys.stdlib_module_names | {"torch", "numpy"}
_INSTALLED = ("site-packages", "dist-packages")

# the lowest bit of what it loads says how it is called
_GLOBALS = {
    dis.opmap["LOAD_GLOBAL"]: 1,
    dis.opmap["STORE_GLOBAL"]: 0,
    dis.opmap["DELETE_GLOBAL"]: 0,
}


class Place(NamedTuple):
    """Where a value is kept.

    Attributes:
        owner: a module's globals; or a class, a function or a cell.
        name: the global's, or the attribute's.
        value: what is kept.
    """

    owner: Any
    name: str
    value: Any


@dataclass(kw_only=True)
class Reached:
    """What the code keeps.

    Attributes:
        moved: where it keeps what may need a copy.
        unmoved: where it keeps what needs none, but may be another afterwards: a number.
        same: likewise, of one owner each, the names and what is kept under them.
        owners: its classes and functions, and the names of what each has; a function's defaults.
        bare: with their defaults, functions that have nothing beside, and are not among the owners.
        absent: modules' globals, and the names that were looked up there and mean nothing.
        caches: those of functools.
    """

    moved: list[Place] = field(default_factory=list)
    unmoved: list[Place] = field(default_factory=list)
    same: list[tuple[Any, list[str], list[Any]]] = field(default_factory=list)
    owners: list[tuple[Any, Set[str], Any]] = field(default_factory=list)
    bare: dict[types.FunctionType, Any] = field(default_factory=dict)
    absent: list[tuple[dict[str, Any], Set[str]]] = field(default_factory=list)
    caches: list[Any] = field(default_factory=list)

    def keep(self, owner: Any, name: str, value: Any) -> None:
        """There is a value, which is no code."""
        if is_fixed(value):
            self.unmoved.append(Place(owner, name, value))
        elif not isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType)):
            self.moved.append(Place(owner, name, value))


def code_in(value: Any) -> tuple[Any, ...]:
    """A function, class, module or cache itself; of a method or property what it calls; else ().

    Of an object's method () as well, and of a property that calls an object: the object may change.
    """
    if isinstance(value, _ITSELF):
        return (value,)
    if type(value) is types.MappingProxyType:  # what functools.singledispatch chooses from
        return tuple([code for code in value.values() if isinstance(code, _ITSELF)])
    if not isinstance(value, _CALLS_IT):
        return ()
    if isinstance(value, types.MethodType):
        whose = value.__self__
        return (value.__func__, whose) if isinstance(whose, type) else ()
    called = [getattr(value, word, None) for word in ("fget", "fset", "fdel", "__func__", "func")]
    code = tuple([part for part in called if part is not None])
    if isinstance(value, functools.partialmethod):
        return code if is_fixed(value.args) and is_fixed((*value.keywords.values(),)) else ()
    return () if isinstance(value, _COPIED) and not all(map(_is_code, code)) else code


def _is_code(value: Any) -> bool:
    return isinstance(value, _ITSELF)


def is_fixed(value: Any) -> bool:
    """Whether nothing of it changes: a number, a name, a tuple of such."""
    kind = type(value)
    return kind in ATOMS or (kind is tuple and ATOMS.issuperset(map(type, value)))


def hooks_on_all() -> list[Place]:
    """The user's hooks on all modules at once."""
    tables = vars(nn.modules.module)
    return [
        Place(tables, name, value)
        for name, value in tables.items()
        if name.startswith("_global_") and isinstance(value, dict) and value
    ]


class Reach:
    """A walk from the classes and functions that were copied, through all the code.

    Args:
        copier: it has copied a network and its arguments. What the code keeps is copied by it as
            well, and may show more code, which is followed.

    Attributes:
        reached: what was found.
        means: where a name means code.
        classes: those that were reached.
        functions: likewise.
        looked_up: by the id of globals, a function or module whose they are, and all the names that
            were looked up there.
    """

    def __init__(self, copier: Copier) -> None:
        self.reached = Reached(moved=hooks_on_all())
        self.means: list[Place] = []
        self.classes: list[type] = []
        self.functions: list[types.FunctionType] = []
        self.looked_up: dict[int, tuple[Any, set[str]]] = {}
        self._own = _Own({kind.__module__.partition(".")[0] for kind in copier.classes})
        self._seen: set[int] = set()
        # names in the code so far; those among them that were looked up in all classes and modules
        self._names, self._asked = {"forward"}, set[str]()
        self._modules: list[types.ModuleType] = []
        self._to_visit: list[Any] = []
        self._follow(copier)
        self.reached.owners += [(kind, frozenset(vars(kind)), None) for kind in self.classes]
        self.reached.owners += [(f, frozenset(vars(f)), f.__defaults__) for f in self.functions]
        for whose, names in self.looked_up.values():
            table = table_of(whose)
            self.reached.absent.append((table, names - table.keys()))

    def _follow(self, copier: Copier) -> None:
        classes = set[type]()
        functions = copied = 0
        while True:
            met = copier.classes | copier.held
            self._to_visit += met - classes
            classes |= met
            for function in copier.functions[functions:]:
                self._code(function)
            functions = len(copier.functions)
            while self._to_visit:
                while self._to_visit:
                    self._visit(self._to_visit.pop())
                self._look_up()
            if copied == len(self.reached.moved):
                return
            for place in self.reached.moved[copied:]:
                copier(place.value)
            copied = len(self.reached.moved)

    def _look_up(self) -> None:
        """What the names that are new mean."""
        new = self._names - self._asked
        self._asked |= new
        for kind in self.classes if new else ():
            self._members(kind, new)
        for module in self._modules if new else ():
            self._globals(module, vars(module), new)

    def _visit(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, types.ModuleType):
            if self._once(value) and self._own[value.__name__]:
                self._modules.append(value)
                self._globals(value, vars(value), self._asked)
        elif isinstance(value, _Cache) and self._once(value):
            self.reached.caches.append(value)
            self._to_visit.append(value.__wrapped__)

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
        for place in kept_by(function):
            self._keep(*place)

    def _keep(self, owner: Any, name: str, value: Any) -> None:
        if code := code_in(value):
            self.means.append(Place(owner, name, value))
            self._to_visit += code
        else:
            self.reached.keep(owner, name, value)

    def _code(self, function: types.FunctionType) -> None:
        """What its names may mean."""
        if self._own[function.__globals__.get("__name__")]:
            names = _names_of(function.__code__)
            self._globals(function, function.__globals__, {*names.used})
            self._names.update(names.all)

    def _globals(self, whose: Any, table: dict[str, Any], names: Set[str]) -> None:
        """What these names mean in those globals, each once."""
        _, known = self.looked_up.setdefault(id(table), (whose, set()))
        if new := names - known:
            known |= new
            for name in new & table.keys():
                self._keep(table, name, table[name])

    def _class(self, kind: type) -> None:
        for base in kind.__mro__:
            if not self._once(base) or not self._own[base.__module__]:
                continue
            self.classes.append(base)
            self._to_visit.append(type(base))  # it may keep things, too
            self._members(base, self._asked)
            for name, value in vars(base).items():  # what Python calls without its name
                if name[:2] == "__" and name not in self._asked and code_in(value):
                    self._keep(base, name, value)

    def _members(self, kind: type, names: Set[str]) -> None:
        members = vars(kind)
        for name in names & members.keys():
            self._keep(kind, name, members[name])


def table_of(whose: Any) -> Any:
    """The globals that a function looks into; of a class or a module, what is in it."""
    return whose.__globals__ if isinstance(whose, types.FunctionType) else vars(whose)


def kept_by(function: types.FunctionType) -> list[Place]:
    """Its attributes, defaults that can change, and what its variables from around it hold."""
    places = [Place(function, name, value) for name, value in vars(function).items()]
    if function.__defaults__ and not is_fixed(function.__defaults__):
        places.append(Place(function, "__defaults__", function.__defaults__))
    if function.__kwdefaults__:
        places.append(Place(function, "__kwdefaults__", function.__kwdefaults__))
    for cell in function.__closure__ or ():
        try:
            places.append(Place(cell, "cell_contents", cell.cell_contents))
        except ValueError:  # it is empty
            continue
    return places


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


class _Names(ref[types.CodeType]):
    """The names in a code and in the functions that it makes, for as long as it is there.

    Attributes:
        key: its id: to hash it is to hash all that it holds.
        all: all names.
        used: those among them that are globals'.
    """

    __slots__ = ("all", "key", "used")  # tuples: sets of a few names take four times the memory
    key: int
    all: tuple[str, ...]
    used: tuple[str, ...]


_names: dict[int, _Names] = {}


def _names_of(code: types.CodeType) -> _Names:
    known = _names.get(id(code))
    if known is not None and known() is code:
        return known
    names, used = set(code.co_names), set[str]()
    argument = 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = argument << 8 | low
        if operation in _GLOBALS:
            used.add(code.co_names[argument >> _GLOBALS[operation]])
        if operation != dis.EXTENDED_ARG:
            argument = 0
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            names.update(_names_of(part).all)
            used.update(_names_of(part).used)
        elif isinstance(part, str) and part.isidentifier():  # getattr(x, "name"), globals()
            names.add(part)
            used.add(part)
    known = _names[id(code)] = _Names(code, _forget)
    known.key, known.all, known.used = id(code), tuple(names), tuple(used)
    return known


def _forget(names: _Names) -> None:
    _names.pop(names.key, None)
