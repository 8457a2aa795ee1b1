"""Verdicts on claims as table, Markdown or JSON."""

import json
from collections.abc import Sequence

import pandas as pd

from flopledger.reports.profile_exports import to_markdown
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import short
from flopledger.statements.claim import Verdict, as_object

FORMATS = ("table", "json", "markdown")


def render(verdicts: Sequence[Verdict], form: str) -> str:
    """The verdicts in one of FORMATS."""
    if form == "json":
        return json.dumps([as_object(one) for one in verdicts], indent=2, allow_nan=False) + "\n"
    frame = table(verdicts)
    if form == "markdown":
        return to_markdown(frame)
    return plain_table(frame.drop(columns=["claim", "source", "reason"])) + "".join(
        f"\n{one.claim.id}: {one.claim.claim}\n  {one.verdict}: {one.reason}\n" for one in verdicts
    )


def table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a claim, as people read it."""
    return pd.DataFrame(
        [
            {
                "id": one.claim.id,
                "claim": one.claim.claim,
                "claimed": claimed(one),
                "measured": short(one.measured),
                "unit": one.claim.unit,
                "verdict": one.verdict,
                "reason": one.reason,
                "source": one.claim.source,
            }
            for one in verdicts
        ]
    )


def claimed(verdict: Verdict) -> str:
    """The claim's number or range."""
    number = verdict.claim.claimed
    text = " to ".join(map(short, number)) if isinstance(number, tuple) else short(number)
    return f"at least {text}" if verdict.claim.at_least else text
