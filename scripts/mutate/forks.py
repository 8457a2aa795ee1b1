"""Work in forks of this process, which has torch imported already."""

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import connection, get_context
from typing import Any

import fvcore.nn  # noqa: F401
import pandas  # noqa: F401
import pyspiel  # noqa: F401
import pytest
import torch._dynamo  # noqa: F401
from hypothesis import Phase, settings

LOG = "build/mutate/log"  # what the forks print
MEMORY = 8 << 30  # bytes that a fork may take


def in_forks(jobs: Sequence[tuple[float, Callable[[], int]]], workers: int) -> Iterator[Any]:
    """Each job's place, exit code (negative: a signal) and seconds, as they end.

    A job has its seconds of the processor, so that a busy machine does no harm, and ten times them
    by the clock. What it starts ends with it.
    """
    context = get_context("fork")
    waiting = list(enumerate(jobs))[::-1]
    running: dict[int, tuple[int, Any, float, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            place, (seconds, job) = waiting.pop()
            process = context.Process(target=_child, args=(seconds, job))
            process.start()
            running[process.sentinel] = (place, process, time.monotonic(), 10 * seconds)
        ready = connection.wait(list(running), timeout=1)
        for sentinel, (place, process, start, limit) in list(running.items()):
            if sentinel in ready or time.monotonic() > start + limit:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.join()
                del running[sentinel]
                yield place, process.exitcode, time.monotonic() - start


def _child(seconds: float, job: Callable[[], int]) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
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


def run_pytest(words: Sequence[str], *plugins: object) -> int:
    """The exit code of pytest, which keeps nothing in the clone."""
    ours = ["-q", "-p", "no:cacheprovider", "-W", "ignore:Module already imported"]
    return int(pytest.main([*ours, *words], plugins=list(plugins)))
