"""Rows on this machine's cores: processes that live on from row to row, and may die.

Two libraries were tried in place of this pool, with the tests of this module. pebble 5.2.3's
ProcessPool, with 41 lines around it, passes them, in 30 to 46 s for 200 rows of a small network
where this takes 33 to 43 s (on two busy cores; 11.0 and 9.6 s of processor time). But a row whose
process ends with exit status 0 (`os._exit(0)`) never comes back, so that a sweep without --timeout
waits for ever; and one process killed before any row has begun, while it imports, breaks the whole
pool ("All workers expired"). Dask's LocalCluster has no time limit for a task, so that a row that
hangs holds its worker for good; the 200 rows take it 68 s (18.9 s of processor time).
"""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from flopledger.sweeping.rows import Key, failed

Work = Callable[[Any], Any]


def on_processes(
    points: Sequence[Any],
    jobs: int,
    timeout: float | None = None,
    work: Work | None = None,
    failed: Callable[[Any, str], Any] = failed,
) -> Iterator[Any]:
    """Rows as they are done, in any order.

    A process that dies is replaced, and its point tried once more: whoever killed it may have meant
    another. If that process dies too, the point's row says how.

    Args:
        points: what is to be counted, or done by `work`; each has a `key` of its own.
        jobs: processes at most; each has one thread of PyTorch.
        timeout: seconds for a row, after which its process is ended; None for no limit.
        work: makes a point's row, and raises nothing; a function of a module, which each process
            imports. Left out: `flopledger.sweeping.count_row.measured`.
        failed: makes the row of a point whose process died or was late, with the reason.
    """
    waiting = deque(points)
    died: set[Key] = set()
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.point for worker in workers):
            while (
                sum(not worker.point for worker in workers) < len(waiting) and len(workers) < jobs
            ):
                workers.append(_Worker(work))
            for worker in workers:
                if waiting and worker.point is None:
                    worker.give(waiting.popleft())
            for worker in _ready(workers, timeout):
                point = worker.point
                assert point is not None
                row = worker.take(timeout, failed)
                if worker.ended:
                    workers.remove(worker)
                    if row is None and point.key not in died:
                        died.add(point.key)
                        waiting.appendleft(point)
                    else:
                        yield row or failed(point, worker.ended)
                elif row is not None:
                    yield row
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process, the pipe to it, and the point that it has.

    Attributes:
        point: what it works at; None while it is idle.
        ended: how it ended, if it did.
    """

    def __init__(self, work: Work | None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, its_own = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(its_own, work), daemon=True)
        self._imported = False
        self._begun: float | None = None  # when it began the point, its imports done
        self.point: Any = None
        self.ended = ""
        # Ctrl-C is for the parent alone: the child inherits the mask, which starting
        # multiprocessing's own tracker would lift
        resource_tracker.ensure_running()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        its_own.close()

    @property
    def waitables(self) -> tuple[Any, ...]:
        """What `wait` can wait for: its word, and its end."""
        return self._connection, self._process.sentinel

    def left(self, timeout: float) -> float | None:
        """Seconds that it still has for its point; None before it has begun."""
        return None if self._begun is None else self._begun + timeout - time.monotonic()

    def late(self, timeout: float) -> bool:
        """Whether it has had its seconds; not before it has begun."""
        left = self.left(timeout)
        return left is not None and left < 0

    def give(self, point: Any) -> None:
        """Have it work at the point."""
        self.point, self._begun = point, time.monotonic() if self._imported else None
        with suppress(OSError):  # it is dead, as `take` will see
            self._connection.send(point)

    def take(self, timeout: float | None, failed: Callable[[Any, str], Any]) -> Any:
        """Its row, if it has one; `ended` then says whether it is no more."""
        assert self.point is not None
        with suppress(EOFError, OSError):
            if self._connection.poll():
                row = self._connection.recv()
                if row is not None:
                    self.point = None
                self._imported, self._begun = True, time.monotonic()
                return row
            if timeout is not None and self.late(timeout) and self._process.is_alive():
                self.ended = f"not done after {timeout:g} s; give a longer --timeout"
                self.stop()
                return failed(self.point, self.ended)
        self._process.join(1)  # a closed pipe comes a little before the end
        self.stop()
        self.ended = _death(self._process.exitcode)
        return None

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def _ready(workers: Sequence[_Worker], timeout: float | None) -> list[_Worker]:
    """Workers that have something to say, are dead, or are late; waits for the first."""
    busy = [worker for worker in workers if worker.point]
    left = [worker.left(timeout) for worker in busy] if timeout is not None else []
    known = [seconds for seconds in left if seconds is not None]
    heard = wait(
        [waitable for worker in busy for waitable in worker.waitables],
        max(0.0, min(known)) + 0.01 if known else None,
    )
    return [
        worker
        for worker in busy
        if any(waitable in heard for waitable in worker.waitables)
        or (timeout is not None and worker.late(timeout))
    ]


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        memory = ", as where memory runs out" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{memory}, twice"
    return f"its process ended with exit status {code}, twice"


def _work(connection: Connection, work: Work | None) -> None:
    """The process: points in, rows out, until the pipe closes."""
    import warnings

    import torch

    if work is None:
        from flopledger.sweeping import count_row

        work = count_row.measured
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # a row has notes
    try:
        connection.send(None)
        while True:
            connection.send(work(connection.recv()))
    except (EOFError, OSError):  # the parent is done with it, or gone
        pass
