"""What a network's code reaches, remembered: to follow it takes longer than a small pass.

It is so again as long as every name that was looked up means the same code as before; what else the
names mean is read anew. Nothing of the user's is kept alive by it.
"""

from collections.abc import Iterable
from typing import Any
from weakref import ref

from flopledger.counting.doubles.copying import Copier
from flopledger.counting.doubles.reached_code import (
    CODE,
    Place,
    Reach,
    Reached,
    code_in,
    hooks_on_all,
    is_fixed,
    kept_by,
    table_of,
)

_AT_MOST = 8  # networks; the one that came first is forgotten first
_remembered: dict[frozenset[int], "_Remembered"] = {}  # by the ids of the classes that were copied

_Refs = list[ref[Any]]
_NONE = frozenset[str]()


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
        self._bare = [
            (ref(function), ref(function.__code__))
            for function in reach.functions
            if _is_bare(function)
        ]
        others = [function for function in reach.functions if not _is_bare(function)]
        self._others = [*map(_Function, others)]
        self._classes_copied = _refs(copier.classes)
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
            and set(copier.functions) == {function() for function in self._functions_copied}
        ):
            return None
        reached.caches += [cache() for cache in self._caches]
        return reached

    def _bare_ones(self, reached: Reached) -> bool:
        """As the others' `read`, of all functions that keep nothing themselves, as most do."""
        for known, code in self._bare:
            function = known()
            if function is None or function.__code__ is not code() or not _is_bare(function):
                return False
            reached.owners.append((function, _NONE, function.__defaults__))
        return True


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
        self._names = frozenset(table_of(whose))
        self._code: list[tuple[str, ref[Any]]] = []
        self._calls: list[tuple[str, type, _Refs]] = []
        self._others: list[str] = []
        for _, name, value in places:
            code = code_in(value)
            if code and code[0] is value:
                self._code.append((name, ref(value)))
            elif code:
                self._calls.append((name, type(value), _refs(code)))
            else:
                self._others.append(name)

    def read(self, reached: Reached) -> bool:
        """Whether they mean the same code; what else they mean now is added to what is reached."""
        whose = self._whose()
        if whose is None or not self._same_code(whose):
            return False
        table = owner = table_of(whose)
        if isinstance(whose, type):
            reached.owners.append((whose, self._names, None))
            owner = whose
        for name in self._others:
            value = table.get(name, type)
            if isinstance(value, CODE):
                return False
            reached.keep(owner, name, value)
        return True

    def _same_code(self, whose: Any) -> bool:
        table = table_of(whose)
        if isinstance(whose, type) and table.keys() != self._names:
            return False
        if not self._absent.isdisjoint(table.keys()):
            return False
        for name, code in self._code:
            if table.get(name) is not code():
                return False
        for name, kind, called in self._calls:
            value = table.get(name)
            if type(value) is not kind or not _are(code_in(value), called):
                return False
        return True


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
            if not _are(code_in(place.value), code):
                return False
            if not code:
                reached.keep(*place)
        return True


def _is_bare(function: Any) -> bool:
    return not (
        vars(function)
        or function.__closure__
        or function.__kwdefaults__
        or (function.__defaults__ and not is_fixed(function.__defaults__))
    )


def _refs(values: Iterable[Any]) -> _Refs:
    return [ref(value) for value in values]


def _are(values: Iterable[Any], refs: _Refs) -> bool:
    return [*map(id, values)] == [id(known()) for known in refs]
