"""The strength of a network in training against what it had cost."""

from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from flopledger.training.training_result import Training

# told apart without red and green, and by shape
COLOURS, SHAPES = ("#4c78a8", "#e8810c"), ("circle", "square")
WITH, WITHOUT = "with its search", "its policy alone"


def svg(training: Training) -> str:
    """The chart as a picture."""
    drawn: str = vl_convert.vegalite_to_svg(chart(training).to_dict())
    return drawn


def chart(training: Training) -> alt.LayerChart:
    """Games won, draws as half, by metered FLOP, each test with its 90% interval."""
    rows = [
        {"FLOP": test.flops, "won": score.win_rate, "low": low, "high": high, "player": player}
        for test in training.strength
        for player, score in ((WITH, test.search), (WITHOUT, test.policy))
        for low, high in [score.interval]
    ]
    against = f"{training.strength[0].rollouts} rollouts" if training.strength else ""
    names = [WITH, WITHOUT]
    legend = alt.Legend(orient="top", title=None)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("FLOP:Q", title="FLOP of the training so far, metered",
                axis=alt.Axis(format=".1e", tickCount=5)),
        color=alt.Color("player:N", scale=alt.Scale(domain=names, range=list(COLOURS)),
                        legend=legend),
    )  # fmt: skip
    share = alt.Y(
        "won:Q", title=f"games won against {against}", axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )  # fmt: skip
    shape = alt.Shape("player:N", scale=alt.Scale(domain=names, range=list(SHAPES)), legend=legend)
    layered: Any = alt.layer(
        base.mark_line(strokeWidth=2).encode(y=share),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=share, shape=shape),
        base.mark_rule().encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
    )
    sized: alt.LayerChart = layered.properties(width=520, height=280, background="white")
    return sized
