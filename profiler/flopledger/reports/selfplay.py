"""Self-play as a table or as JSON."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from flopledger.play.games_file import Header
from flopledger.play.played_game import Played
from flopledger.play.statistics import Mean, as_object, evaluations_per_simulation, ratio
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import percent, short

_ROWS: tuple[tuple[str, Callable[[Played], float]], ...] = (
    ("asked for: simulations and roots", lambda one: one.asked),
    ("network evaluations", lambda one: one.made),
    ("saved by the cache", lambda one: one.cache),
    ("saved by reuse", lambda one: one.reuse),
    ("saved at terminal nodes", lambda one: one.terminal),
    ("passes of the network", lambda one: one.passes),
    ("FLOPs", lambda one: one.flops),
)


def render(header: Header, games: Sequence[Played], form: str) -> str:
    """The games as "table" or "json"."""
    if form == "json":
        return json.dumps(as_object(header, games), indent=2, allow_nan=False) + "\n"
    whole = [one for one in games if one.finished]
    rows = [_row("moves", games, whole, lambda one: one.moves, by_move=False)]
    rows += [_row(name, games, whole, figure) for name, figure in _ROWS]
    title = (
        f"{header.game}, {header.network} ({short(header.params)} parameters), "
        f"{header.simulations} simulations a move, {len(whole)} games, seed {header.seed}\n"
    )
    return title + plain_table(pd.DataFrame(rows)) + "".join(_lines(games, whole))


def _row(
    name: str,
    games: Sequence[Played],
    whole: Sequence[Played],
    figure: Callable[[Played], float],
    by_move: bool = True,
) -> dict[str, str]:
    a_move = ratio(games, figure, lambda one: one.moves) if by_move else None
    a_game = ratio(whole, figure) if whole else None
    return {
        "": name,
        "a move": short(a_move.mean if a_move else None),
        "90% (a move)": _interval(a_move),
        "a game": short(a_game.mean if a_game else None),
        "90% (a game)": _interval(a_game),
        "5% to 95% of games": _spread([figure(one) for one in whole]),
        "in all": short(sum(figure(one) for one in games)),
    }


def _spread(figures: Sequence[float]) -> str:
    if not figures:
        return "-"
    low, high = np.quantile(figures, (0.05, 0.95))
    return f"{short(low)} to {short(high)}"


def _interval(mean: Mean | None) -> str:
    if mean is None or mean.low is None or mean.high is None:
        return "-"
    return f"{short(mean.low)} to {short(mean.high)}"


def _lines(games: Sequence[Played], whole: Sequence[Played]) -> list[str]:
    each = evaluations_per_simulation(games)
    lines = []
    if each is not None:
        reach = _interval(each)
        said = f"90%: {reach}, by game" if reach != "-" else "one game, so no interval"
        lines.append(f"evaluations per simulation, without the roots': {each.mean:.4f} ({said})\n")
    for one in games:
        if not one.finished:
            lines.append(
                f"game {one.index + 1} was stopped ({one.ended}) after {one.moves} moves: in the "
                "figures a move and in all, not in those a game\n"
            )
    cut = sum(one.ended == "drawn at the limit" for one in whole)
    if cut:
        lines.append(f"{percent(cut, len(whole))} of the games ended at the limit of moves\n")
    return lines
