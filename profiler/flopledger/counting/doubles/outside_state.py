"""What a network's code keeps outside of its modules: in globals, classes, functions and caches.

There is one of each, which every network and thread shares. While a pass runs, copies stand in
their places; which they are is read from the names in the code that the pass may reach.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from operator import is_
from typing import Any

from torch import Tensor, nn

from flopledger.counting.doubles.copying import Copier
from flopledger.counting.doubles.reached_code import CODE, Place, Reached, code_in
from flopledger.counting.doubles.remembered_reach import reached_from


@contextmanager
def outside_kept(copier: Copier) -> Iterator[None]:
    """In the body, the code of what was copied meets copies of what it keeps outside of it.

    Then all is as it was. A cache of functools that got tensors in the body is empty afterwards:
    nothing else can be taken out of it.

    Args:
        copier: it has copied a network and its arguments.
    """
    reached = reached_from(copier)
    misses = [(cache, cache.cache_info().misses) for cache in reached.caches]
    try:
        for place in reached.moved:
            twin = copier(place.value)
            if twin is not place.value:
                _write(place, twin)
        yield
    finally:
        _restore(reached)
        for cache, before in misses:
            if cache.cache_info().misses != before and _holds_tensors(cache):
                cache.cache_clear()


def _restore(reached: Reached) -> None:
    """All but the caches."""
    _strip(reached)
    _take_out(reached)
    for owner, names, defaults in reached.owners:
        is_class = isinstance(owner, type)
        if not is_class and owner.__defaults__ is not defaults:
            owner.__defaults__ = defaults
        if vars(owner).keys() != names:
            for name in vars(owner).keys() - names:
                (type if is_class else object).__delattr__(owner, name)
    for owner, kept, values in reached.same:
        table = owner if type(owner) is dict else vars(owner)
        if not all(map(is_, map(table.get, kept), values)):
            reached.unmoved += map(Place, repeat(owner), kept, values)
    for place in (*reached.moved, *reached.unmoved):
        if _read(place) is not place.value:
            _write(place, place.value)


def _strip(reached: Reached) -> None:
    """Functions that had nothing but their defaults have nothing else."""
    for function, defaults in reached.bare.items():
        if function.__defaults__ is not defaults:
            function.__defaults__ = defaults
        if function.__dict__:
            function.__dict__.clear()


def _take_out(reached: Reached) -> None:
    """Names of globals that meant nothing mean nothing; what was imported stays."""
    for table, absent in reached.absent:
        if table.keys().isdisjoint(absent):
            continue
        for name in absent & table.keys():
            if not code_in(table[name]):
                del table[name]


def _read(place: Place) -> Any:
    owner, name, _ = place
    if type(owner) is dict:
        return owner.get(name)
    return vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)


def _write(place: Place, value: Any) -> None:
    if isinstance(place.owner, dict):
        place.owner[place.name] = value
    elif isinstance(place.owner, type):
        type.__setattr__(place.owner, place.name, value)
    else:
        setattr(place.owner, place.name, value)


def _holds_tensors(cache: Any) -> bool:
    seen: set[int] = set()
    left = [cache]
    while left:
        value = left.pop()
        if isinstance(value, Tensor | nn.Module):
            return True
        if id(value) in seen or (isinstance(value, CODE) and value is not cache):
            continue
        seen.add(id(value))
        left += gc.get_referents(value)
    return False
