"""What a double shares with its network and changes by use: queues, files, context variables.

A copy would not do: a thread waits on the queue itself, a file is open once. They are used as they
are, on copies of what they hold, and given back as they were.
"""

import io
import queue
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

GIVEN_BACK = (queue.Queue, queue.SimpleQueue, Future, ContextVar, io.TextIOBase, io.BufferedIOBase)

# the attribute that holds what goes through it
_CONTENTS = {queue.Queue: "queue", Future: "_result"}


def lent(shared: Any, copied: Callable[[Any], Any]) -> Callable[[], None]:
    """Put copies in the place of what it holds.

    Returns:
        What gives it back as it was.
    """
    if isinstance(shared, ContextVar):
        return _variable(shared, copied)
    if isinstance(shared, queue.SimpleQueue):
        held = _drained(shared)
        _refilled(shared, [copied(item) for item in held])
        return lambda: _refilled(shared, held)
    for kind, name in _CONTENTS.items():
        if isinstance(shared, kind):
            before = dict(vars(shared))
            setattr(shared, name, copied(before[name]))
            return lambda: vars(shared).update(before)
    return _file(shared)


def _variable(variable: Any, copied: Callable[[Any], Any]) -> Callable[[], None]:
    try:
        token = variable.set(copied(variable.get()))
    except LookupError:  # unset, and to unset it later takes a token that there is not
        return lambda: None
    return lambda: variable.reset(token)


def _file(file: Any) -> Callable[[], None]:
    """One that is only read goes back to where it was read to; what is written is written."""
    with suppress(OSError, ValueError):  # closed, a pipe, or read by lines in a loop
        if file.readable() and file.seekable() and not file.writable():
            place = file.tell()
            return lambda: _sought(file, place)
    return lambda: None


def _sought(file: Any, place: int) -> None:
    with suppress(OSError, ValueError):  # the network closed it
        file.seek(place)


def _drained(items: Any) -> list[Any]:
    held = []
    with suppress(queue.Empty):
        while True:
            held.append(items.get_nowait())
    return held


def _refilled(items: Any, held: list[Any]) -> None:
    _drained(items)
    for item in held:
        items.put(item)
