"""Figures of the trend of published systems, for expressions of claims."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from flopledger.field.look_up import usual_slopes, usual_trends
from flopledger.field.trend import Trend
from flopledger.ledger.methods import Accounting
from flopledger.ledger.quantity import Kind
from flopledger.statements.no_figure import NoFigure

TREND_FUNCTIONS = ("trend", "spread", "pair_spread", "horizon_slope")
Pairs = Literal["any", "one domain", "two domains"]
End = Literal["value", "low", "high"]


@dataclass(frozen=True)
class TrendFigures:
    """What expressions may ask of the systems since 2012, of either accounting.

    Attributes:
        place_of: a run's day and parameters, by its name.
        rests: told of everything that an answer rests on.
    """

    place_of: Callable[[str], tuple[date, float]]
    rests: Callable[[Kind, str], None]

    def trend(self, run: str, accounting: Accounting) -> float:
        """FLOP per parameter that systems of a run's date and size have, on the trend.

        The trend is of figures of that accounting: facts/systems.csv has a table of either.
        """
        day, params = self.place_of(run)
        return float(10 ** self._trend(accounting).expected(day, params))

    def spread(self, accounting: Accounting) -> float:
        """Orders by which systems vary about that trend: one standard deviation."""
        return self._trend(accounting).sd

    def pair_spread(self, accounting: Accounting, which: Pairs = "any") -> float:
        """Orders by which "any" two systems differ beyond it, of "one domain" or "two domains"."""
        trend = self._trend(accounting)
        spreads = {"any": trend.pair_sd, "one domain": trend.within, "two domains": trend.across}
        if which not in spreads:
            raise NoFigure(f"no pairs are called {which!r}; say {', '.join(spreads)}")
        spread = spreads[which]
        if spread is None:
            raise NoFigure(f"{which}: {trend.name} has no such pair")
        return spread

    def horizon_slope(self, accounting: Accounting, systems: str, end: End = "value") -> float:
        """Orders above the trend for an order of steps per outcome.

        Args:
            accounting: of the figures.
            systems: "any domain" or "games alone".
            end: "value", or the wider of its two 90% intervals' "low" or "high".
        """
        self._trend(accounting)  # which refuses what is no accounting
        found = {one.name: one for one in usual_slopes(accounting)}
        self.rests("assumed", "facts/steps_per_outcome.csv")  # some of its steps are
        if systems not in found:
            raise NoFigure(f"no slope is of {systems!r}; say {', '.join(found)}")
        slope = found[systems]
        ends: dict[str, float] = {
            "value": slope.value,
            "low": min(slope.interval[0], slope.robust[0]),
            "high": max(slope.interval[1], slope.robust[1]),
        }
        if end not in ends:
            raise NoFigure(f"a slope has no {end!r}; say {', '.join(ends)}")
        return ends[end]

    def _trend(self, accounting: Accounting) -> Trend:
        trends = {one.accounting: one for one in usual_trends()}
        if accounting not in trends:
            known = " or ".join(get_args(Accounting))
            raise NoFigure(f"no accounting is called {accounting!r}; say {known}")
        self.rests("cited", "facts/systems.csv: Epoch AI's tables, CC BY 4.0")
        self.rests("derived", "least squares of compute per parameter on date and parameters")
        return trends[accounting]
