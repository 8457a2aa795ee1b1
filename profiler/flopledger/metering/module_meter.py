"""Meter: hooks on live modules count passes, samples and FLOPs while a real program runs."""

import sys
import threading
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from math import isfinite, isnan
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from flopledger.clock.published_peaks import Peak, peak_of
from flopledger.counting.dispatch_counter import Recorder
from flopledger.counting.hooks import Hook, on_modules
from flopledger.errors import FlopledgerError
from flopledger.metering.loggers import Log
from flopledger.metering.reading import Reading, Row, Unit
from flopledger.metering.signature import Signature, backward_macs, key_of


class MeterError(FlopledgerError, RuntimeError):
    """The meter was used in a way that gives no figure; the message says what to change."""


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
        if recount < 1:
            raise MeterError(f"recount {recount} watches nothing; give 1 or more")
        if peak is not None and not (isfinite(peak) and peak > 0):
            raise MeterError(f"a peak of {peak} FLOP/s is none; give a number above 0")
        self._modules, self._recount, self._peak, self._log = dict(modules), recount, peak, log
        self._signatures: dict[Hashable, Signature] = {}
        self._units: dict[str, list[Unit]] = {}
        self._open: list[str] = []
        self._hooks = ExitStack()
        self._lock = threading.Lock()
        self._local = threading.local()
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
        """Take the hooks off; the clock stops. What was counted stays."""
        if self._end is None and self._begin is not None:
            self._end = time.perf_counter()
        self._hooks.close()

    def _before(self, name: str) -> Hook:
        now, enabled = time.perf_counter, torch.is_grad_enabled
        local, table = self._local, self._signatures

        def hook(module: nn.Module, args: Any, kwargs: Any) -> None:
            stack = getattr(local, "stack", None)
            if stack is None:
                stack = local.stack = []
            elif stack is _PAUSED:
                return
            inside = bool(stack)
            key = (name, inside, module.training, enabled(), *map(key_of, args))
            if kwargs:
                key = (*key, *((word, key_of(value)) for word, value in kwargs.items()))
            with self._lock:
                signature = table.get(key)
                if signature is None:
                    signature = table[key] = Signature(name, module, args, kwargs, inside)
                signature.started += 1
                watched = signature.due(self._recount)
            recorder = stance = None
            if watched:
                stance = _eager(module)
                recorder = Recorder(lambda: "", {}, computed=True)
                recorder.__enter__()  # type: ignore[no-untyped-call]
            stack.append((signature, recorder, stance, sys.exc_info()[1], now()))

        return hook

    def _after(self, module: nn.Module, args: Any, out: Any) -> None:
        if self._local.stack is _PAUSED:
            return
        signature, recorder, stance, before, start = self._local.stack.pop()
        seconds = time.perf_counter() - start
        if recorder is not None:
            recorder.__exit__(None, None, None)
        if stance is not None:
            stance.__exit__(None, None, None)
        failed = out is None and sys.exc_info()[1] is not before
        with self._lock:
            if failed:
                signature.failed += 1
                return
            signature.calls += 1
            signature.seconds += seconds
            if recorder is not None:
                counted = recorder.calls
                signature.counts.append(
                    (sum(c.macs for c in counted), sum(c.other_flops for c in counted))
                )
                signature.uncounted.update(c.op for c in counted if not c.counted)
        if signature.grad and not signature.inside:
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


def _eager(module: nn.Module) -> Any:
    """Compiled code hides its operators: while it is watched, what it was compiled from runs."""
    if not hasattr(module, "_orig_mod"):
        return None
    stance = torch.compiler.set_stance("force_eager")
    stance.__enter__()
    return stance
