"""A chart as a picture that stands alone: what it shows, of what, by whose figures, and when."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from flopledger.options import Picture
from flopledger.reports.cells import drawable
from flopledger.reports.edition import Edition, edition

TITLE_LINE, SUBTITLE_LINE = 88, 126  # characters that 640 pixels of a plot have room for


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a picture says of itself.

    Attributes:
        title: the finding, in a sentence that is made of the picture's own numbers.
        subtitle: what is compared, in which unit, and what its marks mean; a line each.
        sources: whose figures it rests on.
    """

    title: str
    subtitle: tuple[str, ...]
    sources: str


def titled(spec: Mapping[str, Any], caption: Caption, made: Edition) -> dict[str, Any]:
    """The chart's specification under its caption, on white: readable on a page of any colour."""
    lines = (*caption.subtitle, f"Sources: {caption.sources}. {made.line}")
    title = {
        "text": wrap(caption.title, TITLE_LINE),
        "subtitle": [part for line in lines for part in wrap(line, SUBTITLE_LINE)],
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 15,
        "subtitleFontSize": 11.5,
        "subtitleColor": "#444444",
        "subtitlePadding": 5,
        "offset": 12,
    }
    shown: dict[str, Any] = drawable({**spec, "title": title, "background": "white", "padding": 12})
    return shown


def picture(spec: Mapping[str, Any], caption: Caption, form: Picture) -> str | bytes:
    """The chart with its caption.

    Args:
        spec: as Vega-Lite.
        caption: stands above it.
        form: "svg", "png" (bytes), or a page that needs nothing else, "html".
    """
    import vl_convert

    shown = titled(spec, caption, edition())
    if form == "html":
        page: str = vl_convert.vegalite_to_html(shown, bundle=True)
        return page
    svg: str = vl_convert.vegalite_to_svg(shown)
    return svg if form == "svg" else bytes(vl_convert.svg_to_png(svg, scale=2))


def cited(sources: Iterable[str]) -> str:
    """Whose they are, once each: "Krizhevsky et al. 2012" of "Krizhevsky et al. 2012, table 1"."""
    return "; ".join(dict.fromkeys(re.split(r"[,:;(]", source)[0].strip() for source in sources))


def orders_in_words(orders: float) -> str:
    """So many orders of magnitude, and how many times that is where people can imagine it."""
    size = abs(orders)
    digits = f"{size:.1f}" if size >= 0.95 else f"{size:.2f}"
    ratio = f" ({times(10**size)} times)" if size < 6 else ""
    return f"{digits} orders of magnitude{ratio}"


def times(ratio: float) -> str:
    """A ratio in two digits as people say it: 1.4, 24, 240,000, 3.1e+08."""
    rounded = float(f"{ratio:.2g}")
    if rounded < 10:
        return f"{rounded:.2g}"
    return f"{rounded:,.0f}" if rounded < 1e7 else f"{rounded:.1e}"
