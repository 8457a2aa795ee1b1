"""How far long work has come, and what there is of its result when it is stopped."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flopledger.errors import FlopledgerError


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A step of long work, as its `progress` callback is given it.

    Attributes:
        done: rows, games, trials, rounds or epochs that are finished, earlier ones of a resumed
            file among them.
        total: how many there will be.
        message: what happened last, in one line; "" where the numbers say it all.
    """

    done: int
    total: int
    message: str = ""


OnProgress = Callable[[Progress], None]


def unheard(progress: Progress) -> None:
    """The callback of those who gave none."""


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C inside takes effect at the end: what is written to a file is also counted."""
    handler = signal.getsignal(signal.SIGINT)
    # no other thread is interrupted, and what is no function of Python's raises nothing
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[Any] = []
    signal.signal(signal.SIGINT, lambda *heard: came.append(heard))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[0])


class Unfinished(FlopledgerError):
    """The work could not go on; `result` is what was done before."""

    exit_code = 1

    def __init__(self, line: str, result: Any) -> None:
        super().__init__(line)
        self.result = result


class Interrupted(KeyboardInterrupt):
    """The work was interrupted; `result` is what was done before."""

    def __init__(self, line: str, result: Any) -> None:
        super().__init__(line)
        self.result = result
