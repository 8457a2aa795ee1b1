"""The texts of an SVG, and which of them lie outside it."""

import re
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
LETTER = 0.46  # of the font's size: the mean width of a letter


def texts_of(svg):
    """Every text that is drawn."""
    return [" ".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def texts_outside(svg):
    """Those that begin or end outside the picture, as wide as letters are in the mean."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    return [
        words
        for words, left, right, y in _placed(root, 0.0, 0.0)
        if left < 0 or right > width or not 0 <= y <= height
    ]


def places_of(svg):
    """Each text with where it begins and ends, and how far down its line is, in pixels."""
    return list(_placed(ElementTree.fromstring(svg), 0.0, 0.0))


def _placed(element, x, y):
    moved = re.match(r"translate\(([-\d.e]+),? ?([-\d.e]+)\)", element.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag == f"{SVG}text" and "rotate" not in element.get("transform", ""):
        words = "".join(element.itertext())
        size = float(element.get("font-size", "11px").removesuffix("px"))
        width = LETTER * size * max(map(len, ["".join(t.itertext()) for t in element] or [words]))
        at = {"end": x - width, "middle": x - width / 2}.get(element.get("text-anchor"), x)
        yield words, at, at + width, y
    for inner in element:
        yield from _placed(inner, x, y)
