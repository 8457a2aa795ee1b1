"""A tuning of the search as a table, as JSON, and as a notebook shows it."""

from collections.abc import Callable

import pandas as pd

from flopledger.play.elo import elo_of
from flopledger.play.score import Match, Spent
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import short
from flopledger.tuning.outcome import TUNED, Outcome, Tuning, verdict_of

_WORDS = {
    "puct": "PUCT constant",
    "noise": "Dirichlet noise",
    "temperature": "temperature",
    "reuse": "subtree reuse",
    "fpu": "first-play value",
}
_TITLES = {"gp": "Gaussian process", "random": "random search"}


def table(tuning: Tuning) -> str:
    """A title, a row a setting and a figure, and each sampler's verdict."""
    lines = "".join(f"{wrapped(line)}\n" for line in _verdicts(tuning))
    return f"{wrapped(_title(tuning))}\n{plain_table(_table(tuning))}{lines}"


def csv(tuning: Tuning) -> str:
    """One row a sampler, exact, under the keys of JSON joined by dots."""
    samplers = tuning.as_object()["samplers"]
    return to_csv(
        pd.json_normalize([{"sampler": name, **figures} for name, figures in samplers.items()])
    )


def markdown(tuning: Tuning) -> str:
    """The table as GitHub's, its title above and the verdicts below."""
    verdicts = "".join(f"- {markdown_text(line)}\n" for line in _verdicts(tuning))
    table = to_markdown(_table(tuning).rename(columns={"": "figure"}))
    return f"## {markdown_text(_title(tuning))}\n\n{table}\n{verdicts}"


def html(tuning: Tuning) -> str:
    """The table for a notebook."""
    return as_html(_title(tuning), _table(tuning), _verdicts(tuning))


# what the columns may be called, beside the defaults': --columns is held to it before any work
COLUMNS = ("Gaussian process", "random search")

FORMATS: dict[str, Callable[[Tuning], str]] = {
    "table": table,
    "json": Tuning.to_json,
    "csv": csv,
    "markdown": markdown,
    "html": lambda tuning: page("tune", tuning._repr_html_()),
}


def _title(tuning: Tuning) -> str:
    task = tuning.task
    return (
        f"{task.game}, {task.network} ({short(tuning.params)} parameters), "
        f"{task.evaluations} evaluations = "
        f"{short(tuning.budget_flops_per_move)} FLOPs a move, seed {task.seed}"
    )


def _verdicts(tuning: Tuning) -> list[str]:
    lines = [f"{_TITLES[outcome.sampler]}: {outcome.verdict}" for outcome in tuning.outcomes]
    if (pooled := tuning.pooled) is not None:
        low, high = pooled.interval
        lines.append(
            f"all chose one setting: {pooled.win_rate:.1%} ({low:.1%} to {high:.1%}); "
            f"{verdict_of(pooled)}"
        )
    return lines


def _table(tuning: Tuning) -> pd.DataFrame:
    outcomes = tuning.outcomes
    rows = [
        {
            "": _WORDS[name],
            f"defaults ({tuning.task.against})": _setting(tuning.defaults[name]),
            **{_TITLES[o.sampler]: _setting((o.chosen or {}).get(name)) for o in outcomes},
        }
        for name in TUNED
    ]
    for name, of_outcome in _TUNING:
        rows.append({"": name, **{_TITLES[o.sampler]: of_outcome(o) for o in outcomes}})
    for name, of_match in _FINAL:
        finals = {_TITLES[o.sampler]: of_match(o.final) if o.final else "-" for o in outcomes}
        rows.append({"": name, **finals})
    return pd.DataFrame(rows).fillna("")


def _in_games(outcome: Outcome) -> str:
    """Tuning's FLOPs over those of a game, both sides'."""
    if outcome.final is None:
        return "-"
    return f"{outcome.tuning_flops / (outcome.final.flops / outcome.final.score.games):,.0f}"


def _a_move(spent: Spent) -> str:
    if not spent.moves:
        return "-"
    return f"{short(spent.flops / spent.moves)}, at most {short(spent.most)}"


_TUNING: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("trials", lambda outcome: str(outcome.trials)),
    ("FLOPs of the trials", lambda outcome: short(outcome.search_flops)),
    ("FLOPs of the finalists' games", lambda outcome: short(outcome.replay_flops)),
    ("FLOPs of tuning", lambda outcome: short(outcome.tuning_flops)),
    ("FLOPs of tuning, in games", _in_games),
    (
        "win rate when chosen",
        lambda outcome: f"{outcome.seen.win_rate:.1%}" if outcome.seen else "-",
    ),
)
_FINAL: tuple[tuple[str, Callable[[Match], str]], ...] = (
    ("fresh games: won, drawn, lost", lambda m: "{won}, {drawn}, {lost}".format(**vars(m.score))),
    ("win rate", lambda m: f"{m.score.win_rate:.1%}"),
    ("90% (win rate)", lambda m: "{:.1%} to {:.1%}".format(*m.score.interval)),
    ("Elo", lambda m: f"{elo_of(m.score.win_rate):+.0f}"),
    ("90% (Elo)", lambda m: "{:+.0f} to {:+.0f}".format(*map(elo_of, m.score.interval))),
    ("FLOPs a move", lambda m: _a_move(m.candidate)),
    ("FLOPs a move, the defaults'", lambda m: _a_move(m.opponent)),
    ("FLOPs of the fresh games", lambda m: short(m.flops)),
)


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return short(value)
