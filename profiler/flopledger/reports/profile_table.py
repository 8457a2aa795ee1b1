"""Profiles as tables for a terminal."""

from collections.abc import Sequence

import pandas as pd

from flopledger.profiles.tables import Profile
from flopledger.reports.columns import bold, plain_table, wrapped
from flopledger.reports.profile_texts import chosen, footnotes, heading, summary
from flopledger.reports.units import by_x, percent, short
from flopledger.storage.visible import visible

# what the columns of each table may be called: --columns is held to it before any work is done
COLUMNS = {
    "layer": ("layer", "kind", "calls", "params", "params %", "macs", "flops", "flops %",
              "other flops", "flops/param", "output shape"),
    "operator": ("operator", "calls", "macs", "flops", "flops %", "other flops"),
    "kind": ("kind", "layers", "calls", "params", "params %", "macs", "flops", "flops %",
             "other flops", "flops/param"),
    "several": ("model", "params", "trainable params", "active params", "macs", "masked macs",
                "flops", "other flops", "flops/param", "activations", "check", "params ratio",
                "flops ratio", "flops/param ratio"),
}  # fmt: skip
_WORDS = ("operator", "kind", "output shape", "check")
_SHARES = {"params": "params %", "flops": "flops %"}
_SUMMED = ("calls", "layers", "params", "macs", "flops", "other flops")
# what a narrow screen can do without, the least needed first
_FIRST_TO_GO = (
    "activations", "trainable params", "output shape", "other flops", "calls", "kind",
    "params ratio", "flops ratio", "flops/param ratio", "macs", "params %", "flops %",
    "flops/param",
)  # fmt: skip


def render(profiles: Sequence[Profile], by: str, depth: int | None) -> str:
    """One table a profile, and one that compares them if there are several.

    Args:
        profiles: at least one.
        by: "layer", "operator" or "kind".
        depth: of the layers' paths, or None for all.
    """
    parts = []
    for profile in profiles:
        lines = [wrapped(visible(line)) for line in footnotes(profile)]
        parts.append(f"{bold(heading(profile))}\n{_table(chosen(profile, by, depth))}")
        parts[-1] += "".join(f"{line}\n" for line in lines)
    if len(profiles) > 1:
        parts.append(f"{bold('all of them, beside the first')}\n{_table(summary(profiles))}")
    return "\n".join(parts)


def _table(frame: pd.DataFrame) -> str:
    cells = {}
    for name in _shown(frame):
        cells[_title(name)] = [_cell(name, value) for value in frame[name]]
        if name in _SHARES and "model" not in frame:
            whole = frame[name].sum()
            cells[_SHARES[name]] = [percent(value, whole) for value in frame[name]]
    total = None if "model" in frame else _total(frame)
    return plain_table(pd.DataFrame(cells), _FIRST_TO_GO, total=total, words=_WORDS)


def _total(frame: pd.DataFrame) -> dict[str, str]:
    """The last row, by title: sums of what adds up."""
    sums = {name: frame[name].sum() for name in map(str, frame) if _title(name) in _SUMMED}
    shares = {
        share: percent(sums[name], sums[name]) for name, share in _SHARES.items() if name in sums
    }
    return {
        _title(frame.columns[0]): "total",
        **{_title(name): short(value) for name, value in sums.items()},
        **shares,
    }


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
