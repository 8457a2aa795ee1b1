"""Where metered work is added up, so that units of work of several threads do not mix."""

import threading
from array import array
from collections.abc import Iterator
from itertools import repeat
from typing import Any
from weakref import WeakSet, ref

from flopledger.metering.signature import Signature
from flopledger.metering.tally import NAMES, Tally


class Thread:
    """What goes on in one thread.

    Attributes:
        stack: metered calls that have begun and not ended.
        tally: of what is done while it has a unit of work open; None while it has none.
        units: the kinds of those that are open.
        latest: the signature of its latest call that no run took.
        run: of its calls, those that are added up together.
        graphs: of its calls, as long as their program keeps them.
        backward_macs: all that was added of the backward passes that ran in it.
        recomputed_macs: all that was added, by calls and by nodes, of what is computed again in it.
    """

    __slots__ = (
        "__weakref__", "backward_macs", "graphs", "latest", "recomputed_macs", "run", "stack",
        "tally", "units",
    )  # fmt: skip

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.tally: Tally | None = None
        self.units: list[str] = []
        self.latest: Signature | None = None
        self.run: Run | None = None
        self.backward_macs: float = 0
        self.recomputed_macs: float = 0
        self.graphs: WeakSet[Any] = WeakSet()


class Run:
    """Calls of a thread that are alike, and added up when somebody asks: no lock is taken for one.

    The thread alone writes the first two figures, and whoever has the sums' lock the others.

    Attributes:
        calls: how many there were.
        seconds: of all.
        added: how many of them are added up.
        seconds_added: of these.
        thread: theirs, as long as it lives.
        signature: theirs.
    """

    __slots__ = ("added", "calls", "seconds", "seconds_added", "signature", "thread")

    def __init__(self, thread: Thread, signature: Signature) -> None:
        self.thread, self.signature = ref(thread), signature
        self.calls = self.added = 0
        self.seconds = self.seconds_added = 0.0


class Column:
    """Numbers in order, of which each is kept once as long as the next ones are the same."""

    __slots__ = ("_times", "_values")

    def __init__(self) -> None:
        self._values, self._times = array("d"), array("q")

    def append(self, value: float) -> None:
        """One more."""
        if self._values and self._values[-1] == value:
            self._times[-1] += 1
        else:
            self._values.append(value)
            self._times.append(1)

    def __iter__(self) -> Iterator[float]:
        for value, times in zip(self._values, self._times, strict=True):
            yield from repeat(value, times)


class Sums:
    """Of all threads.

    Work counts in the units that its thread has open. In a thread that has none open it counts in
    those of the thread that has some, if it is the only one: workers do their master's work.

    Attributes:
        lock: is held while any sum is read or changed.
        open: whether the clock runs; nothing counts when it does not.
        local: has the running thread as `thread`, once it was here.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = False
        self.threads: WeakSet[Thread] = WeakSet()
        self.local = threading.local()
        self._rest = Tally()  # done outside of all units
        self._owners: list[Thread] = []  # that have units open
        self._runs: list[Run] = []
        self.columns: dict[str, dict[str, Column]] = {}
        self._ended: dict[str, int] = {}

    def here(self) -> Thread:
        """The running thread."""
        thread: Thread | None = getattr(self.local, "thread", None)
        if thread is None:
            thread = self.local.thread = Thread()
            with self.lock:
                self.threads.add(thread)
        return thread

    def of(self, thread: Thread | None) -> Tally:
        """Where that thread's work is added, the lock held; None is of one that has ended."""
        if thread is not None and thread.tally is not None:
            return thread.tally
        return self._owners[0].tally if len(self._owners) == 1 else self._rest  # type: ignore[return-value]

    def of_graph(self, thread: Thread) -> Tally:
        """Where the work of that thread's graph is added, which another may do."""
        running: Thread | None = getattr(self.local, "thread", None)
        return self.of(thread if running is None or running.tally is None else running)

    def add_calls(
        self,
        signature: Signature,
        thread: Thread | None,
        cost: tuple[float | None, float | None],
        calls: int,
        seconds: float,
        padding: Any = None,
    ) -> None:
        """Add calls of that signature, each of so many MACs and other FLOPs, the lock held."""
        macs, other = cost
        signature.calls += calls
        signature.seconds += seconds
        unknown = 0
        if macs is None or other is None:
            unknown, macs, other = calls, macs or 0, other or 0
            signature.unwatched += unknown
        macs, other = calls * macs, calls * other
        signature.macs += macs
        signature.other_flops += other
        if signature.inside:
            return
        tally = self.of(thread)
        if signature.again:
            tally.recomputed_macs += macs
            if thread is not None:
                thread.recomputed_macs += macs
            tally.unknown_backwards += unknown
            return
        tally.passes += calls
        tally.samples += calls * signature.samples
        tally.unwatched += unknown
        tally.macs += macs
        tally.other_flops += other
        if signature.tokens is None:
            tally.untold += calls
            return
        tally.tokens += calls * signature.tokens
        if padding is not None:
            tally.padding = tally.padding + padding

    def begin_run(self, thread: Thread, signature: Signature) -> None:
        """The next calls of that signature, which are its thread's, are added up together."""
        with self.lock:
            self.settle()
            if thread.run is not None:
                self._runs.remove(thread.run)
            thread.run = Run(thread, signature)
            self._runs.append(thread.run)

    def settle(self) -> None:
        """Add what runs have since the last time, the lock held."""
        for run in self._runs[:]:
            calls, seconds, thread = run.calls, run.seconds, run.thread()
            if calls > run.added:
                more, longer = calls - run.added, seconds - run.seconds_added
                run.added, run.seconds_added = calls, seconds
                self.add_calls(run.signature, thread, run.signature.cost, more, longer)
            if thread is None:
                self._runs.remove(run)

    def total(self) -> Tally:
        """Of everything so far."""
        with self.lock:
            self.settle()
            total = self._rest
            for owner in self._owners:
                total = total.plus(owner.tally)  # type: ignore[arg-type]
            return total.less(Tally())

    def add(self, more: Tally) -> None:
        """What was counted before, by another meter."""
        with self.lock:
            self._rest = self._rest.plus(more)

    def begin(self, kind: str) -> Tally:
        """A unit of work begins in this thread; returns its sums before."""
        here = self.here()
        with self.lock:
            self.settle()
            if here.tally is None:
                here.tally = Tally()
                self._owners.append(here)
            here.units.append(kind)
            return here.tally.less(Tally())

    def end(self, kind: str, before: Tally, seconds: float) -> tuple[Tally, int]:
        """It ends; returns what was done in it, and its number among those of its kind."""
        here = self.here()
        with self.lock:
            self.settle()
            tally = here.tally or Tally()
            done = tally.less(before)
            here.units.remove(kind)
            if not here.units:
                self._rest, here.tally = self._rest.plus(tally), None
                self._owners.remove(here)
            if kind not in self.columns:
                self.columns[kind] = {name: Column() for name in (*UNIT_COLUMNS, "seconds")}
            columns = self.columns[kind]
            for name in UNIT_COLUMNS:
                columns[name].append(getattr(done, name))
            columns["seconds"].append(seconds)
            number = self._ended.get(kind, 0)
            self._ended[kind] = number + 1
            return done, number

    def running(self) -> bool:
        """Whether a metered call runs in any thread."""
        with self.lock:
            return any(thread.stack for thread in self.threads)


# a device would have to be waited for at every unit's end to have its padding
UNIT_COLUMNS = tuple(name for name in NAMES if name != "padding")
