"""Work in forks of this process, which has torch imported already."""

import gc
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from multiprocessing import connection, get_context
from pathlib import Path
from types import CodeType
from typing import Any

import fvcore.nn  # noqa: F401
import pandas  # noqa: F401
import psutil
import pydantic  # noqa: F401
import pyspiel  # noqa: F401
import pytest
import torch._dynamo  # noqa: F401
import typer  # noqa: F401
from hypothesis import Phase, settings

LOG = "build/mutate/log"  # what the forks print
MEMORY = 8 << 30  # bytes that a fork may take
IDLE = 300.0  # seconds by the clock in which it must take a second of the processor
LIMIT = -signal.SIGXCPU  # the exit code of what was stopped


@dataclass(kw_only=True)
class _Fork:
    """A job that runs: where it stands among the jobs, and when it last took a second."""

    place: int
    process: Any
    start: float
    seconds: float = 0.0
    since: float


def in_forks(jobs: Sequence[tuple[float, Callable[[], int]]], workers: int) -> Iterator[Any]:
    """Each job's place, exit code and seconds, as they end; what a job starts ends with it.

    A negative exit code is a signal. `LIMIT` is that of a job that took more than its seconds of
    the processor, or almost none in five minutes; that others keep the machine busy stops none.
    """
    gc.freeze()  # what is imported here is neither searched for garbage nor copied in every fork
    context = get_context("fork")
    waiting = list(enumerate(jobs))[::-1]
    running: dict[int, _Fork] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            place, (seconds, job) = waiting.pop()
            process = context.Process(target=_child, args=(seconds, job))
            process.start()
            now = time.monotonic()
            running[process.sentinel] = _Fork(place=place, process=process, start=now, since=now)
        ready = connection.wait(list(running), timeout=1)
        for sentinel, fork in list(running.items()):
            hangs = sentinel not in ready and _hangs(fork)
            if sentinel in ready or hangs:
                with suppress(ProcessLookupError):
                    os.killpg(fork.process.pid, signal.SIGKILL)
                fork.process.join()
                del running[sentinel]
                code = LIMIT if hangs else fork.process.exitcode
                yield fork.place, code, time.monotonic() - fork.start


def _hangs(fork: _Fork) -> bool:
    seconds = 0.0
    with suppress(psutil.NoSuchProcess):
        ours = psutil.Process(fork.process.pid)
        for process in (ours, *ours.children(recursive=True)):
            seconds += sum(process.cpu_times()[:4])
    if abs(seconds - fork.seconds) > 1:
        fork.seconds, fork.since = seconds, time.monotonic()
    return time.monotonic() > fork.since + IDLE


def _child(seconds: float, job: Callable[[], int]) -> None:
    os.setsid()
    limit = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 10))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # what a mutant fails by is neither remembered nor made small
    settings.register_profile(
        "mutate",
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
    )
    settings.load_profile("mutate")
    os._exit(job())


def run_pytest(
    words: Sequence[str], *plugins: object, compiled: Callable[[Path], CodeType | None]
) -> int:
    """The exit code of pytest, which keeps nothing in the clone.

    `compiled` gives the code of a file, or None for that of the file as it is.
    """
    plain = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        return compiled(Path(self.path)) or plain(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    ours = ["-q", "-p", "no:cacheprovider", "-W", "ignore:Module already imported"]
    return int(pytest.main([*ours, *words], plugins=list(plugins)))
