"""Published systems, from options to the result: flopledger.systems."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path

from flopledger.counting.cached import cached_profile
from flopledger.errors import WrongOption
from flopledger.field.epoch_download import read_download
from flopledger.field.field_result import Systems
from flopledger.field.horizon_slope import Slope, slopes
from flopledger.field.places import Ledgers, ledgers_of, places
from flopledger.field.published_systems import (
    OLDER,
    PRIMARY,
    PublishedSystem,
    newest,
    of_table,
    read_published,
)
from flopledger.field.published_systems import (
    since as since_day,
)
from flopledger.field.sensitivity import variants
from flopledger.field.trend import Trend, fit
from flopledger.ledger.methods import Accounting
from flopledger.ledger.run_file import find_run, list_runs
from flopledger.ledger.training_run import TrainingRun
from flopledger.options import brief, checks_arguments
from flopledger.storage.facts import facts_folder, read_toml
from flopledger.storage.nearest_name import did_you_mean

BEGIN = "2012"  # AlexNet's year


@checks_arguments
def systems(
    download: Path | str | None = None,
    *,
    domain: str | None = None,
    since: str | date = BEGIN,
) -> Systems:
    """Systems' training compute per parameter, its trend, and where this ledger's runs lie.

    Args:
        download: a table of https://epoch.ai/data/ai-models as it was downloaded, in place of the
            ones that facts/systems.csv holds.
        domain: of the systems in `rows`: "Games"; the trend is of all of them.
        since: the year or day, "2012" or "2012-09-30", from which systems count, the trend's too.

    Raises:
        BadFacts: a file cannot be used; of a download the message names row and column.
        TooFew: too few systems are left for a trend.
        WrongOption: there is no such domain, or no such day.
        BrokenModel, ProfilingError: a network of a run cannot be imported or counted.
    """
    begin = day_of(since)
    published, name = read_published(), PRIMARY
    notes: tuple[str, ...] = ()
    if download is not None:
        given, notes = read_download(Path(download))
        name = given[0].table
        # its accounting's own table gives way
        published = (*given, *(one for one in published if one.accounting != given[0].accounting))
        rows = given
    else:
        rows = newest(published)
    shown = _begun(rows, begin)
    domain = domain if domain is None else _domain(domain, shown)
    runs = {run: find_run(run) for run in list_runs()}
    found = gathered(
        published, name, begin, runs, ledgers_of(runs.values(), cached_profile), rows=shown,
        notes=notes,
    )  # fmt: skip
    if domain is None:
        return found
    return replace(found, domain=domain, rows=tuple(one for one in shown if domain in one.domains))


def gathered(
    published: tuple[PublishedSystem, ...],
    primary: str,
    begin: date,
    runs: Mapping[str, TrainingRun],
    ledgers: Mapping[str, Ledgers],
    rows: Iterable[PublishedSystem] | None = None,
    notes: tuple[str, ...] = (),
) -> Systems:
    """The result, of systems and ledgers that are there.

    Args:
        published: every table's systems.
        primary: the table of the primary trend.
        begin: the day from which systems count.
        runs: by name.
        ledgers: their two each, by name.
        rows: which systems are shown; all of them, if left out.
        notes: on a download.

    Raises:
        TooFew: as `systems`.
    """
    fitted = trends(published, primary, begin)
    shown = _begun(newest(published), begin) if rows is None else rows
    return Systems(
        rows=tuple(shown),
        domain=None,
        since=begin,
        trends=fitted,
        variants=variants(fitted[0], published, begin),
        places=places(runs.values(), ledgers, fitted),
        slopes=slopes(fitted[0]),
        notes=notes,
        sources=_sources({one.table for one in published}),
    )


def trends(published: tuple[PublishedSystem, ...], primary: str, begin: date) -> tuple[Trend, ...]:
    """The trend of the primary table, then that of the table with the other accounting.

    Raises:
        TooFew: as `systems`.
    """
    own = since_day(of_table(published, primary), begin)
    first = fit(primary, own)
    others = [
        table
        for table in (PRIMARY, OLDER)
        if table != primary
        and first.accounting is not None
        and any(one.accounting != first.accounting for one in of_table(published, table))
    ]
    return first, *(fit(table, since_day(of_table(published, table), begin)) for table in others)


@cache
def usual_trends() -> tuple[Trend, ...]:
    """The trends of facts/systems.csv since 2012: gradient steps alone, then all compute.

    Raises:
        BadFacts: the file cannot be used.
    """
    return trends(read_published(), PRIMARY, day_of(BEGIN))


@cache
def usual_slopes(accounting: Accounting) -> tuple[Slope, ...]:
    """What `slopes` gives of that one of the usual trends.

    Raises:
        BadFacts: as `usual_trends`.
    """
    return next(slopes(trend) for trend in usual_trends() if trend.accounting == accounting)


def day_of(given: str | date) -> date:
    """The first day that counts.

    Raises:
        WrongOption: it is none.
    """
    if isinstance(given, datetime):  # a date, too, but one that no date is compared with
        return given.date()
    if isinstance(given, date):
        return given
    text = str(given).strip()
    try:
        return date.fromisoformat(f"{text}-01-01" if len(text) == 4 else text)
    except ValueError:
        raise WrongOption(
            f"--since {brief(given)} is no year and no day; say 2012 or 2012-09-30"
        ) from None


def _begun(systems: Iterable[PublishedSystem], begin: date) -> list[PublishedSystem]:
    """The newest first."""
    there = since_day(systems, begin)
    return sorted(there, key=lambda one: (one.published_on or begin, one.name), reverse=True)


def _domain(given: str, systems: list[PublishedSystem]) -> str:
    """The domain as the tables write it."""
    known = {word.casefold(): word for one in systems for word in one.domains}
    if given.casefold() not in known:
        hint = did_you_mean(given, sorted(known.values()))
        raise WrongOption(f"--domain {brief(given)}: no system is of that; {hint}")
    return known[given.casefold()]


def _sources(tables: Iterable[str]) -> tuple[str, ...]:
    sources = read_toml(facts_folder("sources.toml"))
    return tuple(
        f"{table}: {sources[table]['cite']}, <{sources[table]['url']}>, "
        f"downloaded by {sources[table]['retrieved']}"
        if table in sources
        else f"{table}: as given; of Epoch AI's tables the licence is CC BY 4.0"
        for table in sorted(tables, reverse=True)
    )
