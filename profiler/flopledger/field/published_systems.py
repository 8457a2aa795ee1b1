"""Every system of Epoch AI's tables with its parameters and training compute: facts/systems.csv."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import log10

from pydantic import PositiveFloat

from flopledger.ledger.methods import Accounting
from flopledger.storage.facts import BadFacts, Table, facts_folder, read_rows

# the two downloads, as facts/sources.toml calls them; the first has gradient steps only
PRIMARY, OLDER = "epoch-2026", "epoch-2025"


class _Row(Table):
    table: str
    name: str
    published_on: date | None = None
    domain: str = ""
    task: str = ""
    params: PositiveFloat
    flop: PositiveFloat
    flop_low: PositiveFloat | None = None
    flop_high: PositiveFloat | None = None
    dataset_size: PositiveFloat | None = None
    epochs: PositiveFloat | None = None
    confidence: str = ""
    accounting: Accounting | None = None
    steps_per_outcome: PositiveFloat | None = None
    steps_source: str = ""
    link: str = ""


COLUMNS = tuple(_Row.model_fields)


@dataclass(frozen=True, kw_only=True)
class PublishedSystem:
    """A system with both figures, as a table has it.

    Attributes:
        table: "epoch-2026" or "epoch-2025", keys of facts/sources.toml; or a file's name.
        name: as the table calls it.
        published_on: the day; None where the table has none.
        domain: one or several, as "Vision,Language"; "" where not known.
        task: likewise.
        params: parameters.
        flop: training compute in FLOP.
        flop_low: its lower bound; None where the table has none.
        flop_high: its upper bound.
        dataset_size: data points; None where not known, or where there are several.
        epochs: how often they were seen.
        confidence: the table's own word for it.
        accounting: whether `flop` holds data generation ("all") or gradient steps only
            ("training"); None where not known.
        steps_per_outcome: decisions that share one outcome; None where that is not defined.
        steps_source: where it stands.
        link: of the paper.
    """

    table: str
    name: str
    published_on: date | None
    domain: str = ""
    task: str = ""
    params: float
    flop: float
    flop_low: float | None = None
    flop_high: float | None = None
    dataset_size: float | None = None
    epochs: float | None = None
    confidence: str = ""
    accounting: Accounting | None = None
    steps_per_outcome: float | None = None
    steps_source: str = ""
    link: str = ""

    @property
    def flop_per_param(self) -> float:
        """Training FLOP per parameter."""
        return self.flop / self.params

    @property
    def orders(self) -> float:
        """Of `flop_per_param`: its log10."""
        return log10(self.flop) - log10(self.params)

    @property
    def domains(self) -> tuple[str, ...]:
        """Each domain that the table names."""
        return tuple(word.strip() for word in self.domain.split(",") if word.strip())

    @property
    def group(self) -> str:
        """One domain: the first, or Multimodal wherever that is named; "unknown" of none."""
        if "Multimodal" in self.domains:
            return "Multimodal"
        return self.domains[0] if self.domains else "unknown"


@cache
def read_published() -> tuple[PublishedSystem, ...]:
    """The systems of facts/systems.csv: each table's, so that a system may be there twice.

    Raises:
        BadFacts: the file cannot be used.
    """
    path = facts_folder("systems.csv")
    systems = tuple(PublishedSystem(**row.model_dump()) for row in read_rows(path, _Row))
    seen: set[tuple[str, str]] = set()
    for system in systems:
        if (system.table, system.name) in seen:
            raise BadFacts(f"facts/systems.csv: {system.table} has {system.name!r} twice")
        seen.add((system.table, system.name))
    return systems


def of_table(systems: Iterable[PublishedSystem], table: str) -> tuple[PublishedSystem, ...]:
    """A table's own systems."""
    return tuple(system for system in systems if system.table == table)


def newest(systems: Iterable[PublishedSystem]) -> tuple[PublishedSystem, ...]:
    """Every system once; where both tables have it, as the newer one does."""
    systems = list(systems)
    first = [system for system in systems if system.table != OLDER]
    known = {system.name for system in first}
    return tuple(first + [one for one in systems if one.table == OLDER and one.name not in known])


def since(systems: Iterable[PublishedSystem], day: date) -> tuple[PublishedSystem, ...]:
    """Those that were published on that day or later; not those without a day."""
    return tuple(one for one in systems if one.published_on is not None and one.published_on >= day)
