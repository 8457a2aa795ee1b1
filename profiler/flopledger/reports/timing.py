"""The seconds of a pass and of its layers: a table."""

import math

import pandas as pd

from flopledger.clock.layer_times import Timing
from flopledger.reports.columns import bold, plain_table, wrapped
from flopledger.reports.notebook import as_html
from flopledger.reports.units import percent, short

# --columns is held to it before any work is done
COLUMNS = ("layer", "kind", "calls", "ms", "low", "high", "time %", "FLOP/s", "FLOP/byte",
           "bound by", "of peak")  # fmt: skip
# what a narrow screen can do without, the least needed first
_FIRST_TO_GO = "FLOP/byte", "low", "high", "kind", "calls", "bound by", "of peak"


def render(model: str, timing: Timing) -> str:
    """The layers' table, below what is to be said of the whole pass."""
    first, *others = _headings(timing)
    lines = bold(f"{model}: {first}"), *map(wrapped, others)
    table = plain_table(_layers(timing), _FIRST_TO_GO)
    return "".join(f"{line}\n" for line in lines) + table


def html(timing: Timing) -> str:
    """The same for a notebook."""
    first, *others = _headings(timing)
    return as_html(first, _layers(timing), others)


def _headings(timing: Timing) -> list[str]:
    peaks, shares = timing.peaks, timing.shares()
    least = "" if timing.complete else "at least "
    doubt = []
    if timing.utilisation > 1:
        doubt = ["more than the peak: something else kept the device busy; measure again"]
    return [
        f"{_ms(timing.seconds)} ms a pass ({_ms(timing.low)} to {_ms(timing.high)}, "
        f"{timing.repeats} repeats), {least}{short(timing.flops_per_second)}FLOP/s, "
        f"{least}{percent(timing.utilisation, 1)} of the peak; hooks add "
        f"{_ms(timing.overhead_seconds)} ms",
        f"{timing.device}, {timing.threads} threads: at most {short(peaks.flops_per_second)}FLOP/s "
        f"and {short(peaks.bytes_per_second)}B/s, measured; "
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


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"
