"""The roofline as a picture: each layer's FLOPs a byte, under what the device can do."""

from collections.abc import Sequence
from math import log10
from textwrap import wrap
from typing import Any, Literal

import altair as alt
import pandas as pd
import vl_convert

from flopledger.errors import WrongOption
from flopledger.reports.cells import drawable
from flopledger.reports.edition import edition
from flopledger.reports.marks import hover
from flopledger.reports.units import percent, short
from flopledger.rooflines.device_bounds import DeviceBounds, LayerBound
from flopledger.rooflines.roofline_result import Roofline

COLOURS = {"memory": "#4c78a8", "arithmetic": "#f58518"}
WIDTH, HEIGHT = 640, 300  # pixels
_LABELS = 8  # at most in a panel
_LETTER = 5.5  # pixels: the width of a label's letter
_LETTERS = 110  # of a line below the title


def render(rooflines: Sequence[Roofline], form: Literal["svg", "png", "html"]) -> str | bytes:
    """A panel for each network and device.

    Args:
        rooflines: one of each network.
        form: "svg", "png" (bytes) or "html" (a page that needs nothing else).

    Raises:
        WrongOption: no layer has MACs, so that none lies under a roof.
    """
    panels = [
        _panel(roofline, bounds)
        for roofline in rooflines
        for bounds in roofline.devices
        if any(layer.flops for layer in bounds.layers)
    ]
    if not panels:
        raise WrongOption(f"{rooflines[0].model} does no MACs: no layer lies under a roofline")
    spec = drawable(alt.vconcat(*panels).to_dict()) | {"background": "white"}
    if form == "html":
        page: str = vl_convert.vegalite_to_html(spec, bundle=True)
        return page
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg if form == "svg" else bytes(vl_convert.svg_to_png(svg, scale=2))


def finding(roofline: Roofline, bounds: DeviceBounds) -> str:
    """What the panel shows, in a line."""
    layers = [layer for layer in bounds.layers if layer.seconds]
    seconds = sum(layer.seconds for layer in layers if layer.bound == "memory")
    share = percent(seconds, sum(layer.seconds for layer in layers))
    return (
        f"{roofline.model} on {bounds.device.name}, {roofline.dtype}: memory sets the limit for "
        f"{share} of the layers' least time"
    )


def _panel(roofline: Roofline, bounds: DeviceBounds) -> Any:
    points = _points(bounds)
    peak = bounds.device.flops_per_second.value * bounds.utilisation
    ridge = bounds.device.ridge
    left, right = _ends([*points["intensity"], ridge])
    lowest = min(points["rate"].min(), peak * left / ridge)
    x = alt.X(
        "intensity:Q",
        title="FLOPs a byte",
        scale=alt.Scale(type="log", domain=[left, right], nice=False),
        axis=alt.Axis(format="~s", tickCount=6),
    )
    y = alt.Y(
        "rate:Q",
        title="FLOP/s at most",
        scale=alt.Scale(type="log", domain=[lowest / 2, peak * 2.5], nice=False),
        axis=alt.Axis(format="~s", tickCount=6),
    )
    roof = pd.DataFrame(
        {"intensity": [left, ridge, right], "rate": [peak * left / ridge, peak, peak]}
    )
    colour = alt.Color(
        "bound:N",
        title="bound by",
        scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=alt.Legend(orient="top"),
    )
    base = alt.Chart(points).encode(x=x, y=y)
    labels = (
        alt.Chart(points[points["label"] != ""])
        .mark_text(align="left", dx=7, dy=10, fontSize=10)
        .encode(x=x, y=y, text=alt.Text("label:N"))
    )
    drawn = base.mark_point(filled=True, size=60, opacity=0.8).encode(
        color=colour, tooltip=hover("layers", "kind", "least time", "share")
    )
    line = alt.Chart(roof).mark_line(color="#555", strokeWidth=1.5).encode(x=x, y=y)
    title = alt.TitleParams(
        finding(roofline, bounds),
        subtitle=_below(roofline, bounds),
        anchor="start",
        fontSize=12,
        subtitleFontSize=10,
    )
    panel: Any = alt.layer(line, drawn, labels)
    return panel.properties(width=WIDTH, height=HEIGHT, title=title)


def _points(bounds: DeviceBounds) -> pd.DataFrame:
    """A point for all layers of one intensity, the longest first; those far apart have labels."""
    places: dict[float, list[LayerBound]] = {}  # by orders of magnitude
    for layer in bounds.layers:
        if layer.flops and layer.bytes:
            # what lies within a hundredth of an order would be one point on the screen
            places.setdefault(round(log10(layer.flops / layer.bytes), 2), []).append(layer)
    whole = bounds.layers_seconds
    rows: list[dict[str, Any]] = [
        {
            "intensity": group[0].flops / group[0].bytes,
            "rate": group[0].flops / group[0].seconds,
            "bound": group[0].bound,
            "layers": ", ".join(layer.path or "(top)" for layer in group[:12]),
            "kind": group[0].kind,
            "seconds": sum(layer.seconds for layer in group),
            "name": _name(group),
        }
        for group in places.values()
    ]
    rows.sort(key=lambda row: -row["seconds"])
    left, right = _ends([*(row["intensity"] for row in rows), bounds.device.ridge])
    pixel = log10(right / left) / WIDTH  # orders of magnitude
    taken: list[tuple[float, float]] = []
    for row in rows:
        begin = log10(row["intensity"])
        end = begin + (len(row["name"]) + 2) * _LETTER * pixel
        free = len(taken) < _LABELS and all(end < other[0] or other[1] < begin for other in taken)
        taken += [(begin, end)] * free
        row["label"] = row["name"] if free else ""
        row["least time"] = f"{row['seconds'] * 1e3:.4g} ms"
        row["share"] = percent(row["seconds"], whole)
    return pd.DataFrame(rows)


def _ends(intensities: Sequence[float]) -> tuple[float, float]:
    """The axis of FLOPs a byte: with room at the right for the label of the last point."""
    left, last = min(intensities) / 10**0.4, max(intensities)
    return left, last * (last / left) ** 0.35


def _name(group: Sequence[LayerBound]) -> str:
    first = group[0].path or "(top)"
    short_name = first if len(first) <= 30 else f"…{first[-29:]}"
    return f"{short_name} and {len(group) - 1} more" if len(group) > 1 else short_name


def _below(roofline: Roofline, bounds: DeviceBounds) -> list[str]:
    """What the picture leaves out, where the device's figures are from, and when it was drawn."""
    device = bounds.device
    way = "each layer one kernel" if roofline.fused else "operator by operator"
    left_out = sum(not layer.flops for layer in bounds.layers)
    share = "" if bounds.utilisation == 1 else f" taken at {percent(bounds.utilisation, 1)}"
    lines = [
        f"{short(device.flops_per_second.value)}FLOP/s and "
        f"{short(device.bytes_per_second.value)}B/s at most{share}; {way}; {left_out} layers "
        "without MACs are not shown",
        *device.sources(),
        edition().line,
    ]
    return [part for line in lines for part in wrap(line, _LETTERS)]
