"""timing(): a real forward pass, taken with and without hooks on its layers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.calls import OpCall
from flopledger.clock.device_peaks import Clock, clock_of, name_of, peaks
from flopledger.clock.layer_times import LayerTime, Timing
from flopledger.clock.peaks import Peaks
from flopledger.clock.remembered_peaks import remembered_peaks
from flopledger.counting.attempts import fits
from flopledger.counting.doubles.network_double import Double, doubled, materialised
from flopledger.counting.failures import first_line
from flopledger.counting.gradients_in_forward import without_gradients
from flopledger.counting.profiling import counted
from flopledger.counting.shapes.torch_functions import unfused
from flopledger.counting.structure.hooks import Hook, on_modules
from flopledger.counting.structure.layers import kind_of
from flopledger.counting.subject import subject_of
from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.errors import FlopledgerError, WrongOption
from flopledger.options import brief, check_least, checks_arguments
from flopledger.profiles.tables import ProfilingError
from flopledger.traffic.traced_pass import traced
from flopledger.zoo.inputs import Inputs

# the path of a module that begins, None for one that ends; and when
Mark = tuple[str | None, Any]


@checks_arguments
def timing(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    calls: Sequence[OpCall] | None = None,
    device: str | torch.device = "cpu",
    warmup: int = 2,
    repeats: int = 10,
) -> Timing:
    """Time real forward passes without gradients, in the mode (train or eval) the module is in.

    Nothing of the module or its inputs is changed, not even after an exception: on another device
    it runs with copies of its weights. Weights and floating inputs on meta become random ones,
    integers there become zeros.

    Args:
        module: a network, or the name of one, as `profile`.
        args: a tuple of what its forward takes by place, or the one tensor; as `profile`.
        kwargs: what its forward takes by name.
        calls: its operator calls with such inputs, where they are counted already
            (`Profile.calls`).
        device: "cpu" or "cuda".
        warmup: passes of either sort, with hooks and without, that are not timed.
        repeats: passes of either sort that are.

    Raises:
        WrongOption: no repeats, or calls of another network.
        ValueError: no clock for the device.
        UnknownModel, BrokenModel, WrongSource, WrongInputs: of a name, as `profile`.
        ProfilingError: the passes failed; the message says what to change.
    """
    if repeats < 1:
        raise WrongOption(f"{brief(repeats)} repeats measure nothing; say 1 or more")
    check_least({"repeats": (repeats, 1), "warmup": (warmup, 0)})
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError):
        raise WrongOption(f"no device is called {brief(device)}; say cpu or cuda") from None
    clock, subject = clock_of(device), subject_of(module, args, kwargs)
    name, inputs = subject.name, subject.inputs
    if calls is None:
        calls = counted(name, subject.module, inputs).calls
    try:
        module = materialised(subject.module, inputs)
        kinds = {path: kind_of(child) for path, child in module.named_modules()}
        if strange := sorted({call.path for call in calls} - kinds.keys()):
            raise WrongOption(f"{name} has no layer {strange[0]!r}; give calls counted with it")
        dtype = _dtype(module)
        most = _before(device, dtype)
        turns = range(warmup + repeats)
        rounds = without_gradients(lambda: list(_rounds(module, inputs, device, clock, turns)))
        most = _after(device, dtype, most)
    except FlopledgerError:
        raise
    # the network is anybody's code: it may raise anything
    except (Exception, SystemExit) as error:
        raise ProfilingError(f"{name}: {_complaint(error, device)}") from error

    rounds = rounds[warmup:]
    plain = [seconds for seconds, _ in rounds]
    passes = [_self_times(marks, clock) for _, marks in rounds]
    hooked = [sum(seconds.values()) for seconds, _ in passes]
    return Timing(
        device=name_of(device),
        threads=torch.get_num_threads(),
        repeats=repeats,
        seconds=median(plain),
        low=min(plain),
        high=max(plain),
        hooked_seconds=median(hooked),
        peaks=most,
        layers=tuple(_layers(kinds, passes, calls, _moved(name, module, inputs))),
        complete=all(call.counted for call in calls),
    )


def _before(device: torch.device, dtype: torch.dtype) -> Peaks:
    return remembered_peaks(dtype) if device.type == "cpu" else peaks(device, dtype)


def _after(device: torch.device, dtype: torch.dtype, before: Peaks) -> Peaks:
    """Measured after the network: what was in the way of one measurement was not of the other."""
    now = peaks(device, dtype)
    return remembered_peaks(dtype, seen=now) if device.type == "cpu" else before.or_more(now)


def _dtype(module: nn.Module) -> torch.dtype:
    """Of the first weight that floats."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def _rounds(
    module: nn.Module,
    inputs: tuple[tuple[Any, ...], dict[str, Any]],
    device: torch.device,
    clock: Clock,
    turns: range,
) -> Iterator[tuple[float, list[Mark]]]:
    """Each turn: the seconds of a pass without hooks, then the marks of one with them."""
    if device.type == "cpu" and not fits(module):
        raise MemoryError("its weights")

    rng = [device] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(rng),
        doubled(module, inputs, lambda tensor: _real(tensor, device)) as there,
        unfused(module),
    ):
        for _ in turns:
            with _a_pass(there) as double:
                start = clock.mark()
                double.module(*double.args, **double.kwargs)
                end = clock.mark()
                clock.wait()
                plain = clock.between(start, end) / 1e9
            with _a_pass(there) as double, _marked(double.module, clock) as marks:
                double.module(*double.args, **double.kwargs)
                clock.wait()
            yield plain, marks


def _a_pass(there: Double) -> AbstractContextManager[Double]:
    """What one pass runs on: the weights that are on the device, and its own of what it changes."""
    weights = {id(param) for param in there.module.parameters()}

    def place(tensor: Tensor) -> Tensor:
        return tensor.detach() if id(tensor) in weights else tensor.detach().clone()

    return doubled(there.module, (there.args, there.kwargs), place)


def _real(tensor: Tensor, device: torch.device) -> Tensor:
    if not tensor.is_meta:
        return tensor.detach().to(device)
    if tensor.is_floating_point():  # like weights: small, and positive where they are variances
        return torch.rand(tensor.shape, device=device).mul_(0.1).to(tensor.dtype)
    return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)


@contextmanager
def _marked(module: nn.Module, clock: Clock) -> Iterator[list[Mark]]:
    marks: list[Mark] = []

    def enter(path: str) -> Hook:
        return lambda *_: marks.append((path, clock.mark()))

    def leave(_: str) -> Hook:
        return lambda *_: marks.append((None, clock.mark()))

    with on_modules(module.named_modules(), enter, leave):
        yield marks


def _self_times(marks: list[Mark], clock: Clock) -> tuple[Counter[str], Counter[str]]:
    """Of each layer, in seconds, what is not spent in a module inside it; and its calls."""
    seconds, calls = Counter[str](), Counter[str]()
    stack: list[str] = []
    for (path, start), (_, end) in pairwise(marks):
        if path is None:
            stack.pop()
        else:
            stack.append(path)
            calls[path] += 1
        if stack:
            seconds[stack[-1]] += clock.between(start, end) / 1e9  # type: ignore[assignment]
    return seconds, calls


def _layers(
    kinds: dict[str, str],
    passes: list[tuple[Counter[str], Counter[str]]],
    calls: Sequence[OpCall],
    moved: Mapping[str, int] | None,
) -> Iterator[LayerTime]:
    work: dict[str, list[OpCall]] = {}
    for call in calls:
        if not call.backward:
            work.setdefault(call.path, []).append(call)
    for path, kind in kinds.items():
        times = [seconds[path] for seconds, _ in passes]
        ran = passes[-1][1][path]
        if not ran and path not in work:
            continue
        own = work.get(path, [])
        yield LayerTime(
            path=path,
            kind=kind,
            calls=ran,
            seconds=median(times),
            low=min(times),
            high=max(times),
            macs=sum(call.macs for call in own),
            other_flops=sum(call.other_flops for call in own),
            bytes=None if moved is None else moved.get(path, 0),
        )


def _moved(name: str, module: nn.Module, inputs: Inputs) -> dict[str, int] | None:
    """Of each layer the bytes that its operators move one by one; None where some are not known."""
    try:
        traffic = traced(name, module, inputs).traffic()
    except ProfilingError:
        return None
    if traffic.unknown:
        return None
    return {layer.path: layer.operator_bytes for layer in traffic.layers}


def _complaint(error: BaseException, device: torch.device) -> str:
    if is_want_of_memory(error):
        return f"memory on {device} is too small to run it; give a smaller --batch or network"
    return f"timing it stopped: {first_line(error)}"
