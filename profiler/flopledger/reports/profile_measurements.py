"""Seconds and bytes of a network, beside what was counted: tables and plain objects."""

import math
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from flopledger.allocation.held_bytes import WORDS, Memory
from flopledger.clock.layer_times import Timing
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import percent, short


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of a network; None where it was not asked for.

    Attributes:
        timing: the seconds of a pass.
        memory: the bytes that it holds, worked out.
        allocated: the bytes that were allocated when it ran.
    """

    timing: Timing | None = None
    memory: Memory | None = None
    allocated: Memory | None = None

    def folded(self, depth: int | None) -> "Measured":
        """The same with its layers folded to that depth."""
        if self.timing is None or depth is None:
            return self
        return replace(self, timing=self.timing.folded(depth))


def render(model: str, measured: Measured) -> str:
    """The tables that were asked for, each below a line that says what it is."""
    parts, timing, memory = [], measured.timing, measured.memory
    if timing is not None:
        parts += ["", *_headings(model, timing), plain_table(_layers(timing)).rstrip()]
    if memory is not None:
        table = plain_table(_memory(memory, measured.allocated))
        parts += ["", f"{model}: memory", table.rstrip()]
    return "".join(f"{line}\n" for line in parts)


def as_object(measured: Measured) -> dict[str, Any]:
    """What was asked for, as "time" and "memory": plain dicts; what is not defined is None."""
    timing, memory, allocated = measured.timing, measured.memory, measured.allocated
    plain: dict[str, Any] = {}
    if timing is not None:
        plain["time"] = timing.as_object()
    if memory is not None:
        plain["memory"] = {
            **memory.as_dict(),
            "allocated": allocated.as_dict() if allocated else None,
        }
    return plain


def _headings(model: str, timing: Timing) -> list[str]:
    peaks, shares = timing.peaks, timing.shares()
    least = "" if timing.complete else "at least "
    doubt = []
    if timing.utilisation > 1:
        doubt = ["more than the peak: something else kept the device busy; measure again"]
    return [
        f"{model}: {_ms(timing.seconds)} ms a pass ({_ms(timing.low)} to {_ms(timing.high)}, "
        f"{timing.repeats} repeats), {least}{short(timing.flops_per_second)}FLOP/s, "
        f"{least}{percent(timing.utilisation, 1)} of the peak; hooks add "
        f"{_ms(timing.overhead_seconds)} ms",
        f"{timing.device}, {timing.threads} threads: at most {short(peaks.flops_per_second)}FLOP/s "
        f"and {short(peaks.bytes_per_second)}B/s, measured now; "
        + ", ".join(f"{percent(share, 1)} of the time bound by {b}" for b, share in shares.items()),
        *doubt,
    ]


def _layers(timing: Timing) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "layer": row["layer"] or "(top)",
            "kind": row["kind"],
            "calls": row["calls"],
            "ms": _ms(row["seconds"]),
            "low": _ms(row["seconds_low"]),
            "high": _ms(row["seconds_high"]),
            "time %": percent(row["share"], 1),
            "FLOP/s": short(row["flops_per_second"]),
            "FLOP/byte": short(row["intensity"]),
            "bound by": row["bound"],
            "of peak": "-" if math.isnan(row["utilisation"]) else percent(row["utilisation"], 1),
        }
        for row in timing.by_layer().to_dict("records")
    )


def _memory(memory: Memory, allocated: Memory | None) -> pd.DataFrame:
    rows, sizes = [], memory.as_dict()
    for name, title in WORDS.items():
        size = sizes[name]
        row = {"": title, "MiB": _mib(size)}
        if allocated is not None:
            real = allocated.as_dict()[name]
            row["allocated"] = _mib(real)
            row["off by"] = "-" if not real or size is None else percent(size - real, real)
        rows.append(row)
    return pd.DataFrame(rows)


def _mib(size: int | None) -> str:
    return "-" if size is None else f"{size / 2**20:,.2f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"
