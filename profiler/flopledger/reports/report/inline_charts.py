"""The page's charts as SVG inside it: each drawn once for a wide screen and once for a phone."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert

from flopledger.reports.cells import drawable
from flopledger.reports.report.figures import Figure

# in pixels of the page; CSS scales them a little to what there is
WIDE, NARROW = 860, 350
# page.html has a colour of its own for each of these, by light and by dark
TEXT, GRID = "#1b1b1b", "#e3e3e3"
# where a name is broken into lines on a phone, and how wide a letter is in a wide font, in its size
_LINE, _EM = "(.{20}[^ ]*) ", 0.58
_HOVER = "shown on hover"  # a column that no chart has
# what a mark shows, which browsers show on hover; other labels are for readers of a drawing's
# parts: on the page each chart has a text of its own, and a table
_TOLD = re.compile(r'<path aria-label="([^"]*)" role="graphics-symbol"([^>]*)/>')
_UNREAD = re.compile(r' (?:role|pointer-events|aria-[a-z]+)="[^"]*"')


def inline(figure: Figure) -> tuple[str, str]:
    """The chart for a wide screen and for a narrow one; a point says on hover what it is."""
    return _svg(figure, WIDE), _svg(figure, NARROW)


def _svg(figure: Figure, width: int) -> str:
    narrow = width == NARROW
    spec = _told(drawable(figure.spec), narrow) | {
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": _theme(narrow),
    }
    svg: str = vl_convert.vegalite_to_svg(spec)
    if not narrow:  # nothing hovers over a phone
        svg = _TOLD.sub(r"<path\2><title>\1</title></path>", svg)
    return _UNREAD.sub("", svg)


def _theme(narrow: bool) -> dict[str, Any]:
    size = 10 if narrow else 12
    # two legends stand beside each other, on a phone below
    apart = {"direction": "vertical", "margin": 4} if narrow else {"margin": 24}
    axis = {
        "labelColor": TEXT,
        "titleColor": TEXT,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFontSize": size,
        "titleFontSize": size,
        "labelLimit": WIDE,
    }
    return {
        "background": "transparent",
        "view": {"stroke": "transparent"},
        "font": "system-ui, sans-serif",
        "padding": {"left": 5, "top": 5, "bottom": 5, "right": 40 if narrow else 16},
        "axis": axis,
        "axisX": {"labelOverlap": "greedy", "labelSeparation": size},
        "axisY": {"minExtent": round(6 * _EM * size)},  # 1e+16, below the axis's title
        "legend": {"labelColor": TEXT, "titleColor": TEXT, "labelFontSize": size,
                   "columnPadding": 2 * size, "layout": {"top": apart}},
        "text": {"color": TEXT, "fontSize": size},
        "rule": {"color": TEXT},
    }  # fmt: skip


def _told(spec: dict[str, Any], narrow: bool) -> dict[str, Any]:
    """The chart whose marks are described by what they show on hover, and whose names fit."""
    datasets = {name: [dict(row) for row in rows] for name, rows in spec["datasets"].items()}
    names: list[str] = []  # of bars, which all layers share

    def described(layer: dict[str, Any], data: str) -> dict[str, Any]:
        data = layer.get("data", {}).get("name", data)
        encoding = dict(layer.get("encoding", {}))
        if "tooltip" in encoding:
            for row in datasets[data]:
                row[_HOVER] = _sentence(row, encoding["tooltip"])
            encoding["description"] = {"field": _HOVER, "type": "nominal"}
        if encoding.get("y", {}).get("type") == "nominal":
            names.extend(row[encoding["y"]["field"]] for row in datasets.get(data, ()))
        layers = [described(inner, data) for inner in layer.get("layer", ())]
        return layer | {"encoding": encoding} | ({"layer": layers} if layers else {})

    told = described(spec, "") | {"datasets": datasets}
    for layer in (told, *told.get("layer", ())):
        _fit(layer["encoding"], names, narrow)
    return told


def _fit(encoding: dict[str, Any], names: Sequence[str], narrow: bool) -> None:
    """Bars' names stand in full, on a phone in lines; there a legend has two columns.

    Their room is reckoned by a wide font, for the reader's is not known here.
    """
    for channel in ("color", "shape"):
        legend = encoding.get(channel, {}).get("legend")
        if narrow and legend:
            encoding[channel] = encoding[channel] | {"legend": legend | {"columns": 2}}
    y = encoding.get("y", {})
    if y.get("type") != "nominal" or not names:
        return
    lines = [line for name in names for line in re.sub(_LINE, r"\1\n", name).split("\n")]
    longest = max(map(len, lines if narrow else names))
    axis: dict[str, Any] = {
        "labelLimit": WIDE,
        "minExtent": round(longest * _EM * (10 if narrow else 12)),
    }
    if narrow:
        axis["labelExpr"] = f"split(replace(datum.label, regexp('{_LINE}', 'g'), '$1|'), '|')"
    encoding["y"] = y | {"axis": (y.get("axis") or {}) | axis}


def _sentence(row: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> str:
    """What a mark shows: a line of names and values, without what the row has not."""
    return "; ".join(
        f"{field['field']}: {format(row[field['field']], field.get('format', ''))}"
        for field in fields
        if row.get(field["field"]) not in (None, "")
    )
