"""What docs/coverage.md says, from the rows."""

import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rows import SECONDS, Row

Reasons = Mapping[str, Mapping[str, str]]  # by library and network


def verdict(row: Row, reasons: Reasons) -> str:
    """In a word, or by the sentence that explains the row: "differs" and "refused" have none."""
    if row.truth is not None and row.macs == row.truth:
        return "exact"
    if reason := reasons.get(row.library, {}).get(row.network):
        return reason
    if row.truth is None:
        return f"does not run: {row.ended}"
    return "differs" if row.macs is not None else f"refused: {row.ended}"


def is_settled(row: Row, reasons: Reasons) -> bool:
    """Whether it is exact or explained."""
    exact = row.truth is not None and row.macs == row.truth
    return exact or row.network in reasons.get(row.library, {})


def page(rows: Sequence[Row], reasons: Reasons, packages: Sequence[str], code: str) -> str:
    """The whole page, of the code that goes by that digest."""
    head = (Path(__file__).parent / "head.md").read_text(encoding="utf-8")
    return "\n".join((
        head.format(
            day=date.today(), code=code, seconds=SECONDS, python=platform.python_version(),
            versions=", ".join(f"{name} {version(name)}" for name in packages),
        ),
        _by_library(rows, reasons),
        "## What is not exact\n",
        _table([row for row in rows if verdict(row, reasons) != "exact"], reasons),
        "## Every network\n",
        _table(rows, reasons),
    ))  # fmt: skip


def _by_library(rows: Sequence[Row], reasons: Reasons) -> str:
    lines = ["| library | networks | exact | explained | neither |", "|:--|--:|--:|--:|--:|"]
    libraries = dict.fromkeys(row.library for row in rows)
    for name in (*libraries, "all"):
        own = [row for row in rows if name in (row.library, "all")]
        exact = sum(verdict(row, reasons) == "exact" for row in own)
        settled = sum(is_settled(row, reasons) for row in own)
        lines.append(
            f"| {name} | {len(own)} | {exact} ({exact / len(own):.1%}) | {settled - exact} "
            f"| {len(own) - settled} |"
        )
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Row], reasons: Reasons) -> str:
    lines = [
        "| library | network | flopledger's MACs | truth's | verdict |",
        "|:--|:--|--:|--:|:--|",
    ]
    for row in rows:
        cells = (f"{n:,}" if n is not None else "-" for n in (row.macs, row.truth))
        outcome = verdict(row, reasons).replace("|", "\\|")
        lines.append(f"| {row.library} | {row.network} | {' | '.join(cells)} | {outcome} |")
    return "\n".join(lines) + "\n" if rows else "None.\n"
