"""Systems and their training computes, by each table that has them: facts/ai_and_compute.csv."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import nan
from typing import Literal, Self, get_args

from pydantic import PositiveFloat, model_validator

from flopledger.errors import FlopledgerError
from flopledger.ledger.one_fact import PFS_DAY
from flopledger.storage.facts import Table, Url, facts_folder, read_rows
from flopledger.storage.nearest_name import did_you_mean

SystemTable = Literal["AI and Compute", "Epoch 2025", "Epoch 2026"]


class UnknownSystem(FlopledgerError, LookupError):
    """No system of that name has a figure in that table."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A system of facts/ai_and_compute.csv.

    Attributes:
        name: as the table calls it.
        published_on: the day.
        flop_by: training compute in FLOP, by the table that has it.
        params: parameters; None where not known.
        family: "supervised", "games" or "alphago".
        source: where the figures stand.
        url: of the table that `flops` is of, where it is not from a chart or an appendix.
        retrieved: the day that the table was downloaded.
    """

    name: str
    published_on: date
    flop_by: dict[SystemTable, float]
    params: float | None
    family: str
    source: str
    url: str
    retrieved: date

    @property
    def flops(self) -> float:
        """By Epoch AI in 2025, else by AI and Compute: both hold data generation."""
        return self.flop_by.get("Epoch 2025", self.flop_by.get("AI and Compute", nan))


class _Row(Table):
    system: str
    published_on: date
    pfs_days: PositiveFloat | None = None
    flop: PositiveFloat | None = None
    flop_2026: PositiveFloat | None = None
    params: PositiveFloat | None = None
    family: str
    source: str
    url: Url
    retrieved: date

    @model_validator(mode="after")
    def _has_a_total(self) -> Self:
        if self.flop is None and self.pfs_days is None:
            raise ValueError("flop and pfs_days are both empty; fill one in")
        return self


@cache
def read_systems() -> tuple[System, ...]:
    """The systems of facts/ai_and_compute.csv.

    Raises:
        BadFacts: the table cannot be used.
    """
    rows = read_rows(facts_folder("ai_and_compute.csv"), _Row, name="system")
    return tuple(map(_system, rows))


def _system(row: _Row) -> System:
    figures: dict[SystemTable, float | None] = {
        "AI and Compute": None if row.pfs_days is None else row.pfs_days * PFS_DAY,
        "Epoch 2025": row.flop,
        "Epoch 2026": row.flop_2026,
    }
    return System(
        name=row.system,
        published_on=row.published_on,
        flop_by={table: flop for table, flop in figures.items() if flop is not None},
        params=row.params,
        family=row.family,
        source=row.source,
        url=row.url,
        retrieved=row.retrieved,
    )


def find_system(name: str, table: SystemTable) -> float:
    """A system's training compute in FLOP.

    Raises:
        UnknownSystem: the table has none of that name, or there is no such table.
    """
    known = dict(list_systems(table))
    if name not in known:
        raise UnknownSystem(f"{table} has no figure of {name!r}; {did_you_mean(name, known)}")
    return known[name]


def list_systems(table: SystemTable, without: str = "") -> Iterator[tuple[str, float]]:
    """Names and training computes of the systems in a table, but for those of a family."""
    if table not in get_args(SystemTable):
        raise UnknownSystem(f"no table is called {table!r}; say {', '.join(get_args(SystemTable))}")
    for system in read_systems():
        if table in system.flop_by and system.family != without:
            yield system.name, system.flop_by[table]
