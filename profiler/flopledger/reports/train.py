"""A training that was watched from beginning to end, as a table or as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from flopledger.ledger.prediction import COUNTS, TOTAL, Agreement, Part
from flopledger.reports.profile_table import plain_table
from flopledger.reports.units import short


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What there is to tell of a training.

    Attributes:
        name: of the run.
        params: of its network, trainable.
        plan: its settings.
        totals: what was done, by name, "seconds" among them; FLOPs as metered.
        flops: of the whole run.
        peak: FLOP/s that the device does at most; None if unknown.
        scores: what the network learnt, by name.
        agreement: with the prediction; None for a training that was stopped.
    """

    name: str
    params: int
    plan: Mapping[str, Any]
    totals: Mapping[str, float]
    flops: float
    peak: float | None
    scores: Mapping[str, Any]
    agreement: Agreement | None

    @property
    def flops_per_second(self) -> float | None:
        """Over the time of the training; None before there was any."""
        return self.flops / self.totals["seconds"] if self.totals["seconds"] else None

    @property
    def mfu(self) -> float | None:
        """The share of the peak; None where that is unknown."""
        rate = self.flops_per_second
        return rate / self.peak if rate is not None and self.peak is not None else None


def render(watched: Watched, form: str) -> str:
    """The training as "table" or "json"."""
    if form == "json":
        return json.dumps(as_object(watched), indent=2, allow_nan=False) + "\n"
    plan = ", ".join(f"{name} {value:g}" if isinstance(value, int | float) else str(value)
                     for name, value in watched.plan.items())  # fmt: skip
    lines = [f"{watched.name} ({short(watched.params)} parameters): {plan}"]
    lines += [f"{name.replace('_', ' '):16} {short(value)}" for name, value in
              watched.totals.items()]  # fmt: skip
    lines += [f"{name}: {_said(score)}" for name, score in watched.scores.items()]
    if watched.flops_per_second is not None:
        share = "peak unknown; --peak gives it" if watched.mfu is None else f"MFU {watched.mfu:.1%}"
        lines.append(f"{short(watched.flops_per_second)} FLOP/s ({share})")
    text = "".join(f"{line}\n" for line in lines)
    if watched.agreement is None:
        return text
    return (
        f"{text}\n{plain_table(agreement_table(watched.agreement))}{verdict(watched.agreement)}\n"
    )


def as_object(watched: Watched) -> dict[str, Any]:
    """Plain dicts and numbers, under the documented keys."""
    found = watched.agreement
    return {
        "run": watched.name,
        "params": watched.params,
        "plan": dict(watched.plan),
        "totals": dict(watched.totals),
        "flops": watched.flops,
        "flops_per_second": watched.flops_per_second,
        "mfu": watched.mfu,
        "scores": dict(watched.scores),
        "agreement": None
        if found is None
        else {
            "parts": [{**asdict(one), "off": one.off} for one in _all(found)],
            "counts_agree": found.counts_agree,
            "total_agrees": found.total_agrees,
        },
    }


def agreement_table(found: Agreement) -> pd.DataFrame:
    """One row a figure: predicted, metered, how far off, and whether it was chance."""
    return pd.DataFrame(
        {
            "": one.name.replace("_", " "),
            "predicted": short(one.predicted),
            "metered": short(one.metered),
            "off by": f"{round(one.off, 6) + 0.0:+.3%}",  # no -0.000%
            "is a": "count" if not one.chance else "sum" if one is found.total else "chance",
        }
        for one in _all(found)
    )


def verdict(found: Agreement) -> str:
    """One sentence: whether the counts and the whole run agree."""
    counts = "agree" if found.counts_agree else "DISAGREE: they are not"
    total = "agrees" if found.total_agrees else "does not agree"
    return (
        f"the counts {counts} within {COUNTS:.1%} (the worst is {found.worst_count:.3%} off); the "
        f"whole run {total} within {TOTAL:.0%} ({found.total.off:+.2%})"
    )


def _all(found: Agreement) -> tuple[Part, ...]:
    return (*found.parts, found.ledger, found.total)


def _said(score: Any) -> str:
    if isinstance(score, dict):
        return ", ".join(f"{value} {name}" for name, value in score.items())
    return f"{score:.2%}"
