"""The trend with other systems and other terms: how much its spread rests on what was chosen."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from flopledger.field.published_systems import OLDER, PublishedSystem, newest, of_table, since
from flopledger.field.trend import Interval, TooFew, Trend, fit
from flopledger.ledger.methods import Accounting

# standard deviations beyond which a system is called an outlier
OUTLIER = 3
DECADES = (date(2012, 1, 1), date(2020, 1, 1), date(2030, 1, 1))


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A trend of other systems or with other terms.

    Attributes:
        name: what is other.
        systems: how many they are.
        accounting: of their figures; None where it is mixed.
        sd: standard deviation of the residuals, orders.
        sd_interval: 90%.
        pair_sd: of two systems' difference.
        left_out_sd: root mean square of each system off the trend of the others.
        orders_a_year: how the trend rises.
        alexnet: orders that AlexNet lies above it; None where AlexNet is not among the systems.
    """

    name: str
    systems: int
    accounting: Accounting | None
    sd: float
    sd_interval: Interval
    pair_sd: float
    left_out_sd: float
    orders_a_year: float
    alexnet: float | None


def variants(
    primary: Trend, published: Sequence[PublishedSystem], begin: date
) -> tuple[Variant, ...]:
    """The primary trend, and what becomes of it; a variant of too few systems is left out.

    Args:
        primary: the trend.
        published: every table's systems; those of the primary's table are replaced by its own.
        begin: the day from which systems count.
    """
    return tuple(map(_variant, _trends(primary, published, begin)))


def _trends(primary: Trend, published: Sequence[PublishedSystem], begin: date) -> Iterator[Trend]:
    yield primary
    own = primary.systems
    older = of_table(published, OLDER)
    sd = primary.sd
    off = {one.name: primary.residual(one.name) for one in own}
    inside = {name for name, orders in off.items() if orders is None or abs(orders) <= OUTLIER * sd}
    chosen: list[tuple[str, Callable[[], Sequence[PublishedSystem]]]] = [
        ("both tables together", lambda: since(newest((*own, *older)), begin)),
        (f"{OLDER} alone", lambda: since(older, begin)),
        (f"without those {OUTLIER} sd off", lambda: [one for one in own if one.name in inside]),
        ("without games", lambda: [one for one in own if "Games" not in one.domains]),
        ("published 2012 to 2019", lambda: _between(own, *DECADES[:2])),
        ("published from 2020", lambda: _between(own, *DECADES[1:])),
        ("Confident alone", lambda: [one for one in own if one.confidence == "Confident"]),
        ("not Confident", lambda: [one for one in own if one.confidence != "Confident"]),
    ]
    with suppress(TooFew):
        yield fit("a level for each domain", own, by_domain=True)
    for name, systems in chosen if older else chosen[2:]:
        with suppress(TooFew):
            yield fit(name, systems())


def _between(systems: Sequence[PublishedSystem], begin: date, end: date) -> list[PublishedSystem]:
    return [one for one in since(systems, begin) if one.published_on and one.published_on < end]


def _variant(trend: Trend) -> Variant:
    return Variant(
        name=trend.name,
        systems=len(trend.systems),
        accounting=trend.accounting,
        sd=trend.sd,
        sd_interval=trend.sd_interval,
        pair_sd=trend.pair_sd,
        left_out_sd=trend.left_out_sd,
        orders_a_year=trend.orders_a_year,
        alexnet=trend.residual("AlexNet"),
    )
