"""What moved between two counts, as table, Markdown or JSON."""

from collections.abc import Callable

import pandas as pd

from flopledger.differences.changes import FIGURES, Change, Differences
from flopledger.profiles.tables import Profile
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import by_x


def table(difference: Differences) -> str:
    """The heading, notes, and what moved, every count to the last digit."""
    parts = [*map(wrapped, [difference.heading, *notes(difference)])]
    for frame in _frames(difference):
        parts += ["", plain_table(frame).rstrip()]
    return "\n".join(parts) + "\n"


def markdown(difference: Differences) -> str:
    """The same as GitHub's tables under a heading, the notes below them."""
    parts = [f"## {markdown_text(difference.heading)}\n", *map(to_markdown, _frames(difference))]
    parts += ["".join(f"- {markdown_text(line)}\n" for line in notes(difference))]
    return "\n".join(part for part in parts if part)


def html(difference: Differences) -> str:
    """The same for a notebook."""
    tables = [as_html("", frame) for frame in _frames(difference)]
    return as_html(difference.heading, pd.DataFrame(), notes(difference)) + "".join(tables)


# what the columns of the tables may be called: --columns is held to it before any work is done
COLUMNS = ("total", "before", "after", "change", "relative", "layer", "status", "params", "macs",
           "other_flops")  # fmt: skip

# what flopledger diff --format offers
FORMATS: dict[str, Callable[[Differences], str]] = {
    "table": table,
    "json": Differences.to_json,
    "csv": lambda difference: to_csv(difference.by_layer()),
    "markdown": markdown,
    "html": lambda difference: page(difference.heading, difference._repr_html_()),
}


def _frames(difference: Differences) -> list[pd.DataFrame]:
    frames = [totals_table(difference), layers_table(difference)] if difference.moved else []
    return [frame for frame in frames if len(frame)]


def notes(difference: Differences) -> list[str]:
    """What makes the two unlike, and what is missing from them."""
    d = difference
    lines = []
    if not d.alike:
        lines.append(
            f"the inputs differ, {_inputs(d.before)} and then {_inputs(d.after)}: what depends on "
            "them moved for that reason too"
        )
    if d.before.counter != d.after.counter:
        lines.append(f"counted by {d.before.counter}, and then by {d.after.counter}")
    lines += [
        f"not counted: {operator}, {change.before} call(s) before, {change.after} after"
        for operator, change in d.uncounted.items()
    ]
    sides = [("before", d.before), ("after", d.after)]
    if least := [when for when, side in sides if not side.complete]:
        lines.append(f"lower bounds, for operators without a formula: {' and '.join(least)}")
    return lines


def totals_table(difference: Differences) -> pd.DataFrame:
    """One row a total that moved."""
    return pd.DataFrame(
        [
            {
                "total": name,
                "before": _number(change.before),
                "after": _number(change.after),
                "change": "-" if change.change is None else _number(change.change, "+"),
                "relative": change.percent,
            }
            for name, change in difference.totals.items()
            if change.before != change.after
        ]
    )


def layers_table(difference: Differences) -> pd.DataFrame:
    """One row a layer that moved."""
    return pd.DataFrame(
        [
            {
                "layer": (f"{row.was or '(top)'} -> " if row.status == "renamed" else "")
                + (row.layer or "(top)"),
                "status": row.status,
                **{name: _step(getattr(row, name)) for name in FIGURES},
            }
            for row in difference.layers
        ]
    )


def _inputs(profile: Profile) -> str:
    return ", ".join(f"{by_x(i.shape)} {i.dtype}" for i in profile.inputs) or "none"


def _step(change: Change) -> str:
    if change.before == change.after:
        return _number(change.before)
    return f"{_number(change.before)} -> {_number(change.after)}"


def _number(value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign},.6g}"
