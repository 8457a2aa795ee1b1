"""Charts of published systems: compute per parameter against date, and how far each is off."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from flopledger.field.field_result import Scale, Systems
from flopledger.field.places import BOTTOM_UP, Place
from flopledger.field.published_systems import PublishedSystem
from flopledger.reports.marks import COLOURS, SHAPES, hover, ring_legend
from flopledger.reports.pictures import Caption
from flopledger.reports.units import short

# domains by colour and shape; what is less frequent is OTHER
OTHER = "other"
RUNS = "#d62728"  # this ledger's, which is in neither theme's background
# with the side of its ring on which the name ends: the two lie close to each other
NAMED = {"alexnet": ("AlexNet", "right"), "alphazero-go-preprint": ("AlphaZero, Go", "left")}
STEPS, ALL = "our runs, gradient steps", "our runs, all compute"
RING = "our runs"  # in a legend, which phones have little room for


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
    ours = _runs(systems.places)
    axis = alt.Axis(format=".1e", title="training FLOP per parameter")
    highest = max([*points["value"], *ours["value"]], default=1.0)
    span = alt.Scale(type="linear", domain=[0, 1.06 * highest], nice=False)
    if scale == "log":
        axis = alt.Axis(format=".0e", title=axis.title, values=[10.0**n for n in range(0, 20, 2)])
        span = alt.Scale(type="log", nice=False, padding=12)
    y = alt.Y("value:Q", axis=axis, scale=span)
    x = alt.X("published:T", title=None, scale=alt.Scale(padding=12),
              axis=alt.Axis(format="%Y", tickCount="year", labelOverlap=True))  # fmt: skip
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
            tooltip=hover("system", "published:T", "domain", "FLOP per parameter", "FLOP",
                          "parameters", "table"),
        )
    )  # fmt: skip
    ends = ours.groupby("run", as_index=False).agg(
        published=("published", "first"), low=("value", "min"), high=("value", "max")
    )
    tooltip = hover("run", "published:T", "counted", "FLOP per parameter")
    lines = (
        alt.Chart(ends[ends["low"] < ends["high"]])
        .mark_bar(width=1, color=RUNS, opacity=0.6)
        .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    )
    rings = (
        alt.Chart(ours)
        .mark_point(filled=False, size=70, strokeWidth=1.6)
        .encode(x=x, y=y, tooltip=tooltip, stroke=ring_legend("ring", RING, RUNS))
    )
    names = (
        alt.Chart(ours[ours["label"] != ""])
        .mark_text(align="left", dx=8, fontSize=10)
        .encode(x=x, y=y, text=alt.Text("label:N"), tooltip=tooltip)
    )
    return _sized(alt.layer(drawn, lines, rings, names), 380)


def per_param_caption(systems: Systems, scale: Scale) -> Caption:
    """How fast it rises, and how far two systems of one date and size differ anyway."""
    trend = systems.trend
    rise = trend.orders_a_year
    of = f"{systems.domain} systems" if systems.domain else "notable systems"
    return Caption(
        title=f"Training FLOP per parameter {'rose' if rise >= 0 else 'fell'} by {abs(rise):.2f} "
        f"orders of magnitude a year; two systems of one date and size differ by "
        f"{trend.pair_sd:.1f}",
        subtitle=(
            f"Training FLOP per parameter of {len(systems.rows)} {of} since {systems.since}, "
            f"{scale} scale. A run that made its data is two rings on a line: gradient steps "
            "below, all compute above."
            + (f" The trend is of all domains' {len(trend.systems)}." if systems.domain else ""),
        ),
        sources=whose(systems),
    )


def whose(systems: Systems) -> str:
    """The tables' authors and licences, without the tables' names, their links and days."""
    lines = [line.partition(": ")[2].partition(", <")[0] for line in systems.sources]
    return "; ".join(dict.fromkeys([*lines, "this ledger's facts"]))


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
        .encode(x=alt.X("low:Q", scale=scale), x2=alt.X2("high:Q"))
    )
    ticks = (
        alt.Chart(pd.DataFrame(rows))
        .mark_tick(thickness=1.2, size=16, opacity=0.6)
        .encode(
            x=x, y=y, tooltip=hover("system", "off"),
            color=alt.Color("row:N", legend=None,
                            scale=alt.Scale(domain=kinds, range=COLOURS[: len(kinds)])),
        )
    )  # fmt: skip
    ours = _runs_off(systems)
    rings = (
        alt.Chart(ours)
        .mark_point(filled=False, size=60, strokeWidth=1.6)
        .encode(x=x, y=y, tooltip=hover("system", "off"), stroke=ring_legend("ring", RING, RUNS))
    )
    names = [
        alt.Chart(ours[ours["side"] == side])
        .mark_text(align=side, dx=4 if side == "left" else -4, dy=-10, fontSize=10)
        .encode(x=x, y=y, text=alt.Text("label:N"))
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
                        "ring": RING,
                    }
                )
    return pd.DataFrame(rows, columns=["row", "system", "orders", "off", "label", "side", "ring"])


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
            "ring": RING,
        }
        for place in places
        if place.source == BOTTOM_UP
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["run", "published", "value", "counted",
                                       "FLOP per parameter", "label", "ring"])  # fmt: skip


def _sized(chart: Any, height: int) -> Any:
    return chart.properties(width=640, height=height, background="transparent")
