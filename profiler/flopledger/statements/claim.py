"""Claims somebody made, what measures them here, and verdicts that follow from the two."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal, overload

import pandas as pd

from flopledger.counting.cached import cached_profile
from flopledger.statements import speed_claims  # noqa: F401  its functions register themselves
from flopledger.statements.compute_claims import Measurement, measures
from flopledger.statements.evidence import Evidence, evidence
from flopledger.storage.facts import (
    BadFacts,
    Table,
    Text,
    checked,
    facts_folder,
    read_toml,
    short_name,
)
from flopledger.storage.json_text import json_text
from flopledger.storage.nearest_name import did_you_mean


class Claim(Table):
    """A sentence with a number in it.

    Attributes:
        id: a short name.
        claim: the sentence, paraphrased.
        claimed: its number, or the two ends of its range.
        unit: of what; "orders" are compared by their difference, anything else by its ratio.
        tolerance: how far off it may be and still hold: a factor, or a number of orders.
        at_least: whether more than claimed holds too.
        measure: the function of compute_claims.py or speed_claims.py that measures it.
        source: who said it, and where.
        discussion: the first (where the compute went) or the second (hardware or software).
    """

    id: str
    claim: str
    claimed: float | tuple[float, float]
    unit: str
    tolerance: float
    measure: str
    source: Text
    at_least: bool = False
    discussion: Literal[1, 2] = 1


class _File(Table):
    claims: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A claim, what was measured, and what follows.

    Attributes:
        claim: the claim.
        measured: in its unit; None where it cannot be known.
        ratio: measured / claimed (10 to the difference, for orders), to the nearer end of a range.
        verdict: "holds", "off by x", "mixes conventions" or "cannot be decided from what is known".
        reason: one line.
    """

    claim: Claim
    measured: float | None
    ratio: float | None
    verdict: str
    reason: str


def read_claims(path: Path | None = None) -> list[Claim]:
    """The claims of facts/claims.toml, or of another file.

    Raises:
        BadFacts: it is no TOML, a key is unknown or missing, two claims have one id, or a measure
            does not exist.
    """
    path = path or facts_folder("claims.toml")
    read: dict[str, Claim] = {}
    for number, table in enumerate(checked(_File, read_toml(path), path).claims, start=1):
        claim = checked(Claim, table, path, f"claims.{table.get('id', number)}")
        where = f"{short_name(path)}: [claims.{claim.id}]"
        if claim.measure not in measures:
            hint = did_you_mean(claim.measure, sorted(measures))
            raise BadFacts(f"{where} no measure is called {claim.measure!r}; {hint}")
        if claim.id in read:
            raise BadFacts(f"{where} two claims have this id; rename one")
        read[claim.id] = claim
    return list(read.values())


@dataclass(frozen=True, repr=False)
class Verdicts(Sequence[Verdict]):
    """The verdicts on several claims, in the order of their file."""

    each: tuple[Verdict, ...]

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> "Verdicts": ...
    def __getitem__(self, index: int | slice) -> "Verdict | Verdicts":
        return Verdicts(self.each[index]) if isinstance(index, slice) else self.each[index]

    def __len__(self) -> int:
        return len(self.each)

    def frame(self) -> pd.DataFrame:
        """One row a claim, under the keys of `to_json`."""
        return pd.DataFrame([as_object(verdict) for verdict in self.each])

    def to_json(self) -> str:
        """What `flopledger claims --format json` writes: a list, an object a claim."""
        return json_text([as_object(verdict) for verdict in self.each])

    def __repr__(self) -> str:
        return "\n".join(
            f"{verdict.claim.id}: {verdict.verdict}; {verdict.reason}" for verdict in self.each
        )

    def _repr_html_(self) -> str:
        return self.frame().to_html(index=False)


def claims(path: Path | None = None) -> Verdicts:
    """Hold the claims of facts/claims.toml against what is measured and cited.

    Args:
        path: another file of claims.

    Raises:
        BadFacts: a file of claims or of facts cannot be used.
        BrokenModel, ProfilingError: a network that they need cannot be imported or counted.
    """
    return judged(read_claims(path), evidence(cached_profile))


def judged(claims: Iterable[Claim], evidence: Evidence) -> Verdicts:
    """What the evidence says of each claim."""
    return Verdicts(tuple(judge(claim, evidence) for claim in claims))


def judge(claim: Claim, evidence: Evidence) -> Verdict:
    """What the evidence says of a claim."""
    found = measures[claim.measure](evidence)
    if found.value is None or not isfinite(found.value):
        return Verdict(
            claim=claim,
            measured=None,
            ratio=None,
            verdict="cannot be decided from what is known",
            reason=found.reason,
        )
    ratio = _ratio(claim, found.value)
    verdict = f"off by {_factor(ratio)}"
    if _holds(claim, ratio):
        verdict = "holds"
    elif fits := [name for name, v in found.otherwise.items() if _holds(claim, _ratio(claim, v))]:
        verdict = "mixes conventions"
        found = Measurement(
            value=found.value, reason=f"{found.reason}; the claim fits {' and '.join(fits)}"
        )
    return Verdict(
        claim=claim, measured=found.value, ratio=ratio, verdict=verdict, reason=found.reason
    )


def _ratio(claim: Claim, value: float) -> float:
    ends = claim.claimed if isinstance(claim.claimed, tuple) else (claim.claimed, claim.claimed)
    nearest = min(max(value, ends[0]), ends[1])
    return 10 ** (value - nearest) if claim.unit == "orders" else value / nearest


def _holds(claim: Claim, ratio: float) -> bool:
    allowed = 10**claim.tolerance if claim.unit == "orders" else claim.tolerance
    return ratio >= 1 / allowed and (claim.at_least or ratio <= allowed)


def _factor(ratio: float) -> str:
    return f"{max(ratio, 1 / ratio):.3g} x"


def as_object(verdict: Verdict) -> dict[str, Any]:
    """Plain values under the documented keys."""
    claim = verdict.claim
    return {
        "id": claim.id,
        "claim": claim.claim,
        "claimed": list(claim.claimed) if isinstance(claim.claimed, tuple) else claim.claimed,
        "measured": verdict.measured,
        "unit": claim.unit,
        "ratio": verdict.ratio,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "source": claim.source,
    }
