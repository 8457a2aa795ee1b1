"""Systems: published systems, their trend, and where this ledger's runs lie among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from flopledger.field.horizon_slope import Slope
from flopledger.field.places import Place
from flopledger.field.published_systems import PublishedSystem
from flopledger.field.sensitivity import Variant
from flopledger.field.trend import Trend
from flopledger.options import Picture
from flopledger.storage.visible import visible_lines

if TYPE_CHECKING:
    import pandas as pd

Scale = Literal["log", "linear"]


@dataclass(frozen=True, kw_only=True)
class Systems:
    """Systems by their training compute per parameter.

    Attributes:
        rows: those that were asked for, the newest first; where both tables have a system, as the
            newer one does.
        domain: the one that they are of; None for all.
        since: the day from which systems count.
        trends: of compute per parameter in date and parameters, whatever the domain asked for: the
            primary one first, then that of the other accounting.
        variants: the primary trend with other systems or terms; itself first.
        places: where this ledger's runs lie off the trends.
        slopes: how far systems lie off the primary trend, by the length of their horizon.
        notes: what was noticed of a download, a line each.
        sources: whose figures they are, a line each.
    """

    rows: Sequence[PublishedSystem]
    domain: str | None
    since: date
    trends: tuple[Trend, ...]
    variants: tuple[Variant, ...]
    places: tuple[Place, ...]
    slopes: tuple[Slope, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def trend(self) -> Trend:
        """The primary trend."""
        return self.trends[0]

    def off(self, system: PublishedSystem) -> float | None:
        """Orders that a system lies above the trend of its own accounting; None without such."""
        for trend in self.trends:
            if system.published_on is not None and trend.accounting == system.accounting:
                return trend.off(system.published_on, system.params, system.flop_per_param)
        return None

    def frame(self) -> "pd.DataFrame":
        """A row a system: what its table has, FLOP per parameter, orders off its trend."""
        from flopledger.reports.systems import frame

        return frame(self)

    def by_domain(self) -> "pd.DataFrame":
        """A row a domain: percentiles of FLOP per parameter, and how its systems lie off."""
        from flopledger.reports.systems import by_domain

        return by_domain(self)

    def chart(self, form: Picture, scale: Scale = "log") -> str | bytes:
        """Compute per parameter against date, with this ledger's runs on it."""
        from flopledger.reports.systems import picture

        return picture(self, form, scale)

    def to_json(self) -> str:
        """The object of `flopledger systems --format json`."""
        from flopledger.reports.systems import as_object
        from flopledger.storage.json_text import json_text

        return json_text(as_object(self))

    def __repr__(self) -> str:
        from flopledger.reports.systems import summary

        return visible_lines(summary(self).rstrip("\n"))

    def _repr_html_(self) -> str:
        from flopledger.reports.systems import html

        return html(self)
