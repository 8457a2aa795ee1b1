"""The report's charts: each is one function that says what it shows, and where on the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from flopledger.field.field_result import Scale
from flopledger.reports import charts, compare, compare_chain, systems_charts, waterfalls
from flopledger.reports.pictures import Caption
from flopledger.reports.report import captions, games_of_horizon, horizon_chapter
from flopledger.reports.report.report_data import Findings

# the places of page.html that show charts
Place = Literal[
    "versions",
    "layers",
    "networks",
    "trainings",
    "normal",
    "field",
    "horizon",
    "games",
    "hours",
    "history",
]
Draw = Callable[[Findings], Mapping[str, tuple[Any, Caption]]]

SCALES: tuple[Scale, ...] = get_args(Scale)
# the networks whose layers stand beside each other
SIDE_BY_SIDE = ("alexnet", "alphazero-chess", "alphazero-go")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart of the report, drawn.

    Attributes:
        name: of its files in figures/.
        place: of the page.
        part: of the place: a version, a chain, a scale; "" in a place that has no parts.
        caption: what it shows, of what, by whose figures.
        spec: the chart as Vega-Lite.
    """

    name: str
    place: Place
    part: str
    caption: Caption
    spec: dict[str, Any]

    @property
    def title(self) -> str:
        """What it shows, in a sentence."""
        return self.caption.title


_charts: list[tuple[Place, Draw]] = []


def figure(place: Place) -> Callable[[Draw], Draw]:
    """Register the decorated function as a chart of the report, called as the function is.

    The function returns an Altair chart and what it says of itself for each part of the place, or
    under "" the only one.

    Args:
        place: where it is drawn, below the charts of that place that are registered before it.
    """

    def register(draw: Draw) -> Draw:
        _charts.append((place, draw))
        return draw

    return register


def drawn(findings: Findings) -> list[Figure]:
    """Every chart of the report."""
    return [
        Figure(
            name="-".join(filter(None, [draw.__name__.replace("_", "-"), part])),
            place=place,
            part=part,
            caption=caption,
            spec=chart.to_dict(),
        )
        for place, draw in _charts
        for part, (chart, caption) in draw(findings).items()
    ]


@figure("versions")
def waterfall(findings: Findings) -> Mapping[str, Any]:
    """AlexNet beside each version of AlphaZero, by either accounting."""
    drawn_as = {
        f"{name}-{accounting}": waterfalls.in_words(split)
        for name, splits in findings.comparisons.items()
        for accounting, split in splits.items()
    }
    return {
        part: (waterfalls.waterfall(split), captions.versions(findings, split))
        for part, split in drawn_as.items()
    }


@figure("layers")
def shares(findings: Findings) -> Mapping[str, Any]:
    """Two bars a network."""
    profiles = {profile.model: profile for _, profile in findings.counted}
    shown = [profiles[name] for name in SIDE_BY_SIDE if name in profiles]
    return {"": (charts.shares(shown), captions.shares(shown))}


@figure("networks")
def flops_per_parameter(findings: Findings) -> Mapping[str, Any]:
    """A point a network."""
    profiles = [profile for _, profile in findings.counted]
    caption = captions.flops_per_parameter(profiles, (SIDE_BY_SIDE[0], SIDE_BY_SIDE[-1]))
    return {"": (charts.flops_per_param(findings.counted), caption)}


@figure("horizon")
def horizon_digits(findings: Findings) -> Mapping[str, Any]:
    """The horizon's experiment."""
    result = findings.horizons["digits"]
    return {"": (horizon_chapter.chart(result), captions.digits(result))}


@figure("games")
def horizon_games(findings: Findings) -> Mapping[str, Any]:
    """The same network told by search, by results alone and by a stored player."""
    if not games_of_horizon.games_of(findings.horizons):
        return {}
    return {"": (games_of_horizon.chart(findings.horizons), captions.games(findings.horizons))}


@figure("trainings")
def waterfall_watched(findings: Findings) -> Mapping[str, Any]:
    """The two trainings that were metered."""
    watched = findings.watched
    caption = compare.caption(watched, watched.a, watched.b)
    return {"": (waterfalls.waterfall(watched), caption)}


@figure("normal")
def off_trend(findings: Findings) -> Mapping[str, Any]:
    """A row a domain, and this ledger's runs by either accounting."""
    return {"": (systems_charts.off_trend(findings.field), captions.off_trend(findings.field))}


@figure("field")
def per_parameter(findings: Findings) -> Mapping[str, Any]:
    """Everybody's systems, by domain, and this ledger's runs."""
    field = findings.field
    return {
        scale: (
            systems_charts.per_param(field, scale),
            systems_charts.per_param_caption(field, scale),
        )
        for scale in SCALES
    }


@figure("hours")
def chain(findings: Findings) -> Mapping[str, Any]:
    """A waterfall a chain of DAWNBench's entries."""
    return {
        name: (
            waterfalls.chain_waterfall(steps, compare_chain.letters(steps)),
            compare_chain.caption(steps),
        )
        for name, steps in findings.chains.items()
    }


@figure("history")
def compute(findings: Findings) -> Mapping[str, Any]:
    """What was published as points, this ledger's totals as rings."""
    totals = {
        name: (findings.runs[name].published_on.isoformat(), ledger.total_flops)
        for name, ledger in findings.ledgers.items()
        if ledger.total_flops is not None
    }
    return {
        scale: (
            charts.compute_over_time(findings.systems, totals, scale),
            captions.compute(findings, totals, scale),
        )
        for scale in SCALES
    }
