"""Tables as CSV, GitHub's Markdown and HTML, and pictures: no name in them is taken for more."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from flopledger.storage.visible import visible

# a spreadsheet takes these for the beginning of a formula, unless a number follows the sign
_FORMULA = re.compile(r"[=@\uff1d\uff20]|[+-](?![0-9.])|[+-].*[^0-9.eE+-]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as CSV; a text that a spreadsheet would compute begins with an apostrophe."""
    return shown(frame, _cell).to_csv(index=False)


def to_markdown(frame: pd.DataFrame) -> str:
    """A GitHub table, numbers as they are, names that would be HTML as text."""
    safe = shown(frame, lambda text: markdown_text(text).replace("|", r"\|"))
    return safe.to_markdown(index=False, disable_numparse=True, missingval="") + "\n"


def to_html(frame: pd.DataFrame, **options: Any) -> str:
    """The frame as HTML, escaped."""
    html: str = shown(frame, visible).to_html(index=False, **options)
    return html


def markdown_text(text: str) -> str:
    """A line of Markdown in which no HTML is taken for HTML."""
    return _TAG.sub("&lt;", visible(text))


def drawable(spec: Any) -> Any:
    """A picture's specification whose texts a renderer can write: XML has no control characters."""
    if isinstance(spec, dict):
        return {drawable(key): drawable(value) for key, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [drawable(value) for value in spec]
    if not isinstance(spec, str):
        return spec
    return "\n".join(map(visible, spec.split("\n")))


def _cell(text: str) -> str:
    safe = visible(text)
    return f"'{safe}" if _FORMULA.match(safe) else safe


def shown(frame: pd.DataFrame, write: Callable[[str], str]) -> pd.DataFrame:
    """The frame with its texts rewritten, and its titles."""
    texts = frame.copy()
    for place, (_, column) in enumerate(frame.items()):
        if column.map(lambda cell: isinstance(cell, str)).any():
            texts.isetitem(
                place, [write(cell) if isinstance(cell, str) else cell for cell in column]
            )
    texts.columns = pd.Index([write(name) if isinstance(name, str) else name for name in texts])
    return texts
