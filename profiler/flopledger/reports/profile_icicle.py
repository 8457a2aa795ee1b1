"""The tree of a network's layers as an icicle: the taller a box, the more it costs or keeps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

import altair as alt
import pandas as pd

from flopledger.errors import WrongOption
from flopledger.profiles.tables import Profile
from flopledger.reports.marks import KIND_COLOURS
from flopledger.reports.pictures import Caption, picture
from flopledger.reports.units import by_x, percent, short

QUANTITIES = {"flops": "FLOPs", "params": "parameters"}

_WORDS = {"conv": "Convolutions", "linear": "Linear layers", "recurrent": "Recurrent layers",
          "embedding": "Embeddings", "norm": "Norm layers"}  # fmt: skip
GROUP = "several layers"
COLOURS = {
    **{kind: colour for kind, colour in KIND_COLOURS.items() if kind != "other"},
    "attention": "#cc79a7",
    "other": KIND_COLOURS["other"],
    GROUP: "#dfe5ec",
}
LEAST = 0.003  # of the whole: several layers below that share a box
WIDTH = 760  # pixels
HEIGHTS = 400, 740  # pixels, the least and the most
ROW, LINE = 13, 9  # pixels: a layer's height on average, and the least one with a label
LETTER = 7  # pixels, with some to spare


@dataclass(frozen=True, kw_only=True)
class _Box:
    """A layer, a group of them or, under `name`, several small ones; `layers` says how many."""

    name: str
    path: str
    kind: str
    value: int
    layers: int = 1
    inside: tuple["_Box", ...] = ()


def render(
    profile: Profile,
    form: Literal["svg", "png", "html"],
    size_by: Literal["flops", "params"] = "flops",
) -> str | bytes:
    """The picture: the network on the left, to the right of each box what it is made of.

    The right edge, from top to bottom, is the shares of the single layers.

    Args:
        profile: whose layers are drawn.
        form: "svg", "png" (bytes) or "html" (a figure with a text on each box).
        size_by: what a box's extent, from top to bottom, is a share of: "flops" or "params".

    Raises:
        ValueError: the network has none of these.
    """
    if not profile.total(size_by):
        other = "params" if size_by == "flops" else "flops"
        raise WrongOption(f"{profile.model} has no {QUANTITIES[size_by]}; draw its {other}")
    spec, told = chart(profile, size_by).to_dict(), caption(profile, size_by)
    if form == "html":
        return _figure(str(picture(spec, told, "svg")))
    return picture(spec, told, form)


def chart(profile: Profile, size_by: Literal["flops", "params"]) -> alt.LayerChart:
    """The boxes and, where they fit, their labels."""
    root = _tree(profile, size_by)
    placed = list(_placed(root))
    labels = [_label(box, root.value) for box, _, _ in placed]
    single = sum(not box.inside for box, _, _ in placed)
    height = min(max(ROW * single, HEIGHTS[0]), HEIGHTS[1])
    longest: dict[int, int] = {}
    for (box, depth, _), label in zip(placed, labels, strict=True):
        shown = box.value * height / root.value >= LINE
        longest[depth] = max(longest.get(depth, 4), min(len(label), 30) if shown else 0)
    edges = _edges([letters for _, letters in sorted(longest.items())])
    rows = pd.DataFrame(
        {
            "left": edges[depth],
            "right": edges[depth + 1] if box.inside else WIDTH,
            "top": top * height / root.value,
            "bottom": (top + box.value) * height / root.value,
            "colour": _colour(box),
            "label": label,
            "text": f"{_where(box)}: {box.value:,} {QUANTITIES[size_by]}, "
            f"{percent(box.value, root.value)}",
        }
        for (box, depth, top), label in zip(placed, labels, strict=True)
    )
    used = [kind for kind in COLOURS if (rows["colour"] == kind).any()]
    x = alt.X("left:Q", axis=None, scale=alt.Scale(domain=[0, WIDTH], nice=False))
    down = alt.Scale(domain=[height, 0], nice=False)
    boxes = (
        alt.Chart(rows)
        .mark_rect(stroke="white", strokeWidth=0.6, fillOpacity=0.75)
        .encode(
            x=x,
            x2=alt.X2("right:Q"),
            y=alt.Y("top:Q", axis=None, scale=down),
            y2=alt.Y2("bottom:Q"),
            description="text:N",
            color=alt.Color(
                "colour:N",
                title=None,
                scale=alt.Scale(domain=used, range=[COLOURS[kind] for kind in used]),
                legend=alt.Legend(orient="top", offset=4, symbolOpacity=0.75),
            ),
        )
    )
    texts = (
        alt.Chart(rows[rows["bottom"] - rows["top"] >= LINE])
        .transform_calculate(middle="(datum.top + datum.bottom) / 2")
        .mark_text(
            align="left",
            dx=5,
            baseline="middle",
            color="#111",
            fontSize=alt.expr("min(11, datum.bottom - datum.top - 1)"),
            # by Vega's measure of its own letters; a viewer's may be wider
            limit=alt.expr("max(1, 0.9 * (datum.right - datum.left) - 5)"),
        )
        .encode(x=x, y=alt.Y("middle:Q", axis=None, scale=down), text=alt.Text("label:N"))
    )
    chart: alt.LayerChart = (
        alt.LayerChart(layer=[boxes, texts])
        .properties(width=WIDTH, height=height)
        .configure_view(stroke=None)
    )
    return chart


def _edges(letters: list[int]) -> list[float]:
    """Where the columns begin and the last one ends, with room for so many letters in each."""
    widths = [10 + LETTER * number for number in letters]
    widths[-1] += max(0, WIDTH - sum(widths))
    return [WIDTH / sum(widths) * edge for edge in accumulate(widths, initial=0)]


def _tree(profile: Profile, size_by: str) -> _Box:
    frame = profile.by_layer()
    own = {p: int(v) for p, v in zip(frame["layer"], frame[size_by], strict=True) if v}
    below: dict[str, list[str]] = {}
    kinds = {layer.path: layer.kind for layer in profile.modules}
    for path in filter(None, kinds):
        below.setdefault(path.rpartition(".")[0], []).append(path)
    least = LEAST * sum(own.values())

    def grown(path: str, name: str) -> _Box:
        inside = [grown(child, child.split(".")[-1]) for child in below.get(path, ())]
        inside = [box for box in inside if box.value]
        box = _Box(name=name, path=path, kind=kinds[path], value=own.get(path, 0))
        if not inside:
            return box
        if box.value:
            inside.insert(0, replace(box, name="(itself)"))
        elif len(inside) == 1 and path:
            return replace(inside[0], name=f"{name}.{inside[0].name}")
        inside = _gathered(inside, least, path)
        return replace(
            box,
            value=sum(part.value for part in inside),
            layers=sum(part.layers for part in inside),
            inside=tuple(inside),
        )

    return grown("", profile.model)


def _gathered(boxes: list[_Box], least: float, path: str) -> list[_Box]:
    """The boxes inside `path`, those of less value as one at their end if there are several."""
    small = [box for box in boxes if box.value < least]
    if len(small) < 2:
        return boxes
    kinds = {_colour(box) for box in small}
    number = sum(box.layers for box in small)
    other = _Box(
        name=f"{number} other layers",
        path=path,
        kind=kinds.pop() if len(kinds) == 1 else "other",
        value=sum(box.value for box in small),
        layers=number,
    )
    return [*(box for box in boxes if box.value >= least), other]


def _placed(box: _Box, depth: int = 0, top: int = 0) -> Iterator[tuple[_Box, int, int]]:
    """Each box, how deep it lies, and the value of all that is above it."""
    yield box, depth, top
    for inner in box.inside:
        yield from _placed(inner, depth + 1, top)
        top += inner.value


def _colour(box: _Box) -> str:
    if box.inside:
        return GROUP
    if "attention" in box.kind.lower():  # a class of somebody's, such as CausalSelfAttention
        return "attention"
    return box.kind if box.kind in COLOURS else "other"


def _label(box: _Box, whole: int) -> str:
    """Its name, of a numbered one its kind too, and its share."""
    name = f"{box.name} {box.kind}" if box.name.split(".")[-1].isdecimal() else box.name
    return f"{name} {percent(box.value, whole)}"


def _where(box: _Box) -> str:
    place = box.path or "(top)"
    several = box.layers > 1 and not box.inside
    return f"{box.name} of {place}" if several else f"{place}, {box.kind}"


def caption(profile: Profile, size_by: Literal["flops", "params"]) -> Caption:
    """Which kind of layer has most, of how much."""
    rows = profile.by_kind().to_dict("records")
    most = max(rows, key=lambda row: row[size_by])
    share = percent(most[size_by], sum(row[size_by] for row in rows))
    whole, verb, unit = short(profile.total(size_by)), "keep", ""
    if size_by == "flops":
        whole = whole if profile.complete else f"at least {whole}"
        shapes = ", ".join(by_x(tensor.shape) for tensor in profile.inputs)
        verb, unit = "take", f" (2 x MACs) a pass of {shapes}"
    layers = _WORDS.get(most["kind"], f"{most['kind']} layers")
    return Caption(
        title=f"{layers} {verb} {share} of {profile.model}'s {whole} {QUANTITIES[size_by]}{unit}",
        subtitle=(
            "The network is on the left, its layers on the right; a box is as tall as its share "
            f"of the {QUANTITIES[size_by]}, and coloured by its kind.",
        ),
        sources="the network's own code, counted",
    )


def _figure(svg: str) -> str:
    # browsers show a title where the pointer rests; Vega writes the text for readers of screens
    titled = re.sub(
        r'<path aria-label="([^"]*)"([^>]*)/>',
        r'<path aria-label="\1"\2><title>\1</title></path>',
        svg,
    )
    style = "figure svg { max-width: 100%; height: auto } figure text { pointer-events: none }"
    return f"<figure><style>{style}</style>\n{titled}\n</figure>\n"
