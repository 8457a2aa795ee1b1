"""A sweep as a picture: what was counted, the laws that it follows, and what failed."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import altair as alt
import pandas as pd

from flopledger.reports.marks import COLOURS, SHAPES, hover
from flopledger.reports.pictures import SUBTITLE_LINE, Caption
from flopledger.reports.sweep import row_in_words
from flopledger.reports.sweep_laws import laws_of, sentences
from flopledger.reports.units import short
from flopledger.sweeping.findings import QUANTITIES, Finding, figure, swept_letters
from flopledger.sweeping.rows import Row
from flopledger.sweeping.sweep_result import Sweep

_SHOWN = 6  # failures whose reason stands in the picture
_HEIGHT = 200  # pixels of a panel
_CROSS = "M-0.7,-0.7L0.7,0.7M0.7,-0.7L-0.7,0.7"


def chart(swept: Sweep, points: pd.DataFrame) -> alt.VConcatChart:
    """A panel a quantity against the swept size, under its laws: points, lines, and crosses.

    Both axes are logarithmic where the sizes span more than a factor of 8.

    Args:
        swept: whose laws and failures are drawn.
        points: as `points_of` makes them; at least one.
    """
    log = points["size"].max() > 8 * points["size"].min()
    scale = alt.Scale(type="log" if log else "linear", zero=False, nice=False, padding=16)
    letter, laws, failures = (
        swept_letters(swept.rows, swept.spans)[0],
        laws_of(swept),
        _failures(swept),
    )
    curves, every = _curves(laws, points), [row.sizes[letter] for row in swept.rows]
    names = list(dict.fromkeys([*points["network"], *failures.get("network", [])]))
    x = alt.X("size:Q", title=letter, scale=scale, axis=_sizes(every))
    legend = alt.Legend(orient="top", columns=3, labelLimit=220)
    encoded: dict[str, Any] = {
        "color": alt.Color(
            "network:N",
            title=None,
            scale=alt.Scale(domain=names, range=_of(COLOURS, names)),
            legend=legend,
        ),
        "shape": alt.Shape(
            "network:N",
            title=None,
            scale=alt.Scale(domain=names, range=_of(SHAPES, names)),
            legend=legend,
        ),
    }
    panels = []
    for quantity in points["quantity"].unique():
        y = alt.Y(
            "figure:Q",
            title=quantity,
            scale=alt.Scale(type="log", padding=10) if log else alt.Scale(zero=True),
            axis=alt.Axis(format="~s", tickCount=5),
        )
        tooltip = hover("network", "size", alt.Tooltip("label", title=quantity))
        lines = (
            alt.Chart(curves[curves["quantity"] == quantity])
            .mark_line(strokeWidth=1.5, opacity=0.6)
            .encode(x=x, y=y, color=encoded["color"])
        )
        counted = (
            alt.Chart(points[points["quantity"] == quantity])
            .mark_point(filled=True, size=50, opacity=0.9)
            .encode(x=x, y=y, tooltip=tooltip, **encoded)
        )
        layers = [lines, counted]
        if len(failures):
            crosses = alt.Chart(failures).mark_point(shape=_CROSS, size=90, strokeWidth=2)
            layers.append(
                crosses.encode(
                    x=x,
                    y=alt.value(_HEIGHT - 9),
                    color=encoded["color"],
                    tooltip=hover("network", "size", "failed"),
                )
            )
        told = sentences([finding for finding in laws if finding.quantity == quantity])
        heading = alt.TitleParams(
            [part for line in told for part in wrap(line, SUBTITLE_LINE)],
            anchor="start",
            fontSize=11.5,
            fontWeight="normal",
        )
        panel = alt.layer(*layers).properties(width=640, height=_HEIGHT)
        panels.append(panel.properties(title=heading) if told else panel)
    return alt.vconcat(*panels)


def caption(swept: Sweep, points: pd.DataFrame) -> Caption:
    """The law of the first network's FLOPs, or how they grow; and what failed, with the reason."""
    laws = [finding for finding in laws_of(swept) if finding.law is not None and finding.law.stands]
    letter = swept_letters(swept.rows, swept.spans)[0]
    first = points[points["quantity"] == points["quantity"].iloc[0]]
    first = first[first["network"] == first["network"].iloc[0]]
    low, high = first.loc[first["size"].idxmin()], first.loc[first["size"].idxmax()]
    title = (
        f"{low['network']}: {low['quantity']} are {low['label']} at {letter}={low['size']} and "
        f"{high['label']} at {letter}={high['size']}"
    )
    if laws:
        (title,) = sentences(laws[:1])
    failures = [f"{row_in_words(row)}: {row.error}" for row in swept.failures]
    more = len(failures) - _SHOWN
    return Caption(
        title=title,
        subtitle=(
            f"A point is a count at an input size {letter}, in FLOPs (2 x MACs), elements or FLOPs "
            "per parameter; a line is the law above its panel"
            + ("; a cross is a size that failed." if failures else "."),
            *(f"Failed: {line}" for line in failures[:_SHOWN]),
            *([f"Failed: {more} more"] if more > 0 else []),
        ),
        sources="the networks' own code, counted",
    )


def _of(marks: Sequence[str], names: Sequence[str]) -> list[str]:
    return [marks[place % len(marks)] for place in range(len(names))]


def points_of(swept: Sweep) -> pd.DataFrame:
    """One row a quantity of a row: network (with every other swept letter), quantity, size."""
    points = []
    letters = swept_letters(swept.rows, swept.spans)
    for row in swept.rows:
        size = row.sizes[letters[0]]
        for quantity in QUANTITIES:
            value = figure(row, quantity)
            if value is not None:
                points.append(
                    {
                        "network": _network(row, letters),
                        "quantity": quantity,
                        "size": size,
                        "figure": float(value),
                        "label": short(float(value)),
                    }
                )
    return pd.DataFrame(points)


def _network(row: Row, letters: Sequence[str]) -> str:
    return ", ".join([row.model, *(f"{other}={row.sizes[other]}" for other in letters[1:])])


def _failures(swept: Sweep) -> pd.DataFrame:
    letters = swept_letters(swept.rows, swept.spans)
    return pd.DataFrame(
        [
            {
                "network": _network(row, letters),
                "size": row.sizes[letters[0]],
                "failed": row.error,
            }
            for row in swept.failures
        ]
    )


def _curves(laws: Sequence[Finding], points: pd.DataFrame) -> pd.DataFrame:
    """Each law, drawn through the sizes that were swept."""
    rows = []
    for finding in laws:
        own = points[points["network"] == finding.model]
        if finding.law is None or not finding.law.stands:
            continue
        low, high = int(own["size"].min()), int(own["size"].max())
        for size in sorted({low + (high - low) * i // 60 for i in range(61)}):
            value = float(finding.law.at(size))
            if value > 0:
                rows.append(
                    {
                        "network": finding.model,
                        "quantity": finding.quantity,
                        "size": size,
                        "figure": value,
                    }
                )
    return pd.DataFrame(rows, columns=["network", "quantity", "size", "figure"])


def _sizes(every: Sequence[int]) -> alt.Axis:
    """Ticks at the sizes themselves, where there is room for them."""
    sizes = sorted(set(every))
    return (
        alt.Axis(values=sizes, labelOverlap="greedy")
        if len(sizes) <= 12
        else alt.Axis(tickCount=10)
    )
