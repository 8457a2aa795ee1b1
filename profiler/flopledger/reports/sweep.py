"""A sweep as table, CSV, Markdown or JSON, with the laws of its figures; and as a picture."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import pandas as pd

from flopledger.errors import WrongOption
from flopledger.options import Picture
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.sweep_laws import (
    law_as_object,
    laws_of,
    sentences,
)
from flopledger.reports.units import short
from flopledger.sweeping.findings import swept_letters
from flopledger.sweeping.rows import Row
from flopledger.sweeping.sweep_result import Sweep

PICTURES = get_args(Picture)

_FIGURES = ("samples", "params", "macs", "flops", "other_flops", "activations", "flops_per_param")


# what a narrow screen can do without, the least needed first
_FIRST_TO_GO = "activations", "other FLOPs", "FLOPs/param", "samples", "MACs"


def table(sweep: Sweep) -> str:
    """A line a row, then the laws and what was assumed."""
    return _table(sweep.rows) + "".join(f"{wrapped(line)}\n" for line in _lines(sweep))


def markdown(sweep: Sweep) -> str:
    """The rows in full, then the laws and what was assumed as a list."""
    exact = frame(sweep.rows).astype(object)
    exact = exact.where(exact.notna(), "").map(str)
    return (
        to_markdown(exact) + "".join(f"\n- {markdown_text(line)}" for line in _lines(sweep)) + "\n"
    )


def html(sweep: Sweep) -> str:
    """The rows in full for a notebook, then the laws and what was assumed."""
    networks = ", ".join(dict.fromkeys(row.model for row in sweep.rows))
    rows = frame(sweep.rows).drop(columns="error")  # sentences, which make no column
    lines = [*_failures(sweep.rows), *_lines(sweep)]
    return as_html(f"{networks}: {len(sweep.rows)} rows", rows, lines)


def as_object(sweep: Sweep) -> dict[str, Any]:
    """The rows, and their laws beside them, as plain dicts, lists and numbers."""
    return {
        "rows": [row.as_object() for row in sweep.rows],
        "laws": [law_as_object(finding) for finding in laws_of(sweep)],
    }


# what columns may be called, beside letters: --columns is held to it before any work is done
COLUMNS = ("model", "samples", "params", "MACs", "FLOPs", "other FLOPs", "activations",
           "FLOPs/param", "check")  # fmt: skip

FORMATS: dict[str, Callable[[Sweep], str]] = {
    "table": table,
    "json": Sweep.to_json,
    "csv": lambda sweep: to_csv(frame(sweep.rows)),
    "markdown": markdown,
    "html": lambda sweep: page("sweep", sweep._repr_html_()),
}


def _lines(sweep: Sweep) -> list[str]:
    lines = [*sentences(laws_of(sweep)), *notes(sweep.rows)]
    letters = swept_letters(sweep.rows, sweep.spans)
    if len(letters) > 1:
        together = " and ".join(letters)
        lines.insert(0, f"laws are of one letter; {together} were swept together")
    return lines


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One row a row: model, a column a letter, input, the figures, counter, agrees, error."""
    return pd.DataFrame(
        [
            {
                "model": row.model,
                **row.sizes,
                "input": row.input,
                **{name: getattr(row, name) for name in _FIGURES},
                "counter": row.counter,
                "agrees": row.agrees,
                "uncounted": "; ".join(row.uncounted),
                "error": row.error,
            }
            for row in rows
        ]
    ).convert_dtypes()


def notes(rows: Sequence[Row]) -> list[str]:
    """What was assumed, and what is not counted, once a network."""
    lines = [
        f"{row.model}: {line}"
        for row in rows
        for line in (*row.notes, *(f"not counted: {operator}" for operator in row.uncounted))
    ]
    return list(dict.fromkeys(lines))


def picture(swept: Sweep, form: Picture) -> str | bytes:
    """What was counted, the laws, and what failed.

    Raises:
        WrongOption: no row has figures.
    """
    from flopledger.reports.pictures import picture as drawn
    from flopledger.reports.sweep_chart import caption, chart, points_of

    points = points_of(swept)
    if points.empty:
        raise WrongOption("no row has figures to draw")
    return drawn(chart(swept, points).to_dict(), caption(swept, points), form)


def _table(rows: Sequence[Row]) -> str:
    """A line a row, and below them a line a row that failed: what went wrong."""
    batched = any(row.samples not in (None, 1) for row in rows)
    figures = [name for name in _FIGURES if batched or name != "samples"]
    cells = pd.DataFrame(
        [
            {
                "model": row.model,
                **{letter: str(size) for letter, size in row.sizes.items()},
                **{_title(name): _cell(row, name) for name in figures},
                "check": _check(row),
            }
            for row in rows
        ]
    )
    table = plain_table(cells, _FIRST_TO_GO)
    return table + "".join(f"{wrapped(line)}\n" for line in _failures(rows))


def _failures(rows: Sequence[Row]) -> list[str]:
    return [f"{row_in_words(row)}: {row.error}" for row in rows if row.error is not None]


def row_in_words(row: Row) -> str:
    """Alexnet at N=227."""
    return f"{row.model} at {', '.join(f'{letter}={size}' for letter, size in row.sizes.items())}"


def _title(name: str) -> str:
    return {"macs": "MACs", "flops": "FLOPs", "other_flops": "other FLOPs",
            "flops_per_param": "FLOPs/param"}.get(name, name)  # fmt: skip


def _cell(row: Row, name: str) -> str:
    if row.error is not None:
        return ""
    least = ">=" if row.uncounted and name not in ("samples", "params", "activations") else ""
    return least + short(getattr(row, name))


def _check(row: Row) -> str:
    if row.error is not None:
        return "failed"
    return {True: "agrees", False: "DISAGREES", None: "alone"}[row.agrees]
