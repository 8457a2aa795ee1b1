"""Where this ledger's own runs lie among the systems, by either accounting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from flopledger.field.trend import Trend
from flopledger.ledger.build import Profiles, measure
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.methods import Accounting
from flopledger.ledger.training_run import TrainingRun

BOTTOM_UP = "this ledger, from the bottom up"


@dataclass(frozen=True, kw_only=True)
class Off:
    """How far a figure lies off a trend.

    Attributes:
        trend: the trend's name.
        orders: above it.
        sds: the same in its standard deviations.
        crossed: whether the trend's accounting is another than the figure's, or not known: what is
            counted then differs, too.
    """

    trend: str
    orders: float
    sds: float
    crossed: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """A run's compute per parameter among the systems.

    Attributes:
        run: its name.
        title: for people.
        published_on: the day.
        params: of its networks.
        accounting: of the figure; None where the run makes no data, and both are one.
        source: whose figure it is.
        flop_per_param: the figure.
        off: how far it lies off each trend, the first being of the figure's accounting wherever
            there is such a one.
    """

    run: str
    title: str
    published_on: date
    params: float
    accounting: Accounting | None
    source: str
    flop_per_param: float
    off: tuple[Off, ...]


Ledgers = Mapping[Accounting, Ledger]


def ledgers_of(runs: Iterable[TrainingRun], profiles: Profiles) -> dict[str, Ledgers]:
    """Each run's two ledgers, by its name; its networks are counted once for both.

    Raises:
        BadFacts, BrokenModel, ProfilingError: a network of one cannot be had or counted.
    """
    counted: dict[str, Measured] = {}
    found: dict[str, Ledgers] = {}
    for run in runs:
        measure(run, profiles, counted)
        found[run.name] = {
            "all": build_ledger(run, counted, "all"),
            "training": build_ledger(run, counted, "training"),
        }
    return found


def places(
    runs: Iterable[TrainingRun], ledgers: Mapping[str, Ledgers], trends: Iterable[Trend]
) -> tuple[Place, ...]:
    """Where the runs lie: by this ledger's own total and by every published one.

    Args:
        runs: in the order in which they are told.
        ledgers: each run's two.
        trends: one an accounting.
    """
    trends = tuple(trends)
    return tuple(
        _place(run, ledger, accounting, source, value, trends)
        for run in runs
        for accounting, source, value, ledger in _figures(ledgers[run.name])
    )


def _figures(
    ledgers: Ledgers,
) -> Iterable[tuple[Accounting | None, str, float, Ledger]]:
    both = ledgers["all"].total, ledgers["training"].total
    same = both[0] is not None and both[0] == both[1]
    for accounting, ledger in ledgers.items():
        if ledger.total is not None and not (same and accounting == "training"):
            yield None if same else accounting, BOTTOM_UP, ledger.total, ledger
        for total in ledger.published:
            yield None if same else accounting, total.source, total.value, ledger


def _place(
    run: TrainingRun,
    ledger: Ledger,
    accounting: Accounting | None,
    source: str,
    value: float,
    trends: tuple[Trend, ...],
) -> Place:
    assert ledger.params is not None  # it is a ledger of compute
    params = float(ledger.params)
    offs = []
    for trend in trends:
        orders = trend.off(run.published_on, params, value)
        crossed = trend.accounting is None or accounting not in (None, trend.accounting)
        offs.append(Off(trend=trend.name, orders=orders, sds=orders / trend.sd, crossed=crossed))
    return Place(
        run=run.name,
        title=run.title,
        published_on=run.published_on,
        params=params,
        accounting=accounting,
        source=source,
        flop_per_param=value,
        off=tuple(sorted(offs, key=lambda off: off.crossed)),
    )
