"""The bytes that a network and its training hold: a table, and a plain object."""

from typing import Any

import pandas as pd

from flopledger.allocation.held_bytes import OF_A_FORM, WORDS, Memory
from flopledger.reports.columns import bold, plain_table, wrapped
from flopledger.reports.notebook import as_html
from flopledger.reports.units import binary, percent

COLUMNS = ("worked out", "allocated", "off by")  # --columns is held to it before any work is done


def render(model: str, memory: Memory, allocated: Memory | None = None) -> str:
    """The table; beside it, where it is given, what was allocated."""
    form = "".join(f"{wrapped(line)}\n" for line in memory.form.lines()) if memory.form else ""
    return f"{bold(f'{model}: memory')}\n{form}{plain_table(_rows(memory, allocated))}"


def as_object(memory: Memory, allocated: Memory | None = None) -> dict[str, Any]:
    """The JSON object; what is not defined is None."""
    return {**memory.as_object(), "allocated": allocated.as_dict() if allocated else None}


def html(memory: Memory) -> str:
    """The table for a notebook, the form of training above it."""
    lines = memory.form.lines() if memory.form else []
    return as_html(", ".join(["memory", *lines]), _rows(memory, None))


def _rows(memory: Memory, allocated: Memory | None) -> pd.DataFrame:
    rows, sizes = [], memory.as_dict()
    for name, title in WORDS.items():
        size = sizes[name]
        if name in OF_A_FORM and size is None:
            continue
        row = {"": title, "worked out": binary(size)}
        if allocated is not None:
            real = allocated.as_dict()[name]
            row["allocated"] = binary(real)
            row["off by"] = "-" if not real or size is None else percent(size - real, real)
        rows.append(row)
    return pd.DataFrame(rows)
