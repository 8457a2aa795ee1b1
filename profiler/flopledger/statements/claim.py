"""Claims somebody made, what measures them here, and verdicts that follow from the two."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flopledger.errors import FlopledgerError
from flopledger.statements import speed_claims  # noqa: F401  its functions register themselves
from flopledger.statements.compute_claims import Measurement, measures
from flopledger.statements.evidence import Evidence


class BadClaim(FlopledgerError, ValueError):
    """The file of claims cannot be used; the message names the file and the claim."""


class Claim(BaseModel):
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

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    claim: str
    claimed: float | tuple[float, float]
    unit: str
    tolerance: float
    measure: str
    source: str
    at_least: bool = False
    discussion: Literal[1, 2] = 1


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
        BadClaim: it is no TOML, a key is unknown or missing, or a measure does not exist.
    """
    path = path or Path(str(files("flopledger.facts"))) / "claims.toml"
    short = f"facts/{path.name}"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadClaim(f"{short}: not TOML: {error}") from error
    claims: list[Claim] = []
    for table in data.get("claims", []):
        name = table.get("id", f"claim {len(claims) + 1}")
        try:
            claim = Claim.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise BadClaim(f"{short}: {name}: {key}: {first['msg']}") from error
        if claim.measure not in measures:
            known = ", ".join(sorted(measures))
            raise BadClaim(
                f"{short}: {name}: measure {claim.measure!r} is unknown; there are {known}"
            )
        claims.append(claim)
    return claims


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
