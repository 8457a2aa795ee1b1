"""Waterfalls: what each factor adds, in orders of magnitude, on the way from one run to another."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

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
from flopledger.reports.marks import hover
from flopledger.reports.units import short

TOGETHER = "all together"  # the last bar of a waterfall
# told apart also by those who do not tell red from green; the sign is beside each bar
UP, DOWN, TOTAL = "#4c78a8", "#f58518", "#7f7f7f"
_ROOM = 0.2  # of the bars' span: for the last number, on a plot of 200 pixels too


def waterfall(comparison: Comparison) -> Any:
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


def in_words(comparison: Comparison) -> Comparison:
    """The same with the samples learned from as one factor, each factor in plain words."""
    samples = comparison.samples
    assert samples is not None
    counting = (SAMPLES, POSITIONS, OUTCOMES)
    shares = [share for share in comparison.factors if share.factor not in counting]
    shares.insert(2, samples)
    named = [replace(share, factor=IN_WORDS[share.factor]) for share in shares]
    return replace(comparison, factors=tuple(named))


def chain_waterfall(chain: Chain, letters: Sequence[str]) -> Any:
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


def _waterfall(rows: Sequence[dict[str, Any]], sides: Sequence[str]) -> Any:
    names = [row["factor"] for row in rows]
    ends = [row[key] for row in rows for key in ("start", "end", "low", "high")]
    # room for the label behind the longest bar
    width = max(ends) - min(ends)
    span = alt.Scale(domain=[min(ends) - 0.01 * width, max(ends) + _ROOM * width], nice=False)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("factor:N", sort=names, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=hover("factor", "label", *sides, "kind"),
    )
    bars = base.mark_bar(height=22).encode(
        x=alt.X("start:Q", title="orders of magnitude", scale=span, axis=alt.Axis(tickCount=6)),
        x2=alt.X2("end:Q"),
        color=alt.Color(
            "step:N",
            scale=alt.Scale(domain=["more", "fewer", TOGETHER], range=[UP, DOWN, TOTAL]),
            legend=None,
        ),
    )
    intervals = base.mark_rule(strokeWidth=2, color="#222").encode(
        x=alt.X("low:Q"), x2=alt.X2("high:Q")
    )
    labels = (
        base.transform_calculate(side="max(datum.start, datum.end, datum.high)")
        .mark_text(align="left", dx=6)
        .encode(x=alt.X("side:Q"), text=alt.Text("label:N"))
    )
    layers: Any = alt.layer(bars, intervals, labels).properties(
        width=640, height=34 * len(rows), background="transparent"
    )
    return layers
