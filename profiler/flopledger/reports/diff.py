"""What moved between two counts, as table, Markdown or JSON."""

import json
import math
from typing import Any, Literal

import pandas as pd

from flopledger.differences.changes import FIGURES, GATED, Baseline, Change, Difference
from flopledger.reports.profile_exports import to_markdown
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import by_x

FORMATS = ("table", "json", "markdown")


def render(difference: Difference, form: Literal["table", "json", "markdown"]) -> str:
    """The difference in one of FORMATS, every count to the last digit."""
    if form == "json":
        return json.dumps(as_object(difference), indent=2, allow_nan=False) + "\n"
    tables = [totals_table(difference), layers_table(difference)] if difference.moved else []
    tables = [table for table in tables if len(table)]
    if form == "markdown":
        parts = [f"## {heading(difference)}\n", *map(to_markdown, tables)]
        parts += ["".join(f"- {line}\n" for line in notes(difference))]
        return "\n".join(part for part in parts if part)
    parts = [heading(difference), *notes(difference)]
    for table in tables:
        parts += ["", plain_table(table).rstrip()]
    return "\n".join(parts) + "\n"


def as_object(difference: Difference) -> dict[str, Any]:
    """Plain lists, dicts and numbers; a `relative` is None from 0, and so is `worst` if any is."""
    d = difference
    return {
        "before": _side(d.before),
        "after": _side(d.after),
        "same_inputs": d.alike,
        "totals": {name: _change(change) for name, change in d.totals.items()},
        "layers": [
            {
                "layer": row.layer,
                "status": row.status,
                "was": row.was,
                **{name: _change(getattr(row, name)) for name in FIGURES},
            }
            for row in d.layers
        ],
        "uncounted": {operator: _change(change) for operator, change in d.uncounted.items()},
        "worst": d.worst if math.isfinite(d.worst) else None,
    }


def heading(difference: Difference) -> str:
    """One sentence: whose counts, and how far params and macs moved."""
    d = difference
    names = dict.fromkeys((d.before.model, d.after.model))
    said = ", ".join(f"{name} {_relative(d.totals[name])}" for name in GATED)
    return f"{' to '.join(names)}: {said if d.moved else 'nothing moved'}"


def notes(difference: Difference) -> list[str]:
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
    if least := [when for when, side in sides if side.uncounted]:
        lines.append(f"lower bounds, for operators without a formula: {' and '.join(least)}")
    return lines


def totals_table(difference: Difference) -> pd.DataFrame:
    """One row a total that moved."""
    return pd.DataFrame(
        [
            {
                "total": name,
                "before": _number(change.before),
                "after": _number(change.after),
                "change": "-" if change.change is None else _number(change.change, "+"),
                "relative": _relative(change),
            }
            for name, change in difference.totals.items()
            if change.before != change.after
        ]
    )


def layers_table(difference: Difference) -> pd.DataFrame:
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


def _side(one: Baseline) -> dict[str, Any]:
    return one.model_dump(mode="json", include={"model", "counter", "inputs", "totals"})


def _change(change: Change) -> dict[str, float | None]:
    return {
        "before": change.before,
        "after": change.after,
        "change": change.change,
        "relative": change.relative,
    }


def _inputs(one: Baseline) -> str:
    return ", ".join(f"{by_x(i.shape)} {i.dtype}" for i in one.inputs) or "none"


def _step(change: Change) -> str:
    if change.before == change.after:
        return _number(change.before)
    return f"{_number(change.before)} -> {_number(change.after)}"


def _number(value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign},.6g}"


def _relative(change: Change) -> str:
    """+1.2%; "from 0" of what came from nothing; "-" of what is undefined."""
    if change.before == change.after:
        return "+0%"
    if change.relative is None:
        return "from 0" if change.before == 0 else "-"
    return f"{100 * change.relative:+.3g}%"
