"""How the copier copies what is called: functions, methods, partials and caches."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from flopledger.counting.doubles.copied_containers import Copied
from flopledger.counting.structure.shared_objects import keeps_nothing

if TYPE_CHECKING:
    from flopledger.counting.doubles.copying import Copier

_Cache = functools._lru_cache_wrapper


def _function(copier: Copier, x: types.FunctionType) -> Any:
    copier.functions.append(x)
    bare = not (x.__closure__ or x.__defaults__ or x.__kwdefaults__ or x.__dict__)
    if bare or keeps_nothing(x, set()):  # most are
        return copier.put(x, x)
    cells = tuple(_cell(copier, cell) for cell in x.__closure__ or ())
    twin = types.FunctionType(x.__code__, x.__globals__, x.__name__, None, cells)
    copier.put(x, twin)
    twin.__qualname__, twin.__module__, twin.__doc__ = x.__qualname__, x.__module__, x.__doc__
    twin.__defaults__ = copier.of(x.__defaults__)
    twin.__kwdefaults__ = copier.of(x.__kwdefaults__)
    twin.__annotations__ = x.__annotations__
    copier.attributes(x, twin)
    return twin


def _cell(copier: Copier, x: Any) -> Any:
    known = copier.known(x)
    if known is not None:
        return known
    twin = copier.put(x, types.CellType())

    def fill() -> None:
        try:
            twin.cell_contents = copier.of(x.cell_contents)
        except ValueError:  # empty
            return

    copier.to_fill.append(fill)
    return twin


def _method(copier: Copier, x: types.MethodType) -> Any:
    function, owner = copier.of(x.__func__), copier.of(x.__self__)
    if function is x.__func__ and owner is x.__self__:
        return copier.put(x, x)
    return copier.put(x, types.MethodType(function, owner))


def _built_in(copier: Copier, x: Any) -> Any:
    owner = x.__self__
    if isinstance(owner, types.ModuleType | type | None):
        return x
    twin = copier.of(owner)
    return copier.put(x, x if twin is owner else getattr(twin, x.__name__))


def _of_class(copier: Copier, x: Any) -> Any:
    """A staticmethod or classmethod."""
    function = copier.of(x.__func__)
    return copier.put(x, x if function is x.__func__ else type(x)(function))


def _property(copier: Copier, x: property) -> Any:
    get, put, delete = map(copier.of, (x.fget, x.fset, x.fdel))
    same = get is x.fget and put is x.fset and delete is x.fdel
    return copier.put(x, x if same else type(x)(get, put, delete, x.__doc__))


def _partial(copier: Copier, x: functools.partial[Any]) -> Any:
    args, words = copier.of(x.args), {k: copier.of(v) for k, v in x.keywords.items()}
    twin = functools.partial.__new__(type(x), copier.of(x.func), *args, **words)
    copier.attributes(x, twin)
    return copier.put(x, twin)


def _partial_method(copier: Copier, x: functools.partialmethod[Any]) -> Any:
    words = {k: copier.of(v) for k, v in x.keywords.items()}
    return copier.put(x, type(x)(copier.of(x.func), *copier.of(x.args), **words))


def _cache(copier: Copier, x: Any) -> Any:
    """Nobody can read what is in it: the copy is empty."""
    parameters, wrapped = x.cache_parameters(), copier.of(x.__wrapped__)
    made: Any = _Cache
    twin = made(wrapped, *parameters.values(), functools._CacheInfo)
    vars(twin).update(vars(x), __wrapped__=wrapped)
    return copier.put(x, twin)


BY_KIND: dict[type, Copied] = {
    types.FunctionType: _function,
    types.MethodType: _method,
    types.BuiltinMethodType: _built_in,
    types.CellType: _cell,
    staticmethod: _of_class,
    classmethod: _of_class,
    property: _property,
    functools.partialmethod: _partial_method,
    _Cache: _cache,
}
BY_BASE: tuple[tuple[Any, Copied], ...] = ((functools.partial, _partial),)
