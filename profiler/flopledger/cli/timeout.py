"""How long a network may take: --timeout."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flopledger.cli.console import NOT_PROFILED, say

_GRACE = 5.0  # seconds in which code that does not listen may still stop by itself


class TimedOut(BaseException):
    """The time was up; no `except Exception` of the network's own code keeps it."""


@contextmanager
def limit(seconds: float | None, name: str) -> Iterator[None]:
    """End the body after that many seconds.

    Raises:
        TimedOut: the time was up. Code that is stuck inside one call of C ends with the process.
    """
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return
    line = f"{name}: not done after {seconds:g} s; mend what hangs, or give a longer --timeout"

    def stop(*_: Any) -> None:
        raise TimedOut(line)

    def give_up() -> None:
        say(line)
        os._exit(NOT_PROFILED)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    last = threading.Timer(seconds + _GRACE, give_up)
    last.daemon = True
    last.start()
    try:
        yield
    finally:
        last.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
