"""Meter: hooks on live modules count passes, samples and FLOPs while a real program runs."""

import sys
import threading
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from math import isfinite, isnan
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from flopledger.clock.published_peaks import Peak, peak_of
from flopledger.counting.advice import not_a_network
from flopledger.counting.hooks import Hook, on_modules
from flopledger.errors import FlopledgerError
from flopledger.metering.loggers import Log
from flopledger.metering.reading import Reading, Row, Unit
from flopledger.metering.signature import Signature, backward_macs, key_of
from flopledger.metering.watched_call import WatchedCall
from flopledger.options import brief, checks_arguments


class MeterError(FlopledgerError, RuntimeError):
    """The meter was used in a way that gives no figure; the message says what to change."""


@checks_arguments
def meter(
    modules: nn.Module | Mapping[str, nn.Module],
    *,
    recount: int = 1000,
    peak: float | None = None,
    log: Log | None = None,
) -> "Meter":
    """Make a meter of these modules, to be entered by `with` or attached.

    Args:
        modules: a module, which goes by its class's name; or modules by the names that they shall
            go by.
        recount: a call of every signature is watched again at 2, 8, 32, ... calls, and at each
            multiple of this.
        peak: FLOPs a second that the device does at most; if left out, from facts/devices.csv.
        log: called after every unit of work; flopledger.metering.loggers has some.

    Raises:
        MeterError: there is no module, or one of these arguments is no module or number.
    """
    if not isinstance(modules, Mapping):
        if not isinstance(modules, nn.Module):
            raise MeterError(str(not_a_network(modules, named=False)))
        modules = {type(modules).__name__: modules}
    return Meter(modules, recount, peak, log)


_NO_PEAK = Peak(None, "not asked for")
_PAUSED: list[Any] = [None]  # stands for a thread's stack while the meter itself calls the modules


class Meter:
    """Counts what the modules do between `attach` and `detach`, in every thread.

    A call inside another metered call is listed, and not counted twice. A call that raises counts
    as failed, and its work not at all.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        recount: int = 1000,
        peak: float | None = None,
        log: Log | None = None,
    ) -> None:
        if not modules:
            raise MeterError("a meter needs a module; meter(network)")
        for name, module in modules.items():
            if not isinstance(module, nn.Module):
                raise MeterError(f"{name} is a {type(module).__name__}, no torch.nn.Module")
            if isinstance(module, torch.jit.ScriptModule):
                raise MeterError(f"{name} is a ScriptModule, which takes no hooks; meter what it "
                                 "was compiled from")  # fmt: skip
        if isinstance(recount, bool) or not isinstance(recount, int | Integral) or recount < 1:
            raise MeterError(f"recount {brief(recount)} watches nothing; give 1 or more")
        if peak is not None and not (isfinite(peak) and peak > 0):
            raise MeterError(f"a peak of {peak} FLOP/s is none; give a number above 0")
        self._modules, self._recount, self._peak, self._log = dict(modules), recount, peak, log
        self._signatures: dict[Hashable, Signature] = {}
        self._units: dict[str, list[Unit]] = {}
        self._open: list[str] = []
        self._hooks = ExitStack()
        self._lock = threading.Lock()
        self._local = threading.local()
        self._running = 0  # calls that have begun and not ended
        self._begin: float | None = None
        self._end: float | None = None

    def __enter__(self) -> "Meter":
        self.attach()
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def attach(self) -> None:
        """Hook the modules; the clock starts.

        Raises:
            MeterError: it was attached before.
        """
        if self._begin is not None:
            raise MeterError("a meter is used once; make another with meter(...)")
        hooks = on_modules(self._modules.items(), self._before, lambda _: self._after)
        self._hooks.enter_context(hooks)
        self._begin = time.perf_counter()

    def detach(self) -> None:
        """Take the hooks off, once no call is running; the clock stops. What was counted stays."""
        with self._lock:
            if self._end is None and self._begin is not None:
                self._end = time.perf_counter()
            if not self._running:
                self._hooks.close()

    def _before(self, name: str) -> Hook:
        now, local = time.perf_counter, self._local

        def hook(module: nn.Module, args: Any, kwargs: Any) -> None:
            stack = getattr(local, "stack", None)
            if stack is None:
                stack = local.stack = []
            elif stack is _PAUSED:
                return
            inside = bool(stack)
            with self._lock:
                self._running += 1
            try:
                signature, watched = self._started(name, module, args, kwargs, inside)
                watch = WatchedCall() if watched else None
            except Exception:  # no fault of ours is the network's
                signature, watch = self._unread(name, module, inside), None
            stack.append((module, signature, watch, sys.exc_info()[1], now()))

        return hook

    def _started(
        self, name: str, module: nn.Module, args: Any, kwargs: Any, inside: bool
    ) -> tuple[Signature, bool]:
        """The signature of a call that begins, and whether this one is to be watched."""
        key = (name, inside, module.training, torch.is_grad_enabled(), *map(key_of, args))
        if kwargs:
            key = (*key, *((word, key_of(value)) for word, value in kwargs.items()))
        with self._lock:
            signature = self._signatures.get(key)
            if signature is None:
                signature = Signature(name, module, args, kwargs, inside)
                self._signatures[key] = signature
            signature.started += 1
            return signature, signature.due(self._recount)

    def _unread(self, name: str, module: nn.Module, inside: bool) -> Signature:
        """That of calls whose arguments cannot be read: what they cost is unknown."""
        with self._lock:
            key = (name, inside, module.training, torch.is_grad_enabled(), "not read")
            return self._signatures.setdefault(key, Signature(name, module, (), {}, inside))

    def _after(self, module: nn.Module, args: Any, out: Any) -> None:
        stack = getattr(self._local, "stack", None)
        if not stack or stack[-1] is None or stack[-1][0] is not module:
            return  # paused, or it began before it was metered
        _, signature, watch, before, start = stack.pop()
        seconds = time.perf_counter() - start
        counted = watch.end() if watch is not None else None
        failed = out is None and sys.exc_info()[1] is not before
        with self._lock:
            self._running -= 1
            if self._end is not None:  # it was detached meanwhile
                if not self._running:
                    self._hooks.close()
                return
            if failed:
                signature.failed += 1
                return
            signature.calls += 1
            signature.seconds += seconds
            if counted is not None:
                signature.counts.append(
                    (sum(c.macs for c in counted), sum(c.other_flops for c in counted))
                )
                signature.uncounted.update(c.op for c in counted if not c.counted)
        if signature.grad and not signature.inside:
            with suppress(Exception):  # no fault of ours is the network's
                self._await_backward(signature, out)

    def _await_backward(self, signature: Signature, out: Any) -> None:
        reached: list[bool] = []

        def fire(_: Any) -> None:
            if not reached:
                reached.append(True)
                with self._lock:
                    signature.backwards += 1

        leaves = [out] if isinstance(out, Tensor) else tree_leaves(out)
        nodes = {leaf.grad_fn for leaf in leaves if isinstance(leaf, Tensor)}
        for node in nodes:
            if node is not None:
                node.register_prehook(fire)

    @contextmanager
    def unit(self, kind: str) -> Iterator[None]:
        """A unit of work, such as a game or a step; units may lie in one another."""
        before, start = self._snapshot(), time.perf_counter()
        self._open.append(kind)
        try:
            yield
        finally:
            self._open.remove(kind)
        seconds = time.perf_counter() - start
        done = {
            key: _less(after, before.get(key, (0, 0, 0))) for key, after in self._snapshot().items()
        }
        units = self._units.setdefault(kind, [])
        units.append(Unit(seconds=seconds, work=done))
        if self._log is not None:
            last = {kind: units[-1:]}
            of_this_unit = Reading(rows=self._rows(), units=last, seconds=seconds, peak=_NO_PEAK)
            figures = of_this_unit.by_unit(kind).to_dict("records")[0]
            known = {str(name): value for name, value in figures.items() if not isnan(value)}
            self._log(kind, len(units) - 1, known)

    def _snapshot(self) -> dict[Hashable, tuple[int, int, int]]:
        with self._lock:
            return {
                key: (signature.calls, signature.backwards, signature.calls * signature.samples)
                for key, signature in self._signatures.items()
                if not signature.inside
            }

    def read(self) -> Reading:
        """What was counted so far.

        Raises:
            MeterError: the modules were never called, or a unit is still open.
        """
        if self._begin is None:
            raise MeterError("the meter was never attached; enter it, or call attach()")
        if self._open:
            raise MeterError(f"the unit {self._open[-1]!r} is still open; read after its end")
        if not any(signature.calls for signature in self._signatures.values()):
            names = ", ".join(self._modules)
            raise MeterError(
                f"{names}: never called while it was metered; of a compiled network inside a "
                "compiled one, meter the outer"
            )
        end = self._end if self._end is not None else time.perf_counter()
        peak = Peak(self._peak, "given") if self._peak else peak_of(*self._device())
        return Reading(
            rows=self._rows(), units=dict(self._units), seconds=end - self._begin, peak=peak
        )

    def _rows(self) -> dict[Hashable, Row]:
        return {key: self._row(signature) for key, signature in self._signatures.items()}

    def _row(self, signature: Signature) -> Row:
        if signature.backwards and signature.backward_macs is None:
            stack, self._local.stack = getattr(self._local, "stack", []), _PAUSED
            try:
                signature.backward_macs = backward_macs(signature)
            finally:
                self._local.stack = stack
        return Row(
            module=signature.name,
            inputs=signature.shapes,
            training=signature.training,
            grad=signature.grad,
            inside=signature.inside,
            calls=signature.calls,
            failed=signature.failed,
            samples=signature.calls * signature.samples,
            counts=tuple(signature.counts),
            backwards=signature.backwards,
            backward_macs=signature.backward_macs if signature.backwards else 0,
            seconds=signature.seconds,
            uncounted=tuple(sorted(signature.uncounted)),
        )

    def _device(self) -> tuple[str, str]:
        """The device's name and the dtype of the weights, of the first module that has any."""
        for module in self._modules.values():
            for param in module.parameters():
                kind = str(param.dtype).removeprefix("torch.")
                if param.is_cuda:
                    return torch.cuda.get_device_name(param.device), kind
                return str(param.device.type), kind
        return "cpu", "float32"


def _less(after: tuple[int, int, int], before: tuple[int, int, int]) -> tuple[int, int, int]:
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]
