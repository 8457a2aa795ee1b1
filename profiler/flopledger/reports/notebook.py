"""A result as a notebook shows it: a title, a table, and lines below."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isnan
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from flopledger.reports.cells import to_html

_STYLE = (
    ":root { color-scheme: light dark } body { font: 15px/1.4 system-ui, sans-serif; margin: 1em }"
    " table { border-collapse: collapse; display: block; overflow-x: auto }"
    " td, th { padding: 0.1em 0.6em; border-bottom: 1px solid #8884; text-align: right }"
    # a reader's letters may be wider than those that the chart was laid out with
    " svg { overflow: visible; max-width: 100%; height: auto }"
    " td:first-child, th:first-child { text-align: left }"
)


def page(title: str, body: str) -> str:
    """A page that fetches nothing: what a notebook shows of a result, on its own."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n{body}\n</html>\n"
    )


def as_html(
    title: str,
    table: pd.DataFrame,
    lines: Sequence[str] = (),
    total: Mapping[Any, Any] | None = None,
) -> str:
    """The HTML of a title, a table and a list of lines; all of it escaped.

    Args:
        title: stands above.
        table: its numbers get thousands, or four digits where they are no whole numbers.
        lines: a list below.
        total: a last row's cells by column, if there is one.
    """
    items = "".join(f"<li>{escape(line.strip())}</li>" for line in lines)
    below = f"<ul>{items}</ul>" if items else ""
    if total is not None:
        row = {name: total.get(name, "") for name in table.columns}
        table = pd.concat([table.astype(object), pd.DataFrame([row], dtype=object)])
    cells = pd.DataFrame({name: [_shown(cell) for cell in table[name]] for name in table.columns})
    rows = to_html(cells) if len(cells.columns) else ""
    return f"<p>{escape(title.strip())}</p>{rows}{below}"


def _shown(cell: Any) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and isnan(cell)):
        return "-"
    if isinstance(cell, bool | np.bool_ | str):
        return str(cell)
    if isinstance(cell, Integral) or (isinstance(cell, float) and cell.is_integer()):
        return f"{int(cell):,}"
    return f"{cell:,.4g}" if isinstance(cell, Real) else str(cell)
