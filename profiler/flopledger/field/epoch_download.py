"""A download of Epoch AI's tables (https://epoch.ai/data/ai-models), read as it comes."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from io import StringIO
from math import isfinite, log10
from pathlib import Path
from typing import Any, NoReturn

from flopledger.field.ai_and_compute import SystemTable, find_system
from flopledger.field.published_systems import PublishedSystem
from flopledger.field.steps import with_steps
from flopledger.ledger.methods import Accounting
from flopledger.storage.facts import BadFacts, read_text, short_name
from flopledger.storage.nearest_name import did_you_mean

NAME, DAY, DOMAIN = "Model", "Publication date", "Domain"
PARAMS, FLOP = "Parameters", "Training compute (FLOP)"
NEEDED = (NAME, DAY, DOMAIN, PARAMS, FLOP)
# what a download may have besides: one table has bounds, the other tasks
LOW, HIGH = "Training compute lower bound", "Training compute upper bound"
EPOCHS = "Epochs"
# "(total)" in one, "(datapoints)" in the other
SIZE = "Training dataset size"
# a system whose two figures, with data generation and without, lie 2.7 orders apart: within half an
# order of one of them, a table follows that accounting
TOLD_BY = "AlphaGo Zero"
FIGURES: dict[Accounting, SystemTable] = {"all": "Epoch 2025", "training": "Epoch 2026"}
HALF_AN_ORDER = 0.5

_ADDRESS = re.compile(r"https?://[^\s,<>\"]+")


def read_download(
    path: Path, table: str = ""
) -> tuple[tuple[PublishedSystem, ...], tuple[str, ...]]:
    """The systems of a download that have both parameters and training compute.

    Of two rows of one name the first counts, since Epoch's own table of April 2025 has such.

    Args:
        path: the CSV file, as Epoch AI serves it.
        table: what the systems are to be called the table's; the file's name, if left out.

    Returns:
        The systems in the file's order, and what was noticed, a line each.

    Raises:
        BadFacts: the file cannot be read, has other columns, or a number or day that is none; the
            message names row (the first line is row 1, as a spreadsheet has it) and column.
    """
    short = short_name(path)
    lines = csv.reader(StringIO(read_text(path), newline=""), strict=True)
    systems: dict[str, PublishedSystem] = {}
    rows: dict[str, int] = {}
    notes: list[str] = []
    try:
        columns = [column.strip() for column in next(lines, [])]
        _check_columns(columns, short)
        for row, cells in enumerate(lines, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise BadFacts(
                    f"{short}: row {row}: {len(cells)} cells for {len(columns)} columns; quote the "
                    "cells that hold a comma"
                )
            system = _system(
                dict(zip(columns, cells, strict=True)), f"{short}: row {row}", table or path.name
            )
            if system is None:
                continue
            if system.name not in systems:
                systems[system.name], rows[system.name] = system, row
            elif system != systems[system.name]:
                notes.append(
                    f"{short}: row {row}: {NAME} {system.name!r} is that of row "
                    f"{rows[system.name]}, too, with other figures; the first counts"
                )
    except csv.Error as error:
        raise BadFacts(f"{short}: line {lines.line_num}: not CSV: {error}") from error
    if not systems:
        raise BadFacts(f"{short}: no row has both {PARAMS} and {FLOP}; download the whole table")
    accounting = accounting_of(systems.values())
    if accounting is None:
        notes.append(
            f"{short}: {TOLD_BY} does not tell whether its figures hold data generation; their "
            "accounting is not known"
        )
    told = (replace(system, accounting=accounting) for system in systems.values())
    return with_steps(told), tuple(notes)


def accounting_of(systems: Iterable[PublishedSystem]) -> Accounting | None:
    """Which accounting a table follows, by its figure of AlphaGo Zero; None where that says none.

    Epoch AI counted the making of data in 2025 (3.41e23) and counts gradient steps alone in 2026
    (6.5e20).
    """
    for system in systems:
        if system.name == TOLD_BY:
            for accounting, figure in FIGURES.items():
                if abs(log10(system.flop / find_system(TOLD_BY, figure))) <= HALF_AN_ORDER:
                    return accounting
    return None


def _check_columns(columns: Sequence[str], short: str) -> None:
    for column in NEEDED:
        if column not in columns:
            hint = did_you_mean(column, columns, _has(columns))
            raise BadFacts(
                f"{short}: no column is called {column!r}; {hint}; give a table of "
                "https://epoch.ai/data/ai-models as it was downloaded"
            )
        if columns.count(column) > 1:
            raise BadFacts(f"{short}: two columns are called {column!r}; remove one")


def _has(columns: Sequence[str]) -> str:
    if not any(columns):
        return "it is empty"
    # a spreadsheet of another country's writes these
    apart = [sign for sign in (";", "\t") if columns[0].count(sign) >= len(NEEDED) - 1]
    if apart:
        return f"its cells stand apart by {apart[0]!r}, and not by commas"
    return f"it has {', '.join(column[:40] for column in columns[:6])}"


def _system(cells: dict[str, str], where: str, table: str) -> PublishedSystem | None:
    params, flop = (_number(cells, column, where) for column in (PARAMS, FLOP))
    if flop == 0:
        _refuse(cells[FLOP].strip(), FLOP, where)
    if params is not None and params < 1:
        _refuse(cells[PARAMS].strip(), PARAMS, where, "number from 1 up")
    name = " ".join(cells[NAME].split())
    if params is not None and flop is not None and not name:
        raise BadFacts(f"{where}: column {NAME!r} is empty; name the system")
    size = next((column for column in cells if column.startswith(SIZE)), "")
    address = _ADDRESS.search(cells.get("Link", ""))
    # a bound, a size or epochs of 0, which Epoch has where it has none, are not known
    read: dict[str, Any] = {
        "published_on": _day(cells[DAY].strip(), where),
        "dataset_size": _one_of(cells, size, where),
        "flop_low": _number(cells, LOW, where) or None,
        "flop_high": _number(cells, HIGH, where) or None,
        "epochs": _number(cells, EPOCHS, where) or None,
        "domain": _words(cells, DOMAIN),
        "task": _words(cells, "Task"),
        "confidence": _words(cells, "Confidence"),
        "link": address[0] if address else "",
    }
    if params is None or flop is None:  # checked all the same: a table that is broken is refused
        return None
    return PublishedSystem(table=table, name=name, params=params, flop=flop, **read)


def _words(cells: dict[str, str], column: str) -> str:
    return " ".join(cells.get(column, "").split())


def _number(cells: dict[str, str], column: str, where: str) -> float | None:
    text = cells.get(column, "").strip()
    return _parsed(text, column, where) if text else None


def _one_of(cells: dict[str, str], column: str, where: str) -> float | None:
    """A cell that may list the sizes of several data sets, of which none is the system's."""
    sizes = [text for text in cells.get(column, "").split(",") if text.strip()]
    numbers = {_parsed(text.strip(), column, where) for text in sizes}
    return (numbers.pop() or None) if len(numbers) == 1 else None


def _parsed(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        _refuse(text, column, where)
    if not isfinite(value) or value < 0:
        _refuse(text, column, where)
    return value


def _refuse(text: str, column: str, where: str, what: str = "number above 0") -> NoReturn:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    raise BadFacts(f"{where}: column {column!r}: {shown!r} is no {what}; mend it")


def _day(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadFacts(
            f"{where}: column {DAY!r}: {text[:60]!r} is no day; write 2017-12-05"
        ) from None
