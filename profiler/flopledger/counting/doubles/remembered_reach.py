"""What a network's code reaches, remembered: to follow it takes longer than a small pass.

It is so again as long as every name that was looked up means the same code as before; what else the
names mean is read anew. Nothing of the user's is kept alive by it.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter, call, is_
from types import MemberDescriptorType, ModuleType
from typing import Any
from weakref import ref

from flopledger.counting.doubles.copying import Copier
from flopledger.counting.doubles.reached_code import (
    Place,
    Reach,
    Reached,
    code_in,
    hooks_on_all,
    is_fixed,
    kept_by,
    table_of,
)
from flopledger.counting.structure.shared_objects import ATOMS

_AT_MOST = 8  # networks; the one that came first is forgotten first
_remembered: dict[frozenset[int], "_Remembered"] = {}  # by the ids of the classes that were copied

_Refs = list[ref[Any]]
_NONE = frozenset[str]()
_NO_CODE = ATOMS - {type, ModuleType}
_code_of, _defaults_of, _words_of = map(attrgetter, ("__code__", "__defaults__", "__kwdefaults__"))


def reached_from(copier: Copier) -> Reached:
    """What the code of what was copied keeps outside of it; the copier makes copies of that, too.

    Args:
        copier: it has copied a network and its arguments.
    """
    key = frozenset(map(id, copier.classes))
    known = _remembered.pop(key, None)
    again = known.again(copier) if known is not None else None
    if known is None or again is None:
        reach = Reach(copier)
        again = reach.reached
        try:
            known = _Remembered(reach, copier)
        except TypeError:  # some of the code cannot be referred to weakly
            return again
    _remembered[key] = known
    if len(_remembered) > _AT_MOST:
        del _remembered[next(iter(_remembered))]
    return again


class _Remembered:
    """One walk.

    Args:
        reach: the walk.
        copier: what it began from, and what the copies made on the way have shown.

    Raises:
        TypeError: some of the code cannot be referred to weakly.
    """

    def __init__(self, reach: Reach, copier: Copier) -> None:
        places: dict[int, list[Place]] = {}
        for place in (*reach.reached.moved, *reach.reached.unmoved, *reach.means):
            places.setdefault(id(place.owner), []).append(place)
        self._tables = [_Table(kind, places.get(id(kind), [])) for kind in reach.classes]
        for key, (whose, names) in reach.looked_up.items():
            absent = frozenset(names - table_of(whose).keys())
            self._tables.append(_Table(whose, places.get(key, []), absent))
        bare = [function for function in reach.functions if _is_bare(function)]
        self._bare, self._bare_code = _refs(bare), _refs(map(_code_of, bare))
        others = [function for function in reach.functions if not _is_bare(function)]
        self._others = [*map(_Function, others)]
        self._classes_copied, self._classes_held = _refs(copier.classes), _refs(copier.held)
        self._functions_copied = _refs(copier.functions)
        self._caches = _refs(reach.reached.caches)

    def again(self, copier: Copier) -> Reached | None:
        """What is reached now, copied; None if that has to be followed anew."""
        reached = Reached(moved=hooks_on_all())
        same = (
            self._bare_ones(reached)
            and all(table.read(reached) for table in self._tables)
            and all(function.read(reached) for function in self._others)
        )
        if not same:
            return None
        for place in reached.moved:
            copier(place.value)
        if not (
            copier.classes == {kind() for kind in self._classes_copied}
            and copier.held == {kind() for kind in self._classes_held}
            and set(copier.functions) == {function() for function in self._functions_copied}
        ):
            return None
        reached.caches += [cache() for cache in self._caches]
        return reached

    def _bare_ones(self, reached: Reached) -> bool:
        """As the others' `read`, of all functions that keep nothing themselves, as most do."""
        functions: list[Any] = [*map(call, self._bare)]
        if not all(functions):
            return False  # one is gone
        if not all(map(is_, map(_code_of, functions), map(call, self._bare_code))):
            return False
        if any(map(vars, functions)) or any(map(_words_of, functions)):
            return False
        defaults = [*map(_defaults_of, functions)]
        reached.bare = dict(zip(functions, defaults, strict=True))
        return all(map(is_fixed, filter(None, defaults)))


class _Table:
    """What names mean that were looked up in a class, or in a module's globals.

    Args:
        whose: the class; or the module, or a function with its globals.
        places: where they mean something.
        absent: of globals, the names that mean nothing.
    """

    def __init__(
        self, whose: Any, places: Iterable[Place], absent: frozenset[str] = frozenset()
    ) -> None:
        self._whose, self._absent = ref(whose), absent
        self._names = tuple(table_of(whose))  # to compare them in order is to compare addresses
        self._own = frozenset(self._names) if isinstance(whose, type) else _NONE
        met = {name for _, name, _ in places}
        unmet = self._own - met
        self._unmet = [name for name in unmet if name[:2] == "__" or _is_slot(whose, name)]
        self._nature = self._nature_of(whose)
        self._code: dict[str, ref[Any]] = {}
        self._calls: list[tuple[str, type, _Refs]] = []
        self._fixed: list[str] = []
        self._others: list[str] = []
        for _, name, value in places:
            code = code_in(value)
            if code and code[0] is value:
                self._code[name] = ref(value)
            elif code:
                self._calls.append((name, type(value), _refs(code)))
            else:
                (self._fixed if type(value) in _NO_CODE else self._others).append(name)

    def read(self, reached: Reached) -> bool:
        """Whether they mean the same code; what else they mean now is added to what is reached."""
        whose = self._whose()
        if whose is None or self._nature_of(whose) != self._nature or not self._same_code(whose):
            return False
        table = owner = table_of(whose)
        if isinstance(whose, type):
            reached.owners.append((whose, self._own, None))
            owner = whose
        else:
            reached.absent.append((table, self._absent))
        values = [*map(table.get, self._fixed, repeat(type))]
        if not _NO_CODE.issuperset(map(type, values)):
            return False
        reached.same.append((owner, self._fixed, values))
        for name in self._others:
            value = table.get(name, type)
            if code_in(value):
                return False
            reached.keep(owner, name, value)
        return True

    def _nature_of(self, whose: Any) -> list[int]:
        """Of a class, what it inherits from, and of which kind what is not followed is, as ids."""
        if not isinstance(whose, type):
            return []
        kinds = map(type, map(vars(whose).get, self._unmet))
        return [*map(id, whose.__mro__), *map(id, kinds)]

    def _same_code(self, whose: Any) -> bool:
        table = table_of(whose)
        names = tuple(table)
        if names != self._names:
            if isinstance(whose, type) or not self._absent.isdisjoint(names):
                return False
            self._names = names
        code = [*map(call, self._code.values())]
        if any(map(is_, code, repeat(None))):
            return False  # it is gone
        for name, kind, called in self._calls:
            value = table.get(name)
            if type(value) is not kind or not _are(code_in(value), called):
                return False
        return all(map(is_, map(table.get, self._code), code))


class _Function:
    """A function, and what it keeps itself."""

    def __init__(self, function: Any) -> None:
        self._function, self._code = ref(function), ref(function.__code__)
        self._names = frozenset(vars(function))
        self._kept = [_refs(code_in(place.value)) for place in kept_by(function)]

    def read(self, reached: Reached) -> bool:
        """As a table's."""
        function = self._function()
        if function is None or function.__code__ is not self._code():
            return False
        if vars(function).keys() != self._names:
            return False
        reached.owners.append((function, self._names, function.__defaults__))
        places = kept_by(function)
        if len(places) != len(self._kept):
            return False
        for place, code in zip(places, self._kept, strict=True):
            if not code and type(place.value) in _NO_CODE:
                reached.unmoved.append(place)
            elif not _are(code_in(place.value), code):
                return False
            elif not code:
                reached.keep(*place)
        return True


def _is_bare(function: Any) -> bool:
    return not (
        vars(function)
        or function.__closure__
        or function.__kwdefaults__
        or (function.__defaults__ and not is_fixed(function.__defaults__))
    )


def _is_slot(kind: type, name: str) -> bool:
    return isinstance(vars(kind)[name], MemberDescriptorType)


def _refs(values: Iterable[Any]) -> _Refs:
    return [ref(value) for value in values]


def _are(values: Sequence[Any], refs: _Refs) -> bool:
    return len(values) == len(refs) and all(map(is_, values, map(call, refs)))
