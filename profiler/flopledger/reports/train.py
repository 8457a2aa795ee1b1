"""A training that was metered, as a table, as JSON, and as a notebook shows it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from flopledger.ledger.prediction import COUNTS, Agreement, Part
from flopledger.play.score import Score
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import short
from flopledger.training.training_result import Training


def table(training: Training) -> str:
    """What was done and what came of it, a line each; then the prediction beside it."""
    lines = (_title(training), *_lines(training))
    text = "".join(f"{wrapped(line)}\n" for line in lines)
    if training.strength:
        text += f"\n{plain_table(strength_table(training))}"
    agreement = training.agreement
    if agreement is None:
        return text
    return f"{text}\n{plain_table(agreement_table(agreement))}{wrapped(verdict(agreement))}\n"


def csv(training: Training) -> str:
    """One row a total, and, of a whole training, what was predicted of it; exact."""
    parts = {part.name: part for part in _all(training.agreement)} if training.agreement else {}
    figures = {**training.totals, "flops": training.flops}
    rows = [{"figure": name, "metered": value} for name, value in figures.items()]
    for test in training.strength:
        for player in ("search", "policy"):
            share = getattr(test, player).win_rate
            rows.append({"figure": f"{player}, won after {test.flops:.0f} FLOP", "metered": share})
    rows += [
        {"figure": name, "metered": part.metered, "predicted": part.predicted, "off": part.off}
        for name, part in parts.items()
    ]
    return to_csv(pd.DataFrame(rows))


def markdown(training: Training) -> str:
    """The same as the table, as GitHub's under a heading."""
    lines = "".join(f"- {markdown_text(line)}\n" for line in _lines(training))
    text = f"## {markdown_text(_title(training))}\n\n{lines}"
    if training.strength:
        text += f"\n{to_markdown(strength_table(training))}"
    agreement = training.agreement
    if agreement is None:
        return text
    table = to_markdown(agreement_table(agreement).rename(columns={"": "figure"}))
    return f"{text}\n{table}\n{markdown_text(verdict(agreement))}\n"


def html(training: Training) -> str:
    """The same for a notebook."""
    agreement = training.agreement
    told, figures = _lines(training), pd.DataFrame()
    if agreement is not None:
        told, figures = [*told, verdict(agreement)], agreement_table(agreement)
    whole = as_html(_title(training), figures, told)
    if not training.strength:
        return whole
    from flopledger.reports import train_chart  # imports altair: half as long as torch

    return f"{whole}{as_html('strength', strength_table(training))}{train_chart.svg(training)}"


# what the columns of the table may be called: --columns is held to it before any work is done
COLUMNS = ("rounds", "FLOP", "90% (search)", "90% (policy alone)", "predicted", "90%", "metered",
           "off by", "inside", "is a")  # fmt: skip

FORMATS: dict[str, Callable[[Training], str]] = {
    "table": table,
    "json": Training.to_json,
    "csv": csv,
    "markdown": markdown,
    "html": lambda training: page("train", training._repr_html_()),
}


def _title(training: Training) -> str:
    plan = ", ".join(f"{name} {value:g}" if isinstance(value, int | float) else str(value)
                     for name, value in training.plan.items())  # fmt: skip
    return f"{training.name} ({short(training.params)} parameters): {plan}"


def _lines(training: Training) -> list[str]:
    lines = [f"{name.replace('_', ' '):16} {short(value)}" for name, value in
             training.totals.items()]  # fmt: skip
    lines += [f"{name}: {_score(score)}" for name, score in training.scores.items()]
    rate, mfu = training.flops_per_second, training.mfu
    if rate is not None:
        share = "peak unknown; --peak gives it" if mfu is None else f"MFU {mfu:.1%}"
        lines.append(f"{short(rate)} FLOP/s ({share})")
    return lines


def strength_table(training: Training) -> pd.DataFrame:
    """One row a test: what the training had taken, and how the games against the opponent went."""
    rows = []
    for test in training.strength:
        row = {"rounds": f"{test.rounds}", "FLOP": short(test.flops)}
        for player, score in (("search", test.search), ("policy alone", test.policy)):
            low, high = score.interval
            row[f"{player}, of {score.games} against {test.rollouts} rollouts"] = _games(score)
            row[f"90% ({player})"] = f"{low:.0%} to {high:.0%}"
        rows.append(row)
    return pd.DataFrame(rows)


def _games(score: Score) -> str:
    return f"{score.won} won, {score.drawn} drawn"


def agreement_table(agreement: Agreement) -> pd.DataFrame:
    """One row a figure: predicted and metered, how far off, and whether it was chance."""
    return pd.DataFrame(
        {
            "": part.name.replace("_", " "),
            "predicted": short(part.predicted),
            "90%": _reach(part),
            "metered": short(part.metered),
            "off by": f"{round(part.off, 6) + 0.0:+.3%}",  # no -0.000%
            "inside": "yes" if part.inside else "NO",
            "is a": "count" if not part.chance else "sum" if part is agreement.total else "chance",
        }
        for part in _all(agreement)
    )


def verdict(agreement: Agreement) -> str:
    """One sentence: whether the counts and the whole run agree."""
    counts = "agree" if agreement.counts_agree else "DISAGREE: they are not"
    where = "inside" if agreement.total_agrees else "OUTSIDE"
    names = " and ".join(part.name.replace("_", " ") for part in agreement.outside)
    rest = f"; {names} lie outside theirs" if names else ""
    return (
        f"the counts {counts} within {COUNTS:.1%} (the worst is {agreement.worst_count:.3%} off); "
        f"the whole run lies {where} its predicted interval ({agreement.total.off:+.2%}){rest}"
    )


def _reach(part: Part) -> str:
    if part.low is None or part.high is None:
        return ""
    return f"{short(part.low)} to {short(part.high)}"


def _all(agreement: Agreement) -> tuple[Part, ...]:
    return (*agreement.parts, agreement.ledger, agreement.total)


def _score(score: Any) -> str:
    if isinstance(score, dict):
        return ", ".join(f"{value} {name}" for name, value in score.items())
    return f"{score:.2%}"
