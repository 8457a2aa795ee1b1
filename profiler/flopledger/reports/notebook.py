"""A result as a notebook shows it: a title, a table, and lines below."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from flopledger.reports.cells import to_html


def page(title: str, body: str) -> str:
    """A page that fetches nothing: what a notebook shows of a result, on its own."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n{body}\n</html>\n"
    )


def as_html(title: str, table: pd.DataFrame, lines: Sequence[str] = ()) -> str:
    """The HTML of a title, a table and a list of lines; all of it escaped."""
    items = "".join(f"<li>{escape(line.strip())}</li>" for line in lines)
    below = f"<ul>{items}</ul>" if items else ""
    return f"<p>{escape(title.strip())}</p>{to_html(table)}{below}"
