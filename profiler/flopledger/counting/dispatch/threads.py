"""Work that a thread hands to others, followed there: modes are each thread's own."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as pool_thread
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from typing import Any

# called in the thread that hands work on; what it makes, anew for each call, is entered in the one
# that does it: a pool may do one function for many items
HandOver = Callable[[], Callable[[], AbstractContextManager[Any]]]


class _Followed:
    """What is handed on while it is open is followed."""

    def __init__(self, hand_over: HandOver) -> None:
        self.hand_over, self.open = hand_over, True


class _Here(threading.local):
    """What is followed in this thread."""

    followed: tuple[_Followed, ...] = ()


_here = _Here()
_changing = threading.Lock()
_bodies = 0
# what is replaced in a class: by name, what the class itself has there
_originals: list[tuple[type, str, Any]] = []


@contextmanager
def followed(hand_over: HandOver) -> Iterator[None]:
    """Whatever this thread hands to others in the body is done inside a `hand_over()()` there.

    That is every thread that is started, and every call that a pool of threads is given; so on from
    there. A thread that was running before, and takes its work from a queue, is not followed.
    """
    mine = _Followed(hand_over)
    before = _here.followed
    _change(+1)
    _here.followed = (*before, mine)
    try:
        yield
    finally:
        _here.followed = before
        mine.open = False
        _change(-1)


def _change(by: int) -> None:
    """Threads and pools are as they were but while some body runs, in whatever thread."""
    global _bodies
    with _changing:
        _bodies += by
        if _bodies and not _originals:
            _replace(threading.Thread, "start", _starting)
            _replace(ThreadPoolExecutor, "submit", _giving)
            if pool := sys.modules.get("multiprocessing.pool"):
                for name in ("apply_async", "_map_async", "imap", "imap_unordered"):
                    _replace(pool.ThreadPool, name, _giving)
        elif not _bodies:
            while _originals:
                kind, name, own = _originals.pop()
                if own is None:  # it was inherited
                    delattr(kind, name)
                else:
                    setattr(kind, name, own)


def _replace(kind: type, name: str, by: Callable[[Any], Any]) -> None:
    original = getattr(kind, name)
    _originals.append((kind, name, vars(kind).get(name)))
    setattr(kind, name, wraps(original)(by(original)))


def is_followed() -> bool:
    """Whether this thread is one of a body's."""
    return bool(_here.followed)


def _starting(start: Callable[..., Any]) -> Callable[..., Any]:
    def begin(self: Any) -> None:
        # a pool's thread outlives what it was started for: its calls are followed one by one
        if _here.followed and self._target is not pool_thread._worker:
            self.run = _carried(self.run)
        start(self)

    return begin


def _giving(give: Callable[..., Any]) -> Callable[..., Any]:
    def hand_on(self: Any, work: Any, *args: Any, **kwargs: Any) -> Any:
        return give(self, _carried(work) if _here.followed else work, *args, **kwargs)

    return hand_on


def _carried(work: Callable[..., Any]) -> Callable[..., Any]:
    here = _here.followed
    bodies = [(body, body.hand_over()) for body in here]

    def done_there(*args: Any, **kwargs: Any) -> Any:
        before = _here.followed
        if before:  # its thread was started in the body
            return work(*args, **kwargs)
        _here.followed = here
        try:
            with ExitStack() as stack:
                for body, inside in bodies:
                    if body.open:
                        stack.enter_context(inside())
                return work(*args, **kwargs)
        finally:
            _here.followed = before

    return done_there
