"""What each figure of the report says of itself: the finding, made of the report's own numbers."""

from collections.abc import Mapping, Sequence
from math import log10

from flopledger.experiments.estimates import orders_between
from flopledger.experiments.game_tasks import GRADIENT, SEARCH
from flopledger.experiments.horizon_result import Horizon
from flopledger.field.field_result import Systems
from flopledger.ledger.comparison import Comparison
from flopledger.profiles.tables import Profile
from flopledger.reports import compare, systems_charts
from flopledger.reports.charts import per_sample
from flopledger.reports.pictures import Caption, cited, orders_in_words, times
from flopledger.reports.report import field_chapter, games_of_horizon
from flopledger.reports.report.report_data import Findings
from flopledger.reports.units import short

COUNTED = "the networks' own code, counted"
MEASURED = "trained and measured here, facts/measured/"


def versions(findings: Findings, split: Comparison) -> Caption:
    """AlexNet beside a version of AlphaZero, both called by their titles.

    Args:
        findings: whose runs they are.
        split: as it is drawn.
    """
    titles = [findings.runs[name].title for name in (split.a, split.b)]
    return compare.caption(split, *titles)


def shares(profiles: Sequence[Profile]) -> Caption:
    """How much of each network is convolutions."""
    told = []
    for profile in profiles:
        frame = profile.by_kind()
        own = frame[frame["kind"] == "conv"]
        params, flops = (own[c].sum() / frame[c].sum() for c in ("params", "flops"))
        told.append(f"{params:.1%} and {flops:.1%} in {profile.model}")
    return Caption(
        title=f"Convolutions' share of parameters and of FLOPs is {', '.join(told)}",
        subtitle=(
            "Each network is two bars, of its parameters and of its forward FLOPs (2 x MACs), in "
            "percent; a box is a layer, from the input on the left to the output.",
        ),
        sources=COUNTED,
    )


def flops_per_parameter(profiles: Sequence[Profile], ends: Sequence[str]) -> Caption:
    """How far two networks are apart, or all of them.

    Args:
        profiles: of those that are drawn.
        ends: the names of two that are set beside each other, if both are drawn.
    """
    values = dict(per_sample(p) for p in profiles if p.total("flops_per_param"))
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    if set(ends) <= values.keys():
        low, high = ends
    ratio = times(values[high] / values[low])
    return Caption(
        title=f"{high} takes {ratio} times the FLOPs per parameter that {low} takes: "
        f"{short(values[high])} against {short(values[low])}",
        subtitle=(
            f"Forward FLOPs (2 x MACs) of one sample over trainable parameters, {len(values)} "
            "networks, log scale. A sample is what one loss term is computed from: an image, a "
            "position, of a sequence one token.",
        ),
        sources=COUNTED,
    )


def digits(result: Horizon) -> Caption:
    """What sharing one reward among many costs."""
    growth, title = result.growth, "Too few horizons reached the target for a law"
    if growth is not None:
        first, last = growth.horizons[0], growth.horizons[-1]
        ratio = growth.line.at(last) / growth.line.at(first)
        title = (
            f"Where {last:g} images share one reward, learning takes {times(ratio)} times the "
            f"samples that it takes with a reward for {'each' if first == 1 else f'{first:g}'}"
        )
    return Caption(
        title=title,
        subtitle=(
            f"Handwritten digits: samples until {result.target:.0%} of the test's images "
            "are named rightly, log scales; points are means, upright lines 90% intervals, "
            "curves what was fitted, the level line learning from labels.",
        ),
        sources=MEASURED,
    )


def games(horizons: Mapping[str, Horizon]) -> Caption:
    """What results alone cost beside search's moves, game by game."""
    told = []
    for task, result in games_of_horizon.games_of(horizons).items():
        found = orders_between(result.rows, SEARCH, GRADIENT, "flops")
        least = games_of_horizon.least_orders(result, SEARCH, GRADIENT, "flops")
        if found is not None:
            told.append(f"{times(10 ** found[0])} times ({task})")
        elif least is not None:
            told.append(f"at least {times(10**least)} times ({task})")
    multiple = ", ".join(told) or "an unknown multiple of"
    return Caption(
        title=f"Told results alone, a network took {multiple} the FLOP to one strength that it "
        "took told a search's moves",
        subtitle=(
            "FLOP of a small network until it wins against a fixed search by random games, told "
            "the moves that a search prefers, the game's result alone, or a stored strong player's "
            "moves; a point a trial, hollow where it stopped short of the strength; log scale.",
        ),
        sources=MEASURED,
    )


def off_trend(field: Systems) -> Caption:
    """Where the discussion's two runs lie."""
    steps, whole = (field_chapter.off_trend(field, kind) for kind in ("training", "all"))
    alexnet = field_chapter.off_trend(field, None, "alexnet")  # its ring, not Epoch's tick
    return Caption(
        title=f"AlphaZero (Go) lies {steps.orders:.1f} orders of magnitude above the trend in "
        f"gradient steps alone, {whole.orders:.1f} with the search that made its games; "
        f"AlexNet {alexnet.orders:+.1f}",
        subtitle=(
            "Orders of magnitude of training FLOP per parameter above the trend of date and size, "
            f"of {len(field.trend.systems)} notable systems by domain: a tick is a system, the "
            "band one standard deviation to either side.",
        ),
        sources=systems_charts.whose(field),
    )


def compute(findings: Findings, totals: Mapping[str, tuple[str, float]], scale: str) -> Caption:
    """From AlexNet to the largest run.

    Args:
        findings: the report's.
        totals: each run's day and FLOP, as they are drawn.
        scale: the axis's.
    """
    last = max(totals, key=lambda name: totals[name][1])
    (first_day, first), (day, flop) = totals["alexnet"], totals[last]
    published = cited(s.source for s in findings.systems)
    return Caption(
        title=f"From alexnet ({first_day[:4]}, {first:.1e} FLOP) to {last} ({day[:4]}, "
        f"{flop:.1e} FLOP) training compute grew by {orders_in_words(log10(flop / first))}",
        subtitle=(
            f"Training compute in FLOP by date of publication, {scale} scale: points as published, "
            f"rings {len(totals)} runs of this ledger, from the bottom up.",
        ),
        sources=f"{published}; this ledger's facts",
    )
