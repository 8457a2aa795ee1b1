"""Rows on a Dask cluster: whoever runs its scheduler and workers, they may die."""

import asyncio
import logging
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flopledger.clock.threads import one_thread
from flopledger.errors import FlopledgerError
from flopledger.sweeping.rows import Point, Row, failed

CONNECTING = 10.0  # seconds for the scheduler to answer
IDLE = 60.0  # seconds without any worker, after which a sweep is given up


class LostCluster(FlopledgerError):
    """The scheduler or all workers are gone, or were never there; the message says which."""

    exit_code = 1


class MissingDask(FlopledgerError, ValueError):
    """dask.distributed is not installed."""


def check_installed() -> None:
    """See that dask.distributed is there.

    Raises:
        MissingDask: it is not; the message names the extra.
    """
    if find_spec("distributed") is None:
        raise MissingDask("dask.distributed is not installed; pip install 'flopledger[sweep]'")


def on_cluster(points: Sequence[Point], address: str, idle: float = IDLE) -> Iterator[Row]:
    """Rows as they are done, in any order.

    A point whose worker dies is given to another by Dask, as often as the scheduler's
    allowed-failures say. Since Dask suspects all that a dead worker held, such a point is then
    tried once more, alone; if it ends its workers again, its row says so.

    Args:
        points: what is to be counted.
        address: the scheduler's, "tcp://host:port".
        idle: seconds to wait while there are no workers.

    Raises:
        LostCluster: the scheduler does not answer, or it or all workers went away.
    """
    with _quiet(), _connected(address) as client:
        suspects: list[Point] = []
        for point, row in _done(client, points, address, idle):
            if row is not None:
                yield row
            else:
                suspects.append(point)
        for suspect in suspects:
            for point, row in _done(client, [suspect], address, idle):
                yield row or failed(point, "it ended every worker that took it (KilledWorker)")


def _done(
    client: Any, points: Sequence[Point], address: str, idle: float
) -> Iterator[tuple[Point, Row | None]]:
    """Points with their rows; None for a row whose workers died."""
    from distributed import KilledWorker

    arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pending: dict[str, tuple[Any, Point]] = {}
    for point in points:
        future = client.submit(_measured, _located(point), pure=False)
        pending[future.key] = future, point
        future.add_done_callback(arrived.put)
    while pending:
        future = _next(client, arrived, address, idle)
        _, point = pending.pop(future.key)
        error = None
        try:
            if future.status == "error":
                error = future.exception(timeout=CONNECTING)
                row = failed(point, f"its worker says {type(error).__name__}: {error}")
            else:
                row = future.result(timeout=CONNECTING)
        except Exception as lost:  # cancelled, closed, timed out: the connection is gone
            raise LostCluster(_lost(address)) from lost
        future.release()
        # its own name for the point, not the path that the worker was given
        yield point, None if isinstance(error, KilledWorker) else replace(row, model=point.model)


def _measured(point: Point) -> Row:
    """What a worker does: with one thread of PyTorch, and leaving its other threads their ways."""
    from flopledger.sweeping.count_row import measured

    with one_thread():
        return measured(point, own_thread=True)


def _located(point: Point) -> Point:
    """The point with its file's whole path: the workers run in other folders."""
    file, _, factory = point.model.rpartition(":")
    kind, _, config = point.model.partition(":")
    if file.endswith(".py"):
        return replace(point, model=f"{Path(file).absolute()}:{factory}")
    if kind == "hf":
        return replace(point, model=f"hf:{Path(config).absolute()}")
    return point


def _next(client: Any, arrived: "queue.SimpleQueue[Any]", address: str, idle: float) -> Any:
    """The next future that is done."""
    alone_since = None
    while True:
        try:
            return arrived.get(timeout=1)
        except queue.Empty:
            pass
        try:
            workers = client.scheduler_info(n_workers=1)["workers"]
        except Exception as lost:  # as above
            raise LostCluster(_lost(address)) from lost
        alone_since = None if workers else alone_since or time.monotonic()
        if alone_since and time.monotonic() > alone_since + idle:
            raise LostCluster(
                f"{address} has had no worker for {idle:g} s; start workers for it, and --resume "
                "goes on with --output"
            )


def _lost(address: str) -> str:
    return f"the scheduler at {address} is gone; start it again, and --resume goes on with --output"


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        # asked first, for a client that fails while it is made cannot be closed
        asyncio.run(asyncio.wait_for(_ask(address), CONNECTING))
        client = Client(address, timeout=CONNECTING, set_as_default=False)  # type: ignore[no-untyped-call]
    except Exception as error:  # whatever listens there may answer anything
        raise LostCluster(
            f"no scheduler answers at {address}; name one that runs, such as tcp://127.0.0.1:8786"
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=2)  # type: ignore[no-untyped-call]


async def _ask(address: str) -> None:
    from distributed.core import rpc

    async with rpc(address) as scheduler:  # type: ignore[no-untyped-call]
        await scheduler.identity(n_workers=1)


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines of Dask's: what is lost is said in one."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
