"""Profiles as coloured tables for a terminal."""

import io
import shutil
from collections.abc import Sequence
from typing import Literal

import pandas as pd
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from flopledger.profiles.tables import Profile
from flopledger.reports.profile_texts import chosen, footnotes, heading, summary
from flopledger.reports.units import by_x, percent, short
from flopledger.storage.visible import visible

_WORDS = ("layer", "operator", "kind", "model", "output_shape", "check")
_SHARES = {"params": "params %", "flops": "flops %"}


def render(profiles: Sequence[Profile], by: str, depth: int | None, colour: bool) -> str:
    """One table a profile, and one that compares them if there are several.

    Args:
        profiles: at least one.
        by: "layer", "operator" or "kind".
        depth: of the layers' paths, or None for all.
        colour: whether to write ANSI codes.
    """
    parts: list[RenderableType] = []
    for profile in profiles:
        parts += [Text(visible(heading(profile)), style="bold"), _table(chosen(profile, by, depth))]
        parts += [Text(visible(line)) for line in footnotes(profile)] + [Text("")]
    if len(profiles) > 1:
        parts += [Text("all of them, beside the first", style="bold"), _table(summary(profiles))]
    width = max(100, shutil.get_terminal_size((100, 24)).columns) if colour else 1000
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=colour, no_color=not colour).print(Group(*parts))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().rstrip().splitlines())


def plain_table(frame: pd.DataFrame) -> str:
    """A table of texts, without colour, as wide as it needs to be."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, name in enumerate(frame.columns):
        title = escape(visible(str(name)))
        table.add_column(title, justify="right" if index else "left", no_wrap=True)
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(visible(str(cell))) for cell in row))
    out = io.StringIO()
    Console(file=out, width=400, no_color=True).print(table)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _table(frame: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False, show_footer="model" not in frame, padding=(0, 2, 0, 0))
    for name in _shown(frame):
        column = frame[name]
        total = "total" if name == frame.columns[0] else _total(name, column)
        side: Literal["left", "right"] = "left" if name in _WORDS else "right"
        table.add_column(_title(name), justify=side, footer=total, no_wrap=True)
        if name in _SHARES:
            footer = percent(column.sum(), column.sum())
            table.add_column(_SHARES[name], justify="right", footer=footer, no_wrap=True)
    for row in frame.to_dict("records"):
        cells = []
        for name in _shown(frame):
            cells.append(_cell(name, row[name]))
            if name in _SHARES:
                cells.append(percent(row[name], frame[name].sum()))
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return table


def _shown(frame: pd.DataFrame) -> list[str]:
    # trainable_params equals params nearly always, and shared parameters get a footnote
    dropped = {"trainable_params", "shared", "activations"}
    return [name for name in frame.columns if name not in dropped or "model" in frame]


def _title(name: str) -> str:
    return name.replace("_", " ").replace("flops per param", "flops/param")


def _cell(name: str, value: object) -> str:
    if name == "output_shape":
        return by_x(value)  # type: ignore[arg-type]
    if name == "layer":
        return str(value) or "(top)"
    if isinstance(value, str):
        return value
    return short(value)


def _total(name: str, column: pd.Series) -> str:
    summed = ("calls", "layers", "params", "macs", "flops", "other_flops")
    return short(column.sum()) if name in summed else ""
