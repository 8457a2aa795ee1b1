"""Python's collector of cycles, paused while a pass over shapes makes many small objects that stay.

It would go through them again and again: up to a fifth of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_pauses = 0  # of all threads together; before the first of them it was on
_changing = Lock()


@contextmanager
def uncollected() -> Iterator[None]:
    """In the body no cycle is collected; where collecting was off already, nothing is done."""
    ours = _pause(1)
    try:
        yield
    finally:
        if ours:
            _pause(-1)


@contextmanager
def collected() -> Iterator[None]:
    """In the body, which is inside `uncollected`, they are: over values, a cycle may hold much."""
    ours = _pauses > 0 and _pause(-1)
    try:
        yield
    finally:
        if ours:
            _pause(1)


def _pause(by: int) -> bool:
    """So many pauses more, and whether it was for us to say."""
    global _pauses
    with _changing:
        if not (_pauses or gc.isenabled()):
            return False
        _pauses += by
        (gc.disable if _pauses else gc.enable)()
        return True
