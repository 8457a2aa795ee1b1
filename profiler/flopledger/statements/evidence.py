"""Evidence: what claims are held against, gathered from facts and profiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from pydantic import PositiveFloat, model_validator

from flopledger.ledger.build import Profiles, counted_entries, ledgers
from flopledger.ledger.dawnbench import Entry, find_entry, list_entries
from flopledger.ledger.dawnbench_hours import hours_ledger
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.run_file import find_run, list_runs
from flopledger.ledger.training_run import PFS_DAY
from flopledger.profiles.tables import Profile
from flopledger.storage.facts import Table, facts_folder, read_rows


@dataclass(frozen=True, kw_only=True)
class System:
    """A system of facts/systems.csv; FLOP as Epoch AI has it, else from pfs-days."""

    name: str
    published_on: date
    flops: float
    params: float | None
    family: str
    source: str


class _Row(Table):
    system: str
    published_on: date
    pfs_days: PositiveFloat | None = None
    flop: PositiveFloat | None = None
    params: PositiveFloat | None = None
    family: str
    source: str

    @model_validator(mode="after")
    def _has_a_total(self) -> Self:
        if self.flop is None and self.pfs_days is None:
            raise ValueError("flop and pfs_days are both empty; fill one in")
        return self

    @property
    def flops(self) -> float:
        if self.flop is not None:
            return self.flop
        assert self.pfs_days is not None
        return self.pfs_days * PFS_DAY


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What claims are held against."""

    profiles: Mapping[str, Profile]
    ledgers: Mapping[str, Ledger]
    facts: Mapping[str, Mapping[str, float]]  # of runs, by their keys
    systems: tuple[System, ...]
    entries: Mapping[str, Entry] = field(default_factory=dict)  # of facts/dawnbench.csv
    hours: Mapping[str, Ledger] = field(default_factory=dict)  # theirs


def read_systems() -> tuple[System, ...]:
    """The systems of facts/systems.csv.

    Raises:
        BadFacts: the table cannot be used.
    """
    rows = read_rows(facts_folder("systems.csv"), _Row, name="system")
    return tuple(
        System(
            name=row.system,
            published_on=row.published_on,
            flops=row.flops,
            params=row.params,
            family=row.family,
            source=row.source,
        )
        for row in rows
    )


def evidence(profiles: Profiles) -> Evidence:
    """What the claims are held against: every run of facts/runs and the networks they need."""
    runs = [find_run(name) for name in list_runs()]
    built = ledgers(runs, profiles)
    entries = {name: find_entry(name) for name in list_entries()}
    counted = counted_entries(entries.values(), profiles)
    return Evidence(
        profiles={model: profiles(model) for run in runs for model in run.needed_models},
        ledgers=built,
        facts={
            run.name: {key: fact.value for phase in run.phases for key, fact in phase.facts.items()}
            for run in runs
        },
        systems=read_systems(),
        entries=entries,
        hours={
            name: hours_ledger(one, counted.get(one.where))
            for name, one in entries.items()
            if one.hours
        },
    )
