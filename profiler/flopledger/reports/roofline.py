"""Rooflines: what devices do at most with a pass, as a table a device and for a notebook."""

from collections.abc import Sequence

import pandas as pd

from flopledger.clock.layer_times import Timing
from flopledger.reports.columns import bold, plain_table, wrapped
from flopledger.reports.notebook import as_html
from flopledger.reports.units import percent, short
from flopledger.rooflines.device_bounds import DeviceBounds
from flopledger.rooflines.roofline_result import Roofline

# what a narrow screen can do without, the least needed first
# --columns is held to it before any work is done
COLUMNS = ("layer", "kind", "FLOPs", "bytes", "FLOP/byte", "least ms", "time %", "bound by")
_FIRST_TO_GO = "kind", "FLOP/byte", "bytes", "FLOPs", "time %"
_ON = "device"


def render(rooflines: Sequence[Roofline], depth: int | None = None) -> str:
    """A table for each device, below what is to be said of the whole pass.

    Args:
        rooflines: one of each network.
        depth: layers deeper than this are folded into the one around them.
    """
    parts = []
    for roofline in rooflines:
        for bounds in roofline.devices:
            first, *others = lines_of(roofline, bounds)
            lines = "".join(f"{line}\n" for line in (bold(first), *map(wrapped, others)))
            parts.append(lines + plain_table(_layers(bounds, depth), _FIRST_TO_GO))
    return "\n".join(parts)


def html(roofline: Roofline) -> str:
    """The same for a notebook."""
    parts = []
    for bounds in roofline.devices:
        first, *others = lines_of(roofline, bounds)
        parts.append(as_html(first, _layers(bounds, None), others))
    return "".join(parts)


def frame(rooflines: Sequence[Roofline]) -> pd.DataFrame:
    """One row a network, device and layer, numbers as they are."""
    frames = []
    for roofline in rooflines:
        for bounds in roofline.devices:
            rows = bounds.by_layer()
            rows.insert(0, "model", roofline.model)
            rows.insert(1, _ON, bounds.device.name)
            rows.insert(2, "dtype", roofline.dtype)
            frames.append(rows)
    return pd.concat(frames, ignore_index=True)


def beside(roofline: Roofline, timing: Timing) -> str:
    """What was measured of the forward pass on the device at hand, under what others do at most."""
    lines = [
        f"measured here, {timing.device}: {_ms(timing.seconds)} ms a forward pass, "
        f"{timing.seconds / bounds.least_seconds:.3g} x the least on {bounds.device.name}"
        for bounds in roofline.devices
        if roofline.optimiser is None
    ]
    return "".join(f"{wrapped(line)}\n" for line in lines)


def lines_of(roofline: Roofline, bounds: DeviceBounds) -> list[str]:
    """What is said of the whole pass on that device, the finding first."""
    device, step = bounds.device, roofline.optimiser is not None
    share = "" if bounds.utilisation == 1 else f" at {percent(bounds.utilisation, 1)} of its peaks"
    what = "a step of training" if step else "a pass"
    lines = [
        f"{roofline.model} on {device.name}, {roofline.dtype}{share}: at most "
        f"{_rate(bounds)}, bound by {bounds.bound}",
        f"{what} takes at least {_ms(bounds.least_seconds)} ms: {short(bounds.flops)} FLOPs take "
        f"{_ms(bounds.arithmetic_seconds)} ms, and {short(bounds.bytes)}B, all that any way of "
        f"running it moves, {_ms(bounds.memory_seconds)} ms",
        f"{'layer by layer, each one kernel' if roofline.fused else 'operator by operator'}, it "
        f"takes at least {_ms(bounds.layers_seconds)} ms",
        _turn(bounds),
        _fit(bounds, step),
        f"{device.name}: {short(device.flops_per_second.value)}FLOP/s and "
        f"{short(device.bytes_per_second.value)}B/s at most, {device.ridge:.4g} FLOPs a byte; "
        + "; ".join(device.sources()),
    ]
    if bounds.utilisation != 1:
        lines.insert(1, "that share is an assumption of whoever asked; the bound itself is at 100%")
    return [*lines, *roofline.notes]


def _rate(bounds: DeviceBounds) -> str:
    if bounds.tokens_per_second is not None:
        return f"{short(bounds.tokens_per_second)} tokens a second"
    return f"{short(bounds.samples_per_second)} samples a second"


def _turn(bounds: DeviceBounds) -> str:
    turn = bounds.turns_at
    if turn is None:
        return "bound by memory at any batch: each sample adds more bytes than arithmetic hides"
    if turn <= 1:
        return "bound by arithmetic at any batch"
    return f"bound by memory below a batch of {turn:.4g} of such samples, by arithmetic from there"


def _fit(bounds: DeviceBounds, step: bool) -> str:
    held, memory = bounds.held_bytes, bounds.device.memory_bytes
    if held is None or memory is None:
        return "whether it fits into memory is not known"
    peak = "the step's peak" if step else "the pass's peak"
    return (
        f"{'it fits' if bounds.fits else 'it does NOT fit'}: {peak} is {short(held)}B, "
        f"and the memory {short(memory.value)}B"
    )


def _layers(bounds: DeviceBounds, depth: int | None) -> pd.DataFrame:
    table = bounds.by_layer()
    if depth is not None:
        table = _folded(table, depth)
    return pd.DataFrame(
        {
            "layer": row["layer"] or "(top)",
            "kind": row["kind"],
            "FLOPs": short(row["flops"]),
            "bytes": short(row["bytes"]),
            "FLOP/byte": short(row["intensity"]),
            "least ms": _ms(row["least_seconds"]),
            "time %": percent(row["share"], 1),
            "bound by": row["bound"],
        }
        for row in table.to_dict("records")
    )


def _folded(table: pd.DataFrame, depth: int) -> pd.DataFrame:
    """Deeper layers added to their ancestor of that many path parts; each ran on its own."""
    parts = table["layer"].map(lambda path: path.split(".") if path else [])
    table = table.assign(layer=parts.map(lambda names: ".".join(names[:depth])))
    longest = table.sort_values("least_seconds").groupby("layer", sort=False)["bound"].last()
    kinds = table[parts.map(len) <= depth].groupby("layer", sort=False)["kind"].first()
    summed = ["flops", "bytes", "arithmetic_seconds", "memory_seconds", "least_seconds", "share"]
    folded = table.groupby("layer", sort=False)[summed].sum()
    folded.insert(0, "kind", kinds.reindex(folded.index).fillna(""))
    folded["intensity"] = folded["flops"] / folded["bytes"].where(folded["bytes"] > 0)
    folded["bound"] = longest  # the longest layer's
    return folded.reset_index()


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.4g}"
