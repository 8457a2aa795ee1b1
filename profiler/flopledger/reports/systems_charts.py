"""Charts of published systems: compute per parameter against date, and how far each is off."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from flopledger.field.field_result import Scale, Systems
from flopledger.field.places import BOTTOM_UP, Place
from flopledger.field.published_systems import PublishedSystem
from flopledger.reports.units import short

# domains by colour and shape; what is less frequent is OTHER
COLOURS = ("#4c78a8", "#f58518", "#72b7b2", "#54a24b", "#b279a2", "#9d755d", "#b79a20", "#7f7f7f")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down",
          "triangle-right", "triangle-left")  # fmt: skip
OTHER = "other"
RUNS = "#d62728"  # this ledger's, which is in neither theme's background
# with the side of its ring on which the name ends: the two lie close to each other
NAMED = {"alexnet": ("AlexNet", "right"), "alphazero-go-preprint": ("AlphaZero, Go", "left")}
STEPS, ALL = "our runs, gradient steps", "our runs, all compute"


def per_param(systems: Systems, scale: Scale) -> Any:
    """Training FLOP per parameter by date of publication, with this ledger's runs as rings.

    A run that made data of its own is two rings on a line: gradient steps below, all compute above.
    """
    kinds = _kinds(systems.rows)
    points = pd.DataFrame(
        [
            {
                "system": one.name,
                "published": one.published_on.isoformat() if one.published_on else None,
                "value": one.flop_per_param,
                "domain": one.group if one.group in kinds else OTHER,
                "FLOP per parameter": f"{one.flop_per_param:.2e}",
                "FLOP": f"{one.flop:.2e}",
                "parameters": short(one.params),
                "table": f"{one.table}, {one.confidence or 'confidence not said'}",
            }
            for one in systems.rows
        ]
    )
    axis = alt.Axis(format=".0e", title="training FLOP per parameter")
    if scale == "log":
        axis = alt.Axis(format=".0e", title=axis.title, values=[10.0**n for n in range(0, 20, 2)])
    y = alt.Y("value:Q", axis=axis, scale=alt.Scale(type=scale, nice=scale == "linear"))
    x = alt.X("published:T", title=None, axis=alt.Axis(format="%Y", tickCount="year",
                                                       labelOverlap=True))  # fmt: skip
    legend = alt.Legend(orient="top", columns=3, title=None, symbolLimit=0)
    drawn = (
        alt.Chart(points)
        .mark_point(filled=True, size=38, opacity=0.75)
        .encode(
            x=x, y=y,
            color=alt.Color("domain:N", legend=legend,
                            scale=alt.Scale(domain=kinds, range=COLOURS[: len(kinds)])),
            shape=alt.Shape("domain:N", legend=legend,
                            scale=alt.Scale(domain=kinds, range=SHAPES[: len(kinds)])),
            tooltip=["system", "published:T", "domain", "FLOP per parameter", "FLOP", "parameters",
                     "table"],
        )
    )  # fmt: skip
    ours = _runs(systems.places)
    ends = ours.groupby("run", as_index=False).agg(
        published=("published", "first"), low=("value", "min"), high=("value", "max")
    )
    tooltip = ["run", "published:T", "counted", "FLOP per parameter"]
    lines = (
        alt.Chart(ends[ends["low"] < ends["high"]])
        .mark_bar(width=1, color=RUNS, opacity=0.6)
        .encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    )
    rings = (
        alt.Chart(ours)
        .mark_point(filled=False, size=70, strokeWidth=1.6, color=RUNS)
        .encode(x=x, y=y, tooltip=tooltip)
    )
    names = (
        alt.Chart(ours[ours["label"] != ""])
        .mark_text(align="left", dx=8, fontSize=10)
        .encode(x=x, y=y, text="label:N", tooltip=tooltip)
    )
    return _sized(alt.layer(drawn, lines, rings, names), 380)


def off_trend(systems: Systems) -> Any:
    """Every system's orders off the primary trend, a row a domain, with the runs' below.

    The band is one standard deviation to either side.
    """
    trend = systems.trend
    kinds = _kinds(trend.systems)
    rows = [
        {
            "row": one.group if one.group in kinds else OTHER,
            "system": one.name,
            "orders": off,
            "off": f"{off:+.2f} orders",
        }
        for one, off in zip(trend.systems, trend.residuals, strict=True)
    ]
    order = [*kinds, STEPS, ALL]
    y = alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=220))
    scale = alt.Scale(nice=True)
    axis = alt.Axis(format="+d", tickMinStep=1)
    x = alt.X("orders:Q", title="orders above the trend of date and size", scale=scale, axis=axis)
    band = (
        alt.Chart(pd.DataFrame([{"low": -trend.sd, "high": trend.sd}]))
        .mark_rect(color=COLOURS[0], opacity=0.14)
        .encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    )
    ticks = (
        alt.Chart(pd.DataFrame(rows))
        .mark_tick(thickness=1.2, size=16, opacity=0.6)
        .encode(
            x=x, y=y, tooltip=["system", "off"],
            color=alt.Color("row:N", legend=None,
                            scale=alt.Scale(domain=kinds, range=COLOURS[: len(kinds)])),
        )
    )  # fmt: skip
    ours = _runs_off(systems)
    rings = (
        alt.Chart(ours)
        .mark_point(filled=False, size=60, strokeWidth=1.6, color=RUNS)
        .encode(x=x, y=y, tooltip=["system", "off"])
    )
    names = [
        alt.Chart(ours[ours["side"] == side])
        .mark_text(align=side, dx=4 if side == "left" else -4, dy=-10, fontSize=10)
        .encode(x=x, y=y, text="label:N")
        for side in ("left", "right")
    ]
    return _sized(alt.layer(band, ticks, rings, *names), 34 * len(order))


def _runs_off(systems: Systems) -> pd.DataFrame:
    """The runs off the trend of figures that count as theirs: a row by either accounting."""
    rows = []
    for accounting, row in (("training", STEPS), ("all", ALL)):
        trend = next((t for t in systems.trends if t.accounting == accounting), systems.trend)
        for place in systems.places:
            if place.source == BOTTOM_UP and place.accounting in (None, accounting):
                off = next(off for off in place.off if off.trend == trend.name)
                label, side = NAMED.get(place.run, ("", ""))
                rows.append(
                    {
                        "row": row,
                        "system": place.run,
                        "orders": off.orders,
                        "off": f"{off.orders:+.2f} orders, {off.sds:+.1f} sd",
                        "label": label,
                        "side": side,
                    }
                )
    return pd.DataFrame(rows, columns=["row", "system", "orders", "off", "label", "side"])


def _kinds(systems: Sequence[PublishedSystem]) -> list[str]:
    """The most frequent domains, then OTHER where there are more."""
    counted = [name for name, _ in Counter(one.group for one in systems).most_common()]
    named = [name for name in counted if name != "unknown"][: len(COLOURS) - 1]
    return [*named, OTHER] if len(counted) > len(named) else named


def _runs(places: Sequence[Place]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "run": place.run,
            "published": place.published_on.isoformat(),
            "value": place.flop_per_param,
            "counted": {None: "all compute, which is gradient steps", "all": "all compute",
                        "training": "gradient steps alone"}[place.accounting],
            "FLOP per parameter": f"{place.flop_per_param:.2e}, {BOTTOM_UP}",
            "label": NAMED.get(place.run, ("", ""))[0] if place.accounting != "training" else "",
        }
        for place in places
        if place.source == BOTTOM_UP
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["run", "published", "value", "counted",
                                       "FLOP per parameter", "label"])  # fmt: skip


def _sized(chart: Any, height: int) -> Any:
    return chart.properties(width=640, height=height, background="transparent")
