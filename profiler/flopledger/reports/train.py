"""A training that was metered, as a table, as JSON, and as a notebook shows it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from flopledger.ledger.prediction import COUNTS, TOTAL, Agreement, Part
from flopledger.reports.notebook import as_html
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import short
from flopledger.training.training_result import Training


def table(training: Training) -> str:
    """What was done and what came of it, a line each; then the prediction beside it."""
    text = "".join(f"{line}\n" for line in (_title(training), *_lines(training)))
    agreement = training.agreement
    if agreement is None:
        return text
    return f"{text}\n{plain_table(agreement_table(agreement))}{verdict(agreement)}\n"


def html(training: Training) -> str:
    """The same for a notebook."""
    agreement = training.agreement
    if agreement is None:
        return as_html(_title(training), pd.DataFrame(), _lines(training))
    lines = [*_lines(training), verdict(agreement)]
    return as_html(_title(training), agreement_table(agreement), lines)


FORMATS: dict[str, Callable[[Training], str]] = {
    "table": table,
    "json": Training.to_json,
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


def agreement_table(agreement: Agreement) -> pd.DataFrame:
    """One row a figure: predicted, metered, how far off, and whether it was chance."""
    return pd.DataFrame(
        {
            "": part.name.replace("_", " "),
            "predicted": short(part.predicted),
            "metered": short(part.metered),
            "off by": f"{round(part.off, 6) + 0.0:+.3%}",  # no -0.000%
            "is a": "count" if not part.chance else "sum" if part is agreement.total else "chance",
        }
        for part in _all(agreement)
    )


def verdict(agreement: Agreement) -> str:
    """One sentence: whether the counts and the whole run agree."""
    counts = "agree" if agreement.counts_agree else "DISAGREE: they are not"
    total = "agrees" if agreement.total_agrees else "does not agree"
    return (
        f"the counts {counts} within {COUNTS:.1%} (the worst is {agreement.worst_count:.3%} off); "
        f"the whole run {total} within {TOTAL:.0%} ({agreement.total.off:+.2%})"
    )


def _all(agreement: Agreement) -> tuple[Part, ...]:
    return (*agreement.parts, agreement.ledger, agreement.total)


def _score(score: Any) -> str:
    if isinstance(score, dict):
        return ", ".join(f"{value} {name}" for name, value in score.items())
    return f"{score:.2%}"
