"""The report's charts, as Altair: for the page, and as SVG and PNG for papers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from flopledger.field.ai_and_compute import System
from flopledger.ledger.chain import Chain
from flopledger.ledger.comparison import Comparison
from flopledger.ledger.methods import (
    BACKWARD,
    FLOPS_PER_PARAM,
    GENERATING,
    OUTCOMES,
    POSITIONS,
    SAMPLES,
)
from flopledger.profiles.tables import Profile
from flopledger.reports.units import short
from flopledger.zoo.registry import ModelSpec

TOGETHER = "all together"  # the last bar of a waterfall
UP, DOWN, TOTAL = "#4c78a8", "#f58518", "#7f7f7f"
KIND_COLOURS = {"conv": "#4c78a8", "linear": "#f58518", "recurrent": "#54a24b",
                "embedding": "#b279a2", "norm": "#9d755d", "other": "#bab0ac"}  # fmt: skip
FAMILY_COLOURS = {"supervised": "#4c78a8", "games": "#54a24b", "alphago": "#e45756"}
FAMILIES = {"supervised": "supervised", "games": "other games", "alphago": "AlphaGo family"}


def waterfall(comparison: Comparison) -> alt.LayerChart:
    """Each factor's orders of magnitude on the way from a to b, with 90% intervals."""
    rows = _falling(comparison, 0.0)
    rows.append(
        {
            "factor": TOGETHER,
            "start": 0.0,
            "end": comparison.orders,
            "low": comparison.interval[0],
            "high": comparison.interval[1],
            "label": f"{comparison.orders:+.2f}",
            "step": TOGETHER,
            comparison.a: short(comparison.a_total),
            comparison.b: short(comparison.b_total),
            "kind": "",
        }
    )
    return _waterfall(rows, [comparison.a, comparison.b])


# the factors in the words of the discussion: what each of them is about
IN_WORDS = {
    FLOPS_PER_PARAM: "each weight is used at every point of the board",
    BACKWARD: "the backward pass",
    "samples learned from": "more samples are learned from",
    GENERATING: "the tree search makes the data",
}


def waterfall_in_words(comparison: Comparison) -> alt.LayerChart:
    """The same with the samples learned from as one bar, each bar in plain words."""
    samples = comparison.samples
    assert samples is not None
    counting = (SAMPLES, POSITIONS, OUTCOMES)
    shares = [share for share in comparison.factors if share.factor not in counting]
    shares.insert(2, samples)
    named = [replace(share, factor=IN_WORDS[share.factor]) for share in shares]
    return waterfall(replace(comparison, factors=tuple(named)))


def chain_waterfall(chain: Chain, letters: Sequence[str]) -> alt.LayerChart:
    """The orders of magnitude from the first run to the last, step by step and by factor.

    Args:
        chain: its factors that change nothing at a step are left out there.
        letters: what stands for each run.
    """
    rows: list[dict[str, Any]] = []
    at = 0.0
    for start, end, step in zip(letters, letters[1:], chain.steps, strict=False):
        for row in _falling(step, at):
            if abs(row["end"] - row["start"]) >= 0.005:
                named = {"factor": f"{start} to {end}: {row['factor']}"}
                rows.append({**row, **named, "from": row[step.a], "to": row[step.b]})
        at += step.orders
    whole = {"factor": TOGETHER, "start": 0.0, "end": at, "low": at, "high": at, "kind": ""}
    first = f"{chain.runs[0]}: {short(chain.totals[0])}"
    last = f"{chain.runs[-1]}: {short(chain.totals[-1])}"
    ends = {"label": f"{at:+.2f}", "step": TOGETHER, "from": first, "to": last}
    return _waterfall([*rows, {**whole, **ends}], ["from", "to"])


def _falling(comparison: Comparison, at: float) -> list[dict[str, Any]]:
    """A bar a factor, each from where the one before it ends."""
    rows: list[dict[str, Any]] = []
    for share in comparison.factors:
        rows.append(
            {
                "factor": share.factor,
                "start": at,
                "end": at + share.orders,
                "low": at + share.low,
                "high": at + share.high,
                "label": f"{share.orders:+.2f}",
                "step": "more" if share.orders >= 0 else "fewer",
                comparison.a: f"{short(share.a)} ({share.source_a})",
                comparison.b: f"{short(share.b)} ({share.source_b})",
                "kind": share.kind,
            }
        )
        at += share.orders
    return rows


def _waterfall(rows: Sequence[dict[str, Any]], sides: Sequence[str]) -> alt.LayerChart:
    names = [row["factor"] for row in rows]
    ends = [row[key] for row in rows for key in ("start", "end", "low", "high")]
    # room for the label behind the longest bar
    span = alt.Scale(domain=[min(ends), max(ends) + 0.14 * (max(ends) - min(ends))], nice=False)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("factor:N", sort=names, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=["factor", "label", *sides, "kind"],
    )
    bars = base.mark_bar(height=22).encode(
        x=alt.X("start:Q", title="orders of magnitude", scale=span, axis=alt.Axis(tickCount=6)),
        x2="end:Q",
        color=alt.Color(
            "step:N",
            scale=alt.Scale(domain=["more", "fewer", TOGETHER], range=[UP, DOWN, TOTAL]),
            legend=None,
        ),
    )
    intervals = base.mark_rule(strokeWidth=2, color="#222").encode(x="low:Q", x2="high:Q")
    labels = (
        base.transform_calculate(side="max(datum.start, datum.end, datum.high)")
        .mark_text(align="left", dx=6)
        .encode(x="side:Q", text="label:N")
    )
    layers: alt.LayerChart = _sized(alt.layer(bars, intervals, labels), 34 * len(rows))
    return layers


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
            tooltip=["bar", "layer", "kind", share, "parameters:N", "FLOPs:N"],
        )
    )
    sized: alt.Chart = _sized(chart, 32 * len(bars))
    return sized


def flops_per_param(counted: Sequence[tuple[ModelSpec, Profile]]) -> alt.LayerChart:
    """Every network's forward FLOPs per parameter, on a log scale."""
    rows = [
        {
            "model": profile.model,
            "FLOPs per parameter": profile.total("flops_per_param"),
            "label": short(profile.total("flops_per_param")),
            "source": f"measured: {profile.counter}, {profile.check.counter} agrees"
            if profile.check.agrees
            else f"measured: {profile.counter}",
            "paper": spec.paper,
        }
        for spec, profile in counted
        if profile.total("flops_per_param")
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("FLOPs per parameter:Q", scale=alt.Scale(type="log", domainMin=1)),
        y=alt.Y("model:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=["model", "label", "source", "paper"],
    )
    bars = base.mark_bar(color=UP).encode(x2=alt.datum(1))
    labels = base.mark_text(align="left", dx=4).encode(text="label:N")
    layers: alt.LayerChart = _sized(alt.layer(bars, labels), 20 * len(rows))
    return layers


def compute_over_time(
    systems: Sequence[System], ledgers: Mapping[str, tuple[str, float]], scale: str
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
                "total": f"{flops:.2e} FLOP",
                "source": "this ledger, from the bottom up",
            }
            for name, (day, flops) in ledgers.items()
        ]
    )
    axis = alt.Axis(format=".1e", title="training compute, FLOP")
    if scale == "log":
        axis = alt.Axis(format=".0e", title=axis.title, values=[10.0**n for n in range(15, 25)])
    y = alt.Y("FLOP:Q", scale=alt.Scale(type=scale), axis=axis)  # type: ignore[arg-type]
    x = alt.X("published:T", title=None, axis=alt.Axis(format="%Y", tickCount="year"))
    tooltip = ["system", "published:T", "total", "source"]
    points = (
        alt.Chart(published)
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=x,
            y=y,
            tooltip=tooltip,
            color=alt.Color(
                "family:N",
                title=None,
                legend=alt.Legend(orient="top"),
                scale=alt.Scale(
                    domain=list(FAMILIES.values()), range=list(FAMILY_COLOURS.values())
                ),
            ),
        )
    )
    rings = (
        alt.Chart(ours)
        .mark_point(filled=False, size=110, color=TOTAL)
        .encode(x=x, y=y, tooltip=tooltip)
    )
    alphago = published["family"] == FAMILIES["alphago"]
    alexnet = published["system"] == "AlexNet"
    named = pd.concat([published[alphago | alexnet], published[~alphago].nlargest(1, "FLOP")])
    if scale == "linear":  # the others lie on the axis, on each other
        named = named.nlargest(4, "FLOP")
    names = (
        alt.Chart(named)
        .mark_text(align="right", dx=-8, fontSize=10)
        .encode(x=x, y=y, text="system:N", tooltip=tooltip)
    )
    layers: alt.LayerChart = _sized(alt.layer(points, rings, names), 340)
    return layers


def sweep(points: pd.DataFrame, curves: pd.DataFrame) -> alt.VConcatChart:
    """A panel a quantity against the swept size: what was counted as points, laws as lines.

    Both axes are logarithmic where the sizes span more than a factor of 8.

    Args:
        points: network, quantity, axis (the letter), size, figure, label.
        curves: network, quantity, size, figure.
    """
    log = points["size"].max() > 8 * points["size"].min()
    scale = alt.Scale(type="log" if log else "linear", zero=False, nice=False, padding=12)
    networks = list(points["network"].unique())
    panels = []
    for quantity in points["quantity"].unique():
        x = alt.X("size:Q", title=points["axis"].iloc[0], scale=scale, axis=_sizes(points))
        y = alt.Y(
            "figure:Q",
            title=quantity,
            scale=alt.Scale(type="log") if log else alt.Scale(zero=True),
            axis=alt.Axis(format="~s", tickCount=5),
        )
        colour = alt.Color(
            "network:N",
            title=None,
            sort=networks,
            legend=alt.Legend(orient="top", columns=3, labelLimit=220),
        )
        tooltip: list[Any] = ["network", "size", alt.Tooltip("label", title=quantity)]
        base = alt.Chart(points[points["quantity"] == quantity]).encode(
            x=x, y=y, color=colour, tooltip=tooltip
        )
        lines = (
            alt.Chart(curves[curves["quantity"] == quantity])
            .mark_line(strokeWidth=1.5, opacity=0.6)
            .encode(x=x, y=y, color=colour)
        )
        layers = alt.layer(lines, base.mark_point(filled=True, size=45, opacity=0.9))
        panels.append(layers.properties(width=640, height=200))
    return alt.vconcat(*panels)


def _sizes(points: pd.DataFrame) -> alt.Axis:
    """Ticks at the sizes themselves, where there is room for them."""
    sizes = sorted(map(int, points["size"].unique()))
    return (
        alt.Axis(values=sizes, labelOverlap="greedy")
        if len(sizes) <= 12
        else alt.Axis(tickCount=10)
    )


def _sized(chart: Any, height: int) -> Any:
    return chart.properties(width=640, height=height, background="transparent")
