"""How the copier copies what holds items: containers, arrays, and iterators over them."""

from __future__ import annotations

import array
import copy
import io
import itertools
import random
import threading
import types
import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np

from flopledger.counting.structure.shared_objects import ATOMS, ITERATORS

if TYPE_CHECKING:
    from flopledger.counting.doubles.copying import Copier

Copied = Callable[["Copier", Any], Any]

# state of their own in C, which they copy themselves
_COPY_THEMSELVES = (
    array.array, bytearray, io.BytesIO, io.StringIO, random.Random, itertools.count,
)  # fmt: skip


def _mapping(copier: Copier, x: dict[Any, Any]) -> Any:
    base: Any = dict
    if type(x) is not dict:
        base = next(b for b in (OrderedDict, defaultdict, dict) if isinstance(x, b))
    twin = copier.put(x, base.__new__(type(x)))
    if base is defaultdict:
        twin.default_factory = copier.of(x.default_factory)  # type: ignore[attr-defined]
    entries = list(base.items(x))
    if ATOMS.issuperset(map(type, base.keys(x))):
        copier.to_fill.append(lambda: _enter(copier, base, twin, entries))
    else:
        copied = [(copier.of(key), value) for key, value in entries]
        copier.to_key.append(lambda: _enter(copier, base, twin, copied))
    copier.attributes(x, twin)
    return twin


def _enter(copier: Copier, base: Any, twin: Any, entries: list[tuple[Any, Any]]) -> None:
    for key, value in entries:
        base.__setitem__(twin, key, value if type(value) in ATOMS else copier.of(value))


def _list(copier: Copier, x: list[Any]) -> Any:
    twin = copier.put(x, list.__new__(type(x)))
    copier.to_fill.append(lambda: list.extend(twin, [copier.of(item) for item in list.copy(x)]))
    copier.attributes(x, twin)
    return twin


def _deque(copier: Copier, x: deque[Any]) -> Any:
    twin = copier.put(x, deque.__new__(type(x)))
    deque.__init__(twin, (), x.maxlen)
    copier.to_fill.append(lambda: deque.extend(twin, [copier.of(item) for item in tuple(x)]))
    copier.attributes(x, twin)
    return twin


def _set(copier: Copier, x: set[Any]) -> Any:
    twin = copier.put(x, set.__new__(type(x)))
    items = [copier.of(item) for item in set.copy(x)]
    copier.to_key.append(lambda: set.update(twin, items))
    copier.attributes(x, twin)
    return twin


def _frozenset(copier: Copier, x: frozenset[Any]) -> Any:
    items = [copier.of(item) for item in x]
    if all(map(is_, x, items)):
        return copier.put(x, x)
    return copier.put(x, frozenset(items))


def _tuple(copier: Copier, x: tuple[Any, ...]) -> Any:
    if type(x) is tuple and ATOMS.issuperset(map(type, x)):
        return x
    items = [copier.of(item) for item in x]
    if all(map(is_, x, items)):
        return copier.put(x, x)
    try:
        twin = tuple.__new__(type(x), items)
    except TypeError:  # torch.return_types
        twin = type(x)(items)
    copier.attributes(x, twin)
    return copier.put(x, twin)


def _namespace(copier: Copier, x: types.SimpleNamespace) -> Any:
    twin = copier.put(x, types.SimpleNamespace())
    copier.attributes(x, twin)
    return twin


def _local(copier: Copier, x: threading.local) -> Any:
    twin = copier.put(x, threading.local())
    copier.attributes(x, twin)
    return twin


def _array(copier: Copier, x: Any) -> Any:
    twin = copier.put(x, x if isinstance(x, np.memmap) else x.copy())
    if x.dtype.kind == "O":
        copier.to_fill.append(lambda: _objects(copier, twin))
    return twin


def _objects(copier: Copier, twin: Any) -> None:
    for place, value in enumerate(twin.flat):
        twin.flat[place] = copier.of(value)


def itself(copier: Copier, x: Any) -> Any:
    """As the object's own class copies it; an iterator stays where it is."""
    return copier.put(x, (copy.copy if hasattr(x, "__next__") else copy.deepcopy)(x))


def _iterator(copier: Copier, x: Any) -> Any:
    """It goes on from where it is; what it goes over is copied, too."""
    with warnings.catch_warnings():  # Python 3.14 will not copy those of itertools
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            make, args, *state = x.__reduce__()
        except TypeError:
            return copier.put(x, x)
    twin = copier.put(x, make(*map(copier.of, args)))
    if state and state[0] is not None:  # of a list, a place that is not there until it is full
        copier.to_key.append(lambda: twin.__setstate__(copier.of(state[0])))
    return twin


BY_KIND: dict[type, Copied] = {
    dict: _mapping,
    OrderedDict: _mapping,
    list: _list,
    tuple: _tuple,
    set: _set,
    threading.local: _local,
    types.SimpleNamespace: _namespace,
    **dict.fromkeys(ITERATORS, _iterator),
}
BY_BASE: tuple[tuple[Any, Copied], ...] = (
    (dict, _mapping),
    (list, _list),
    (tuple, _tuple),
    (set, _set),
    (frozenset, _frozenset),
    (deque, _deque),
    (np.ndarray, _array),
    (_COPY_THEMSELVES, itself),
)
