"""Verdicts on claims as table, Markdown or JSON."""

from collections.abc import Callable, Sequence

import pandas as pd

from flopledger.reports.cells import to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import short
from flopledger.statements.claim import FACTOR, ORDERS, Verdict, Verdicts
from flopledger.storage.visible import visible

# beside the verdicts, wherever people read them
RULE = (
    f'A number that was claimed as "about" holds within {ORDERS:g} orders, where it is in orders, '
    f'and within a factor of {FACTOR:g} where it is not; "at least" holds from that number on, a '
    '"part" above nothing. Of a claim with several versions all must hold; where some do, it holds '
    "in part. A number that rests on the same citation as the statement is no check, and is called "
    "as cited. Questions are answered, opinions named, and what nothing here decides is said to be "
    "so."
)


def table(verdicts: Sequence[Verdict]) -> str:
    """A table, below it each claim in full with the reason for its verdict, and the rule."""
    shown = frame(verdicts)[list(COLUMNS)]
    return "".join(
        [plain_table(shown, ("kind", "claimed")), *map(_in_full, verdicts), f"\n{wrapped(RULE)}\n"]
    )


def _in_full(verdict: Verdict) -> str:
    claim = verdict.claim
    reason = f": {verdict.reason}" if verdict.reason else ""
    rule = f" ({verdict.tolerance})" if verdict.tolerance else ""
    lines = f"{claim.id}: {claim.statement}", f"  {verdict.word}{rule}{reason}"
    return "\n" + "".join(f"{wrapped(visible(line))}\n" for line in lines)


def markdown(verdicts: Sequence[Verdict]) -> str:
    """A GitHub table, a row a claim, and the rule."""
    linked = frame(verdicts).drop(columns=["sense"])
    linked["source"] = [
        f"[{verdict.claim.source}]({verdict.claim.url})" if verdict.claim.url
        else verdict.claim.source
        for verdict in verdicts
    ]  # fmt: skip
    return f"{to_markdown(linked)}\n{RULE}\n"


def html(verdicts: Sequence[Verdict]) -> str:
    """The table for a notebook, and the rule."""
    return as_html(f"{len(verdicts)} claims", frame(verdicts).drop(columns="sense"), [RULE])


def frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a claim, as people read it."""
    return pd.DataFrame(
        [
            {
                "id": verdict.claim.id,
                "statement": verdict.claim.statement,
                "sense": verdict.claim.sense,
                "claimed": claimed(verdict),
                "found": found(verdict),
                "kind": verdict.kind or "",
                "tolerance": verdict.tolerance,
                "verdict": verdict.word,
                "reason": verdict.reason,
                "source": verdict.claim.source,
            }
            for verdict in verdicts
        ]
    )


def claimed(verdict: Verdict) -> str:
    """The claim's number or range, with its unit."""
    claim = verdict.claim
    if claim.claimed is None:
        return ""
    number = claim.claimed
    text = " to ".join(map(short, number)) if isinstance(number, tuple) else short(number)
    least = "at least " if claim.sense == "at least" else ""
    return f"{least}{text} {claim.unit}".rstrip()


def found(verdict: Verdict) -> str:
    """What was found of the version that is meant, with the range over all versions."""
    if verdict.found is None:
        return ""
    text = f"{short(verdict.found)} {verdict.claim.unit}".rstrip()
    if verdict.range is None:
        return text
    return f"{text} ({short(verdict.range[0])} to {short(verdict.range[1])})"


# what the columns of the table may be called: --columns is held to it before any work is done
COLUMNS = ("id", "claimed", "found", "kind", "verdict")

# what flopledger claims --format offers
FORMATS: dict[str, Callable[[Verdicts], str]] = {
    "table": table,
    "json": Verdicts.to_json,
    "csv": lambda verdicts: to_csv(verdicts.frame()),
    "markdown": markdown,
    "html": lambda verdicts: page("claims", verdicts._repr_html_()),
}
