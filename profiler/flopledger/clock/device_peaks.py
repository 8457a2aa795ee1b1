"""What a device does at most, measured on the spot, and the clock that measures it."""

import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch

from flopledger.clock.peaks import Peaks
from flopledger.errors import WrongOption

_SIZES = (256, 512, 1024, 2048, 4096, 8192)  # of the square matrices
_COPIED = 256 * 2**20  # bytes: no last-level cache of today's holds source and copy
_PRODUCTS_NS, _COPIES_NS = 900e6, 250e6  # what each may take, in nanoseconds
_TRIES = 5


class Clock(Protocol):
    """Marks points of time in a device's own work."""

    def mark(self) -> Any:
        """This point of time."""

    def wait(self) -> None:
        """Return when the device has done all that it was told to."""

    def between(self, start: Any, end: Any) -> float:
        """Nanoseconds from one mark to a later one; call `wait` before."""


def clock_of(device: torch.device) -> Clock:
    """The clock of a CPU or of a CUDA device.

    Raises:
        ValueError: the device is of another type, or not there.
    """
    if device.type == "cpu":
        return _HostClock()
    if device.type != "cuda":
        raise WrongOption(f"no clock is known for {str(device)!r}; say cpu or cuda")
    if (device.index or 0) >= torch.cuda.device_count():
        raise WrongOption(f"there is no {device} here; say cpu, or a GPU that PyTorch sees")
    return _CudaClock(device)


class _HostClock:
    def __init__(self) -> None:
        self.mark = time.perf_counter_ns  # no call in between: marks stand inside the measured

    def wait(self) -> None:
        pass

    def between(self, start: int, end: int) -> float:
        return end - start


class _CudaClock:
    def __init__(self, device: torch.device) -> None:
        self._device = device

    def mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        return event

    def wait(self) -> None:
        torch.cuda.synchronize(self._device)

    def between(self, start: torch.cuda.Event, end: torch.cuda.Event) -> float:
        milliseconds: float = start.elapsed_time(end)
        return milliseconds * 1e6


def name_of(device: torch.device) -> str:
    """The device as its maker calls it; its type ("cpu") where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return _printed("sysctl", "-n", "machdep.cpu.brand_string") or "mps"
    if device.type != "cpu":
        return device.type
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "cpu"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "cpu")


def _printed(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def peaks(device: torch.device | str, dtype: torch.dtype = torch.float32) -> Peaks:
    """Measure what the device does at most, in about a second, with the threads that torch has.

    Arithmetic: products of two square matrices of that dtype, 256 to 8,192 a side as far as the
    time allows, and a convolution, which on a CPU is another library's; the quickest of five of
    the one that does most. Memory: copies of 256 MiB, each
    byte read once and written once; the quickest of five.

    Raises:
        ValueError: no clock is known for the device, or it is not there.
    """
    device = torch.device(device)
    clock = clock_of(device)
    with (
        torch.no_grad(),
        torch.autocast(device.type, enabled=False),  # under which another dtype would be measured
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        return Peaks(
            flops_per_second=max(
                _multiplied(clock, device, dtype), _convolved(clock, device, dtype)
            ),
            bytes_per_second=_copied(clock, device),
        )


def _multiplied(clock: Clock, device: torch.device, dtype: torch.dtype) -> float:
    best, left = 0.0, _PRODUCTS_NS
    for size in _SIZES:
        a, b = (torch.rand(size, size, device=device).to(dtype) for _ in range(2))
        out = torch.empty_like(a)
        quickest, spent = _quickest(clock, partial(torch.mm, a, b, out=out), left)
        best = max(best, 2 * size**3 / quickest * 1e9)
        left -= spent
        if left < 2 * 8 * quickest:  # of the next size, which runs twice at least
            break
    return best


def _convolved(clock: Clock, device: torch.device, dtype: torch.dtype) -> float:
    if dtype not in (torch.float32, torch.float16, torch.bfloat16):
        return 0.0  # not every device convolves the others
    channels, side, kernel = 256, 28, 3
    x = torch.rand(8, channels, side, side, device=device).to(dtype)
    weight = torch.rand(channels, channels, kernel, kernel, device=device).to(dtype)
    action = partial(torch.nn.functional.conv2d, x, weight, padding=1)
    quickest, _ = _quickest(clock, action, _PRODUCTS_NS)
    # without the products with padding, which a library may leave out
    inside = (kernel * side - 2) ** 2
    return 2 * len(x) * channels**2 * inside / quickest * 1e9


def _copied(clock: Clock, device: torch.device) -> float:
    source = torch.ones(_COPIED, dtype=torch.uint8, device=device)
    copy = torch.empty_like(source)
    quickest, _ = _quickest(clock, lambda: copy.copy_(source), _COPIES_NS)
    return 2 * _COPIED / quickest * 1e9


def _quickest(clock: Clock, action: Callable[[], Any], allowed: float) -> tuple[float, float]:
    """The quickest run after the first, and all together, in nanoseconds."""
    times: list[float] = []
    while len(times) < 2 or (len(times) <= _TRIES and sum(times) + min(times) < allowed):
        start = clock.mark()
        action()
        end = clock.mark()
        clock.wait()
        times.append(max(clock.between(start, end), 1))
    return min(times[1:]), sum(times)
