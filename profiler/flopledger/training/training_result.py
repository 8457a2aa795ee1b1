"""Training: a training that was metered from beginning to end, and its prediction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flopledger.ledger.prediction import Agreement
from flopledger.training.strength import Strength, as_objects


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training that was metered.

    Attributes:
        name: of the run.
        params: of its network, trainable.
        plan: its settings, by name.
        totals: what was done, by name, "seconds" among them; FLOPs as metered.
        flops: of the whole run.
        peak: FLOP/s that the device does at most; None if unknown.
        scores: what the network learnt, by name: a share, or games won, drawn and lost.
        strength: of alphazero's network, before the training and at four times in it; none without
            games against the opponent.
        agreement: with the prediction; None for a training that was stopped.
        predicted: the run file that was written before.
        metered: the run file that was written after; None for a training that was stopped.
    """

    name: str
    params: int
    plan: Mapping[str, Any]
    totals: Mapping[str, float]
    flops: float
    peak: float | None
    scores: Mapping[str, Any]
    strength: Sequence[Strength]
    agreement: Agreement | None
    predicted: Path
    metered: Path | None

    @property
    def flops_per_second(self) -> float | None:
        """Over the time of the training; None before there was any."""
        seconds = self.totals["seconds"]
        return self.flops / seconds if seconds else None

    @property
    def mfu(self) -> float | None:
        """The share of the peak; None where that is unknown."""
        rate = self.flops_per_second
        return rate / self.peak if rate is not None and self.peak is not None else None

    def as_object(self) -> dict[str, Any]:
        """Plain dicts and numbers, under the documented keys."""
        return {
            "run": self.name,
            "params": self.params,
            "plan": dict(self.plan),
            "totals": dict(self.totals),
            "flops": self.flops,
            "flops_per_second": self.flops_per_second,
            "mfu": self.mfu,
            "scores": dict(self.scores),
            "strength": as_objects([*self.strength]),
            "agreement": None if self.agreement is None else _object(self.agreement),
        }

    def to_json(self) -> str:
        """The object of `flopledger train NAME --format json`."""
        return json.dumps(self.as_object(), indent=2, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        from flopledger.reports.train import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        from flopledger.reports.train import html

        return html(self)


def _object(agreement: Agreement) -> dict[str, Any]:
    parts = (*agreement.parts, agreement.ledger, agreement.total)
    return {
        "parts": [{**asdict(part), "off": part.off, "inside": part.inside} for part in parts],
        "counts_agree": agreement.counts_agree,
        "total_agrees": agreement.total_agrees,
    }
