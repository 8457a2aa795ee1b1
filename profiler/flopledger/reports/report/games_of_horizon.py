"""The horizon's chapter, of games: what search, results alone and a stored player's moves cost."""

from collections.abc import Mapping, Sequence
from math import log10

import altair as alt
import pandas as pd

from flopledger.experiments.estimates import (
    Figure,
    figure_of,
    measured_by,
    orders_between,
    spent_of,
)
from flopledger.experiments.game_tasks import GAME_TASKS, GRADIENT, IMITATION, SEARCH
from flopledger.experiments.horizon_result import Horizon
from flopledger.reports.marks import hover
from flopledger.reports.units import short

ARMS = {SEARCH: "search's moves", GRADIENT: "results alone", IMITATION: "a stored player's moves"}
COLOURS, SHAPES = ("#4c78a8", "#e8810c", "#8a8a8a"), ("circle", "square", "triangle-up")


def games_of(horizons: Mapping[str, Horizon]) -> dict[str, Horizon]:
    """The experiments on games among these."""
    return {
        task: result for task, result in horizons.items() if {SEARCH, GRADIENT} <= {*result.arms}
    }


def paragraphs(horizons: Mapping[str, Horizon]) -> list[str]:
    """What was done, what search's moves are worth, and what a larger board costs."""
    games = games_of(horizons)
    if not games:
        return []
    told = [
        "Games: one small network was trained until its policy, without search, won a fixed share "
        f"against a fixed search by random games: {_strengths(games)} (the mean of three tests of "
        "60 games). It was told which moves a search prefers (AlphaZero's way), the game's result "
        "alone (policy gradient), or the moves of a stored strong player, whose own cost, random "
        "games and no network, is not in the FLOP. Orders by which results alone take more than "
        f"search's moves do: {'; '.join(_worth(*game) for game in games.items())}."
    ]
    dear = [
        f"{task} {_orders(result, IMITATION, SEARCH, 'flops')}"
        for task, result in games.items()
        if IMITATION in result.arms
    ]
    if dear:
        told.append(
            "Orders of FLOP by which search takes more than imitating, at Hex at least, for there "
            "imitating is at the strength at the first tests: "
            f"{'; '.join(dear)}."
        )
    hex_games = {int(task[4:]): result for task, result in games.items() if task[:4] == "hex-"}
    if len(hex_games) > 1:
        told.append(_by_board(hex_games))
    return told


def _strengths(games: Mapping[str, Horizon]) -> str:
    """The share and the opponent's random games a move, with the games that have both."""
    tasks: dict[str, list[str]] = {}
    for task, result in games.items():
        strength = f"{result.target:.0%} against {GAME_TASKS[task].rollouts} a move"
        tasks.setdefault(strength, []).append(task)
    return "; ".join(f"{strength} in {', '.join(own)}" for strength, own in tasks.items())


def _worth(task: str, result: Horizon) -> str:
    samples, flops = (_orders(result, SEARCH, GRADIENT, figure) for figure in ("samples", "flops"))
    return f"{task} {samples} of samples and {flops} of all FLOP"


def _orders(result: Horizon, below: str, above: str, figure: Figure) -> str:
    found = orders_between(result.rows, below, above, figure)
    if found is not None:
        value, low, high = found
        return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
    least = least_orders(result, below, above, figure)
    if least is None:
        return f"unknown (no trial of {ARMS[below]} reached it)"
    return (
        f"at least {least:+.2f} (by {ARMS[above]} {_reached(result, above)} trials reached it, by "
        f"{ARMS[below]} {_reached(result, below)})"
    )


def _reached(result: Horizon, arm: str) -> str:
    rows = measured_by(result.rows, arm)
    return f"{sum(row.reached for row in rows)} of {len(rows)}"


def least_orders(result: Horizon, below: str, above: str, figure: Figure) -> float | None:
    """By how many orders one arm is at least above another, by what its trials had spent.

    None where no trial of the lower one reached the strength.
    """
    less = figure_of(result.rows, below, figure)
    return None if less is None else log10(spent_of(result.rows, above, figure) / less)


def _by_board(games: Mapping[int, Horizon]) -> str:
    first, last = min(games), max(games)
    each = []
    for arm in (SEARCH, GRADIENT):
        small, large = (figure_of(games[side].rows, arm, "flops") for side in (first, last))
        if small is not None and large is not None:
            each.append(f"{ARMS[arm]} {(large / small) ** (1 / (last - first)):.1f}")
    return (
        f"From Hex on {first} x {first} to {last} x {last} each row more multiplies the FLOP to "
        f"that strength by {', '.join(each)}. Jones 2021 (arXiv 2104.03113) finds about 7 for "
        "AlphaZero and perfect play, with a network of the best size for each board; here the "
        "network stays, and the opponent is a weaker one the larger the board."
    )


def chart(horizons: Mapping[str, Horizon]) -> alt.Chart:
    """FLOP to the strength by game and by what the network was told, a point a trial."""
    games = games_of(horizons)
    rows = [
        {
            "game": task,
            "told": ARMS[row.arm],
            "FLOP": row.flops,
            "seed": row.seed,
            "reached": row.reached,
            "in words": f"{short(row.flops)} FLOP" + ("" if row.reached else ", and not there yet"),
        }
        for task, result in games.items()
        for row in result.rows
        if row.purpose == "measuring"
    ]
    names: Sequence[str] = list(ARMS.values())
    colours = alt.Scale(domain=names, range=list(COLOURS))
    powers = [10.0**n for n in range(8, 13)]
    drawn: alt.Chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_point(filled=True, size=60, opacity=0.8, strokeWidth=1.5)
        .encode(
            x=alt.X("FLOP:Q", scale=alt.Scale(type="log"), title="all FLOP to the strength",
                    axis=alt.Axis(values=powers, format=".0e")),
            y=alt.Y("game:N", sort=list(games), title=None),
            yOffset=alt.YOffset("told:N", sort=names),
            fill=alt.Fill("told:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
            stroke=alt.Stroke("told:N", scale=colours, legend=None),
            fillOpacity=alt.condition(alt.datum.reached, alt.value(1), alt.value(0)),
            shape=alt.Shape("told:N", scale=alt.Scale(domain=names, range=list(SHAPES)),
                            legend=alt.Legend(orient="top", title=None)),
            tooltip=hover("game", "told", "seed", "in words"),
        )
        .properties(width=640, height=70 * max(1, len(games)), background="transparent")
    )  # fmt: skip
    return drawn
