"""The report's charts, as Altair: for the page, and as SVG and PNG for papers."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from flopledger.field.ai_and_compute import System
from flopledger.field.field_result import Scale
from flopledger.field.places import BOTTOM_UP
from flopledger.ledger.build import sequence_lengths
from flopledger.profiles.tables import Profile
from flopledger.reports.marks import KIND_COLOURS, hover, ring_legend
from flopledger.reports.systems_charts import RING
from flopledger.reports.units import short
from flopledger.zoo.registry import ModelSpec

FAMILIES = {"supervised": "supervised", "games": "other games", "alphago": "AlphaGo family"}
FAMILY_COLOURS, FAMILY_SHAPES = (
    ("#4c78a8", "#f58518", "#9467bd"),
    ("circle", "square", "triangle-up"),
)
RINGS = "#7f7f7f"
POINTS = "#4c78a8"


def shares(profiles: Sequence[Profile]) -> alt.Chart:
    """Two bars a network, a segment a layer: its share of the parameters, and of the FLOPs."""
    rows = []
    for profile in profiles:
        frame = profile.by_layer()
        for what, column in (("parameters", "params"), ("FLOPs", "flops")):
            whole = frame[column].sum()
            for index, row in enumerate(frame.to_dict("records")):
                if row[column]:
                    kind = row["kind"] if row["kind"] in KIND_COLOURS else "other"
                    rows.append(
                        {
                            "bar": f"{profile.model}, {what}",
                            "index": index,
                            "layer": row["layer"],
                            "kind": kind,
                            "share": row[column] / whole,
                            what: short(row[column]),
                        }
                    )
    used = [kind for kind in KIND_COLOURS if any(row["kind"] == kind for row in rows)]
    bars = list(dict.fromkeys(row["bar"] for row in rows))
    x = alt.X(
        "share:Q",
        stack="zero",
        axis=alt.Axis(format="%"),
        title="share, layer by layer",
        scale=alt.Scale(domain=[0, 1]),
    )
    colour = alt.Color(
        "kind:N",
        title=None,
        legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=used, range=[KIND_COLOURS[kind] for kind in used]),
    )
    share = alt.Tooltip("share:Q", format=".1%")
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(stroke="white", strokeWidth=0.4, height=20)
        .encode(
            x=x,
            y=alt.Y("bar:N", sort=bars, title=None, axis=alt.Axis(labelLimit=220)),
            color=colour,
            order=alt.Order("index:Q"),
            tooltip=hover("bar", "layer", "kind", share, "parameters:N", "FLOPs:N"),
        )
    )
    sized: alt.Chart = _sized(chart, 32 * len(bars))
    return sized


def per_sample(profile: Profile) -> tuple[str, float]:
    """A network's name and forward FLOPs per parameter and sample, which of sequences is a token.

    So is it in a ledger; a profile's sample is a whole sequence.
    """
    tokens = next(iter(sequence_lengths(profile)), 1)
    each = ", a token" if tokens > 1 else ""
    value = profile.total("flops_per_param")
    assert value is not None
    return f"{profile.model}{each}", value / tokens


def flops_per_param(counted: Sequence[tuple[ModelSpec, Profile]]) -> alt.LayerChart:
    """Every network's forward FLOPs per parameter: points, for a log scale has no zero."""
    rows: list[dict[str, Any]] = []
    for spec, profile in counted:
        if profile.total("flops_per_param"):
            name, value = per_sample(profile)
            agrees = f", {profile.check.counter} agrees" if profile.check.agrees else ""
            rows.append(
                {
                    "model": name,
                    "FLOPs per parameter": value,
                    "label": short(value),
                    "source": f"measured: {profile.counter}{agrees}",
                    "paper": spec.paper,
                }
            )
    values = [row["FLOPs per parameter"] for row in rows]
    # with room for the number beside the last point
    ends = [min(values) / 1.3, max(values) * 2] if values else [1, 10]
    scale = alt.Scale(type="log", nice=False, domain=ends)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("FLOPs per parameter:Q", scale=scale, axis=alt.Axis(tickCount=6, format="~s")),
        y=alt.Y("model:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220, grid=True)),
        tooltip=hover("model", "label", "source", "paper"),
    )
    points = base.mark_point(filled=True, size=55, opacity=1, color=POINTS)
    labels = base.mark_text(align="left", dx=7).encode(text=alt.Text("label:N"))
    layers: alt.LayerChart = _sized(alt.layer(points, labels), 20 * len(rows))
    return layers


def compute_over_time(
    systems: Sequence[System], ledgers: Mapping[str, tuple[str, float]], scale: Scale
) -> alt.LayerChart:
    """Training compute by date of publication, as published and, as rings, from the bottom up.

    Args:
        systems: published totals.
        ledgers: a run's date (ISO) and total FLOP, by name.
        scale: "log" or "linear".
    """
    published = pd.DataFrame(
        [
            {
                "system": s.name,
                "published": s.published_on.isoformat(),
                "FLOP": s.flops,
                "family": FAMILIES[s.family],
                "total": f"{s.flops:.2e} FLOP",
                "source": s.source,
            }
            for s in systems
        ]
    )
    ours = pd.DataFrame(
        [
            {
                "system": name,
                "published": day,
                "FLOP": flops,
                "family": RING,
                "total": f"{flops:.2e} FLOP",
                "source": BOTTOM_UP,
            }
            for name, (day, flops) in ledgers.items()
        ]
    )
    axis = alt.Axis(format=".1e", title="training compute, FLOP")
    highest = max(published["FLOP"].max(), ours["FLOP"].max())
    span = alt.Scale(type="linear", domain=[0, 1.06 * highest], nice=False)
    if scale == "log":
        axis = alt.Axis(format=".0e", title=axis.title, values=[10.0**n for n in range(15, 28)])
        span = alt.Scale(type="log", nice=False, padding=14)
    y = alt.Y("FLOP:Q", scale=span, axis=axis)
    x = alt.X(
        "published:T",
        title=None,
        axis=alt.Axis(format="%Y", tickCount="year", labelOverlap=True),
        scale=alt.Scale(padding=14),
    )
    tooltip = hover("system", "published:T", "total", "source")
    domain, legend = list(FAMILIES.values()), alt.Legend(orient="top", title=None)
    points = (
        alt.Chart(published)
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=x,
            y=y,
            tooltip=tooltip,
            color=alt.Color(
                "family:N",
                legend=legend,
                scale=alt.Scale(domain=domain, range=list(FAMILY_COLOURS)),
            ),
            shape=alt.Shape(
                "family:N", legend=legend, scale=alt.Scale(domain=domain, range=list(FAMILY_SHAPES))
            ),
        )
    )
    rings = (
        alt.Chart(ours)
        .mark_point(filled=False, size=110)
        .encode(x=x, y=y, tooltip=tooltip, stroke=ring_legend("family", RING, RINGS))
    )
    layers: alt.LayerChart = _sized(
        alt.layer(points, rings, *_names(published, ours, scale, x, y)), 340
    )
    return layers


def _names(
    published: pd.DataFrame, ours: pd.DataFrame, scale: Scale, x: alt.X, y: alt.Y
) -> list[alt.Chart]:
    """The names of those that the discussion is about, and of the largest; each beside its mark."""
    if scale == "linear":  # the others lie on the axis, on each other
        every = pd.concat([published, ours])
        named = every[every["FLOP"] > 0.04 * every["FLOP"].max()]
    else:
        family = published[published["family"] == FAMILIES["alphago"]]
        alexnet = published[published["system"] == "AlexNet"]
        named = pd.concat([family, alexnet, ours.nlargest(1, "FLOP")])
    day = pd.to_datetime(named["published"])
    early = day < day.min() + 0.2 * (day.max() - day.min())
    # what is early has the frame near on its left, and the highest the next one's name: their own
    # stand above their marks
    above = named["FLOP"] == published["FLOP"].max()
    placed: tuple[tuple[Any, Any, int, int], ...] = (
        (early, "left", -6, -13),
        (above, "right", 3, -11),
        (~early & ~above, "right", -9, 0),
    )
    return [
        alt.Chart(named[chosen])
        .mark_text(align=align, dx=dx, dy=dy, fontSize=10)
        .encode(x=x, y=y, text=alt.Text("system:N"))
        for chosen, align, dx, dy in placed
        if chosen.any()
    ]


def _sized(chart: Any, height: int) -> Any:
    return chart.properties(width=640, height=height, background="transparent")
