"""Self-play as a table, as JSON, and as a notebook shows it."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from flopledger.play.played_game import Played
from flopledger.play.selfplay_result import SelfPlay
from flopledger.play.statistics import Mean, evaluations_per_simulation, ratio
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import percent, short

_ROWS: tuple[tuple[str, Callable[[Played], float]], ...] = (
    ("asked for: simulations and roots", lambda game: game.asked),
    ("network evaluations", lambda game: game.made),
    ("saved by the cache", lambda game: game.cache),
    ("saved by reuse", lambda game: game.reuse),
    ("saved at terminal nodes", lambda game: game.terminal),
    ("FLOPs", lambda game: game.flops),
)


# what a narrow screen can do without, the least needed first
_FIRST_TO_GO = "5% to 95% of games", "90% (a game)", "90% (a move)", "in all"


def table(selfplay: SelfPlay) -> str:
    """A title, a row a figure, and what there is to know of the games."""
    lines = "".join(f"{wrapped(line)}\n" for line in _lines(selfplay.games, selfplay.finished))
    return f"{wrapped(_title(selfplay))}\n{plain_table(_frame(selfplay), _FIRST_TO_GO)}{lines}"


def csv(selfplay: SelfPlay) -> str:
    """One row a game, exact."""
    return to_csv(
        pd.DataFrame(
            {
                "game": game.index + 1,
                "ended": game.ended,
                "moves": game.moves,
                **{name: figure(game) for name, figure in _ROWS},
            }
            for game in selfplay.games
        )
    )


def markdown(selfplay: SelfPlay) -> str:
    """The table as GitHub's, its title above and what there is to know below."""
    lines = _lines(selfplay.games, selfplay.finished)
    notes = "".join(f"- {markdown_text(line)}\n" for line in lines)
    table = to_markdown(_frame(selfplay).rename(columns={"": "figure"}))
    return f"## {markdown_text(_title(selfplay))}\n\n{table}\n{notes}"


def html(selfplay: SelfPlay) -> str:
    """The table for a notebook."""
    lines = _lines(selfplay.games, selfplay.finished)
    return as_html(_title(selfplay), _frame(selfplay), lines)


# what the columns of the table may be called: --columns is held to it before any work is done
COLUMNS = ("a move", "90% (a move)", "a game", "90% (a game)", "5% to 95% of games", "in all")

FORMATS: dict[str, Callable[[SelfPlay], str]] = {
    "table": table,
    "json": SelfPlay.to_json,
    "csv": csv,
    "markdown": markdown,
    "html": lambda selfplay: page("selfplay", selfplay._repr_html_()),
}


def _title(selfplay: SelfPlay) -> str:
    header = selfplay.header
    return (
        f"{header.game}, {header.network} ({short(header.params)} parameters), "
        f"{header.simulations} simulations a move, {len(selfplay.finished)} games, "
        f"seed {header.seed}"
    )


def _frame(selfplay: SelfPlay) -> pd.DataFrame:
    games, whole = selfplay.games, selfplay.finished
    rows = [_row("moves", games, whole, lambda game: game.moves, by_move=False)]
    rows += [_row(name, games, whole, figure) for name, figure in _ROWS]
    return pd.DataFrame(rows)


def _row(
    name: str,
    games: Sequence[Played],
    whole: Sequence[Played],
    figure: Callable[[Played], float],
    by_move: bool = True,
) -> dict[str, str]:
    a_move = ratio(games, figure, lambda game: game.moves) if by_move else None
    a_game = ratio(whole, figure) if whole else None
    return {
        "": name,
        "a move": short(a_move.mean if a_move else None),
        "90% (a move)": _interval(a_move),
        "a game": short(a_game.mean if a_game else None),
        "90% (a game)": _interval(a_game),
        "5% to 95% of games": _spread([figure(game) for game in whole]),
        "in all": short(sum(figure(game) for game in games)),
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
        spread = f"90%: {reach}, by game" if reach != "-" else "one game, so no interval"
        lines.append(f"evaluations per simulation, without the roots': {each.mean:.4f} ({spread})")
    if stopped := [game for game in games if not game.finished]:
        lines.append(
            f"{_names(stopped)} stopped ({stopped[-1].ended}) after "
            f"{_reach([game.moves for game in stopped])} moves: in the figures a move and in all, "
            "not in those a game"
        )
    cut = sum(game.ended == "drawn at the limit" for game in whole)
    if cut:
        lines.append(f"{percent(cut, len(whole))} of the games ended at the limit of moves")
    return lines


def _names(games: Sequence[Played]) -> str:
    return f"game {games[0].index + 1} was" if len(games) == 1 else f"{len(games)} games were"


def _reach(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
