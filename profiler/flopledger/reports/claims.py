"""Verdicts on claims as table, Markdown or JSON."""

from collections.abc import Callable, Sequence

import pandas as pd

from flopledger.reports.profile_exports import to_markdown
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import short
from flopledger.statements.claim import Verdict, Verdicts


def table(verdicts: Sequence[Verdict]) -> str:
    """A table, and below it each claim in full with the reason for its verdict."""
    shown = frame(verdicts).drop(columns=["claim", "source", "reason"])
    return plain_table(shown) + "".join(
        f"\n{verdict.claim.id}: {verdict.claim.claim}\n  {verdict.verdict}: {verdict.reason}\n"
        for verdict in verdicts
    )


def markdown(verdicts: Sequence[Verdict]) -> str:
    """A GitHub table, a row a claim."""
    return to_markdown(frame(verdicts))


def frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a claim, as people read it."""
    return pd.DataFrame(
        [
            {
                "id": verdict.claim.id,
                "claim": verdict.claim.claim,
                "claimed": claimed(verdict),
                "measured": short(verdict.measured),
                "unit": verdict.claim.unit,
                "verdict": verdict.verdict,
                "reason": verdict.reason,
                "source": verdict.claim.source,
            }
            for verdict in verdicts
        ]
    )


def claimed(verdict: Verdict) -> str:
    """The claim's number or range."""
    number = verdict.claim.claimed
    text = " to ".join(map(short, number)) if isinstance(number, tuple) else short(number)
    return f"at least {text}" if verdict.claim.at_least else text


# what flopledger claims --format offers
FORMATS: dict[str, Callable[[Verdicts], str]] = {
    "table": table,
    "json": Verdicts.to_json,
    "markdown": markdown,
}
