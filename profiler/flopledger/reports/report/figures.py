"""The report's charts: each is one function that says what it shows, and where on the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from flopledger.field.field_result import Scale
from flopledger.reports import charts, compare_chain, systems_charts
from flopledger.reports.report import games_of_horizon, horizon_chapter
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
Draw = Callable[[Findings], Mapping[str, Any]]

# the networks whose layers stand beside each other
SIDE_BY_SIDE = ("alexnet", "alphazero-chess", "alphazero-go")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart of the report, drawn.

    Attributes:
        name: of its files in figures/.
        place: of the page.
        part: of the place: a version, a chain, a scale; "" in a place that has no parts.
        title: what it shows, in a line.
        spec: the chart as Vega-Lite.
    """

    name: str
    place: Place
    part: str
    title: str
    spec: dict[str, Any]


_charts: list[tuple[Place, str, Draw]] = []


def figure(place: Place, title: str) -> Callable[[Draw], Draw]:
    """Register the decorated function as a chart of the report, called as the function is.

    The function returns an Altair chart for each part of the place, or under "" the only one.

    Args:
        place: where it is drawn, below the charts of that place that are registered before it.
        title: what it shows, in a line; "{}" stands for the part.
    """

    def register(draw: Draw) -> Draw:
        _charts.append((place, title, draw))
        return draw

    return register


def drawn(findings: Findings) -> list[Figure]:
    """Every chart of the report."""
    return [
        Figure(
            name="-".join(filter(None, [draw.__name__.replace("_", "-"), part])),
            place=place,
            part=part,
            title=title.format(part),
            spec=chart.to_dict(),
        )
        for place, title, draw in _charts
        for part, chart in draw(findings).items()
    ]


@figure(
    "versions",
    "What makes the orders of magnitude from AlexNet to {}, with 90% intervals",
)
def waterfall(findings: Findings) -> Mapping[str, Any]:
    """AlexNet beside each version of AlphaZero, by either accounting."""
    return {
        f"{name}-{accounting}": charts.waterfall_in_words(split)
        for name, splits in findings.comparisons.items()
        for accounting, split in splits.items()
    }


@figure("layers", "Each layer's share of its network's parameters, and of its FLOPs")
def shares(findings: Findings) -> Mapping[str, Any]:
    """Two bars a network."""
    profiles = {profile.model: profile for _, profile in findings.counted}
    return {"": charts.shares([profiles[name] for name in SIDE_BY_SIDE if name in profiles])}


@figure("networks", "FLOPs per parameter of every network of the zoo, log scale")
def flops_per_parameter(findings: Findings) -> Mapping[str, Any]:
    """A bar a network."""
    return {"": charts.flops_per_param(findings.counted)}


@figure("horizon", "Handwritten digits: samples to the target by how many images share a reward")
def horizon_digits(findings: Findings) -> Mapping[str, Any]:
    """The horizon's experiment."""
    return {"": horizon_chapter.chart(findings.horizons["digits"])}


@figure("games", "Games: FLOP to one strength by what the network was told, a point a trial")
def horizon_games(findings: Findings) -> Mapping[str, Any]:
    """The same network told by search, by results alone and by a stored player."""
    if not games_of_horizon.games_of(findings.horizons):
        return {}
    return {"": games_of_horizon.chart(findings.horizons)}


@figure("trainings", "Orders of magnitude from the small AlexNet to the small AlphaZero")
def waterfall_watched(findings: Findings) -> Mapping[str, Any]:
    """The two trainings that were metered."""
    return {"": charts.waterfall(findings.watched)}


@figure("normal", "How far each system lies off the trend of its date and size; rings are our runs")
def off_trend(findings: Findings) -> Mapping[str, Any]:
    """A row a domain, and this ledger's runs by either accounting."""
    return {"": systems_charts.off_trend(findings.field)}


@figure("field", "Training FLOP per parameter by date, {} scale; red rings are this ledger's runs")
def per_parameter(findings: Findings) -> Mapping[str, Any]:
    """Everybody's systems, by domain, and this ledger's runs."""
    scales: tuple[Scale, ...] = get_args(Scale)
    return {scale: systems_charts.per_param(findings.field, scale) for scale in scales}


@figure("hours", "Orders of magnitude of hours, step by step")
def chain(findings: Findings) -> Mapping[str, Any]:
    """A waterfall a chain of DAWNBench's entries."""
    return {
        name: charts.chain_waterfall(steps, compare_chain.letters(steps))
        for name, steps in findings.chains.items()
    }


@figure("history", "Training compute of published systems by date, {} scale")
def compute(findings: Findings) -> Mapping[str, Any]:
    """What was published as points, this ledger's totals as rings."""
    totals = {
        name: (findings.runs[name].published_on.isoformat(), ledger.total_flops)
        for name, ledger in findings.ledgers.items()
        if ledger.total_flops is not None
    }
    return {
        scale: charts.compute_over_time(findings.systems, totals, scale)
        for scale in ("log", "linear")
    }
