"""What marks look like in the charts: colours with shapes, so that no colour alone tells."""

import altair as alt

# what is told apart here is so also by those who do not tell red from green
COLOURS = ("#4c78a8", "#f58518", "#72b7b2", "#54a24b", "#b279a2", "#9d755d", "#b79a20", "#7f7f7f")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down",
          "triangle-right", "triangle-left")  # fmt: skip
# of layers, which have no shapes: Okabe and Ito 2008
KIND_COLOURS = {"conv": "#4c78a8", "linear": "#f58518", "recurrent": "#009e73",
                "embedding": "#56b4e9", "norm": "#9d755d", "other": "#bab0ac"}  # fmt: skip


def hover(*fields: str | alt.Tooltip) -> list[alt.Tooltip]:
    """What a mark says where a pointer rests on it.

    Altair takes plain strings, too, but holds each against all of its classes: 2 ms a string.

    Args:
        fields: of its data, in Altair's short form: "published:T".
    """
    return [alt.Tooltip(field) if isinstance(field, str) else field for field in fields]


def ring_legend(field: str, name: str, colour: str) -> alt.Stroke:
    """Rings of one colour, which the legend explains beside what the points are.

    Args:
        field: of the rings' data, which holds the name.
        name: what they are.
        colour: theirs.
    """
    legend = alt.Legend(
        orient="top", title=None, symbolType="circle", symbolFillColor="transparent", labelLimit=300
    )
    return alt.Stroke(f"{field}:N", scale=alt.Scale(domain=[name], range=[colour]), legend=legend)
