"""Meter: hooks on live modules count passes, samples and FLOPs while a real program runs."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import inf, isnan
from numbers import Integral, Real

import torch
from torch import nn

from flopledger.clock.published_peaks import Peak
from flopledger.counting.advice import not_a_network
from flopledger.counting.structure.hooks import on_modules
from flopledger.errors import FlopledgerError
from flopledger.metering.call_counter import CallCounter
from flopledger.metering.executed_peak import executed_peak
from flopledger.metering.hooks import begin, end, method_of
from flopledger.metering.lap import Lap, lap_of, together
from flopledger.metering.loggers import Log
from flopledger.metering.reading import Reading, row_of
from flopledger.metering.tally import NAMES, Tally
from flopledger.metering.uncompiled import leave_out_hooks
from flopledger.metering.work import work_of
from flopledger.options import brief, checks_arguments


class MeterError(FlopledgerError, RuntimeError):
    """The meter was used in a way that gives no figure; the message says what to change."""


@checks_arguments
def meter(
    modules: nn.Module | Mapping[str, nn.Module],
    *,
    methods: Sequence[str] = (),
    recount: int = 1000,
    peak: float | None = None,
    log: Log | None = None,
    warm_up: int = 0,
) -> "Meter":
    """Make a meter of these modules, to be entered by `with` or attached.

    Args:
        modules: a module, which goes by its class's name; or modules by the names that they shall
            go by.
        methods: of the modules that have them, methods that do their work outside `forward`
            ("encode"): each call of one is metered like a call of the module.
        recount: a call of every signature is watched again at 2, 8, 32, ... calls, and at each
            multiple of this.
        peak: FLOPs a second that the devices do at most; if left out, at the products' dtypes from
            facts/devices.csv, or on a CPU measured once on this machine.
        log: called after every unit of work; flopledger.metering.loggers has some.
        warm_up: laps at the beginning that `laps()` leaves out.

    Raises:
        MeterError: there is no module, or one of these arguments is no module or number.
    """
    if not isinstance(modules, Mapping):
        if not isinstance(modules, nn.Module):
            raise MeterError(str(not_a_network(modules, named=False)))
        modules = {type(modules).__name__: modules}
    return Meter(modules, methods, recount, peak, log, warm_up)


class Meter:
    """Counts what the modules do between `attach` and `detach`, in every thread.

    A call inside another metered call is listed, and not counted twice. A call that raises counts
    as failed, and its work not at all. What is called during a backward pass, to compute again
    what was not kept, is recomputed work and no pass.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        methods: Sequence[str] = (),
        recount: int = 1000,
        peak: float | None = None,
        log: Log | None = None,
        warm_up: int = 0,
    ) -> None:
        if not modules:
            raise MeterError("a meter needs a module; meter(network)")
        for name, module in modules.items():
            _check_module(name, module)
        if isinstance(recount, bool) or not isinstance(recount, int | Integral) or recount < 1:
            raise MeterError(f"recount {brief(recount)} watches nothing; give 1 or more")
        if peak is not None and (isinstance(peak, bool) or not 0 < peak <= sys.float_info.max):
            raise MeterError(f"a peak of {brief(peak)} FLOP/s is none; give a number above 0")
        if isinstance(warm_up, bool) or not isinstance(warm_up, int | Integral) or warm_up < 0:
            raise MeterError(f"a warm_up of {brief(warm_up)} laps is none; give 0 or more")
        if isinstance(methods, str):
            methods = (methods,)
        if not isinstance(methods, Iterable):
            raise MeterError(f"methods {brief(methods)} are no names; give them, as ['encode']")
        methods = tuple(methods)
        for method in methods:
            named = isinstance(method, str)
            if not named or not any(callable(getattr(m, method, None)) for m in modules.values()):
                raise MeterError(f"{', '.join(modules)}: no method {brief(method)} to meter")
        self._modules, self._methods, self._peak, self._log = dict(modules), methods, peak, log
        self._hooks = ExitStack()
        self._calls = CallCounter(recount, len(modules) > 1 or bool(methods), self._hooks.close)
        self._begin: float | None = None
        self._end: float | None = None
        self._before = 0.0  # seconds of the meters before, whose state was loaded
        self._laps: list[Lap] = []
        self._warm_up = warm_up
        self._lap_from: tuple[float, Tally] | None = None

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
        leave_out_hooks()
        calls = self._calls
        hooked = []
        for name, module in self._modules.items():
            own = {method: f"{name}.{method}" for method in self._methods}
            calls.modules |= dict.fromkeys((name, *own.values()), module)
            if any(part._forward_hooks for part in module.modules()):
                calls.led_out |= {name, *own.values()}
            if module._compiled_call_impl is None:
                hooked.append((name, module))
            else:  # by module.compile(): hooks would be compiled with it
                own["_compiled_call_impl"] = name
            for method, called in own.items():
                if callable(getattr(module, method, None)):
                    self._hooks.enter_context(method_of(module, method, called, calls))
        self._hooks.enter_context(
            on_modules(hooked, lambda name: begin(calls, name), lambda _: end(calls))
        )
        calls.sums.open = True
        self._begin = time.perf_counter()
        self._lap_from = self._begin, calls.sums.total()

    def detach(self) -> None:
        """Take the hooks off, once no call is running; the clock stops. What was counted stays."""
        self._calls.drop_broken_off(sys._getframe())
        if self._end is None and self._begin is not None:
            self._end = time.perf_counter()
            self._calls.sums.open = False
        if not self._calls.sums.running():
            self._hooks.close()

    @contextmanager
    def unit(self, kind: str) -> Iterator[None]:
        """A unit of work, such as a game or a step; units may lie in one another.

        Raises:
            MeterError: the kind is no word.
        """
        if not isinstance(kind, str):
            raise MeterError(f"a unit of kind {brief(kind)} has no name; give a word, as 'step'")
        sums = self._calls.sums
        before, start = sums.begin(kind), time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            done, number = sums.end(kind, before, seconds)
        if self._log is not None:
            figures = {**work_of(done).to_dict(), "seconds": seconds}
            known = {name: value for name, value in figures.items() if not isnan(value)}
            self._log(kind, number, known)

    def lap(self) -> Lap:
        """What was done since the last lap, or since the beginning; units may be open.

        A device that is not the CPU is waited for, so that the work of a lap is in its seconds.

        Raises:
            MeterError: the meter was never attached.
        """
        if self._lap_from is None:
            raise MeterError("the meter was never attached; enter it, or call attach()")
        self._wait()
        now, total = self._now(), self._calls.sums.total()
        start, before = self._lap_from
        self._lap_from = now, total
        number = len(self._laps)
        lap = lap_of(
            total.less(before), number, number < self._warm_up, now - start, self._device_peak()
        )
        self._laps.append(lap)
        return lap

    def laps(self) -> Lap:
        """All laps so far as one, those of the warm-up left out.

        Raises:
            MeterError: there was none.
        """
        counted = [lap for lap in self._laps if not lap.warm_up]
        if not counted:
            after = f" after the {self._warm_up} of the warm-up" if self._warm_up else ""
            raise MeterError(f"no lap has ended{after}; call lap() first")
        return together(counted, sum(lap.seconds for lap in counted), counted[-1].peak)

    def state_dict(self) -> dict[str, float]:
        """The totals, to be saved with a checkpoint."""
        return {**self._calls.sums.total().to_dict(), "seconds": self._seconds()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from saved totals: readings hold both, laps and units only what is new.

        Raises:
            MeterError: that is no meter's state.
        """
        try:
            numbers = dict(state)
            for name, value in numbers.items():
                if not (isinstance(value, Real) and 0 <= value < inf):
                    raise ValueError(f"{name} is {brief(value)}")
            if missing := {"seconds", *NAMES} - numbers.keys():
                raise ValueError(f"it has no {', '.join(sorted(missing))}")
            seconds = numbers.pop("seconds")
            before = Tally(**numbers)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise MeterError(f"no state of a meter: {error}; give what state_dict() gave") from None
        self._before += seconds
        self._calls.sums.add(before)
        if self._lap_from is not None:
            start, total = self._lap_from
            self._lap_from = start, total.plus(before)

    def read(self) -> Reading:
        """What was counted so far, units that are still open left out of `units`.

        Nothing is run for it.

        Raises:
            MeterError: the modules were never called.
        """
        if self._begin is None:
            raise MeterError("the meter was never attached; enter it, or call attach()")
        calls = self._calls
        total = calls.sums.total()
        if not (total.passes or any(s.calls or s.failed for s in list(calls.signatures.values()))):
            raise MeterError(self._never_called())
        with calls.sums.lock:
            rows = {key: row_of(signature) for key, signature in calls.signatures.items()}
            units = {
                kind: {name: list(column) for name, column in columns.items()}
                for kind, columns in calls.sums.columns.items()
            }
        return Reading(
            rows=rows, units=units, total=total, seconds=self._seconds(), peak=self._device_peak()
        )

    def _never_called(self) -> str:
        names = ", ".join(self._modules)
        others = [
            name
            for module in self._modules.values()
            for kind in type(module).__mro__[: type(module).__mro__.index(nn.Module)]
            if not kind.__module__.startswith("torch.")
            for name, value in vars(kind).items()
            if callable(value) and not name.startswith("_") and name != "forward"
        ]
        hint = ""
        if others:
            first = list(dict.fromkeys(others))
            hint = (
                f"; work of other methods than forward is seen with methods=, such as {first[0]!r}"
            )
        return (
            f"{names}: never called while it was metered; of a network that is compiled, meter "
            f"what torch.compile gave, and of one inside another the outer{hint}"
        )

    def _seconds(self) -> float:
        return self._before + (self._now() - self._begin if self._begin is not None else 0)

    def _now(self) -> float:
        return self._end if self._end is not None else time.perf_counter()

    def _wait(self) -> None:
        devices = {p.device for m in self._modules.values() for p in m.parameters()}
        for device in devices:
            if device.type not in ("cpu", "meta"):
                torch.accelerator.synchronize(device)

    def _device_peak(self) -> Peak:
        if self._peak:
            return Peak(self._peak, "given")
        start = time.perf_counter()
        peak = executed_peak(self._modules.values(), list(self._calls.signatures.values()))
        # a CPU may be measured for it, and that time is not the program's
        spent = time.perf_counter() - start
        if self._end is None and self._begin is not None and self._lap_from is not None:
            self._begin += spent
            self._lap_from = self._lap_from[0] + spent, self._lap_from[1]
        return peak


def _check_module(name: str, module: object) -> None:
    if not isinstance(module, nn.Module):
        raise MeterError(f"{name} is a {type(module).__name__}, no torch.nn.Module")
    if isinstance(module, torch.jit.ScriptModule):
        raise MeterError(f"{name} is a ScriptModule, which takes no hooks; meter what it was "
                         "compiled from")  # fmt: skip
