"""Differences: what moved between two counts of a network, and how far."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from flopledger.profiles.tables import Profile
from flopledger.storage.json_text import json_text
from flopledger.storage.visible import visible_lines

TOTALS = ("params", "trainable_params", "macs", "flops", "other_flops", "flops_per_param",
          "activations")  # fmt: skip
FIGURES = ("params", "macs", "other_flops")  # of a layer; they sum to the totals
GATED = ("params", "macs")  # whose change `worst` is about

Status = Literal["changed", "added", "removed", "renamed"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A figure before and after; None where it is undefined."""

    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """After minus before."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def relative(self) -> float | None:
        """The change as a fraction of before; None where before is 0."""
        return self.change / self.before if self.change is not None and self.before else None

    @property
    def percent(self) -> str:
        """+1.2%; "from 0" of what came from nothing; "-" of what is undefined."""
        if self.before == self.after:
            return "+0%"
        if self.relative is None:
            return "from 0" if self.before == 0 else "-"
        return f"{100 * self.relative:+.3g}%"

    def as_dict(self) -> dict[str, float | None]:
        """before, after, change and relative."""
        return {**asdict(self), "change": self.change, "relative": self.relative}


@dataclass(frozen=True, kw_only=True)
class LayerChange:
    """A layer that moved.

    Attributes:
        layer: its path after; of a removed one, before.
        status: "renamed" is a removed and an added layer that are alike in all but their paths,
            while no other one is like them.
        was: a renamed one's path before.
        params: those it owns.
        macs: those it does itself.
        other_flops: likewise.
    """

    layer: str
    status: Status
    params: Change
    macs: Change
    other_flops: Change
    was: str | None = None


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What moved between two counts.

    Attributes:
        before: the earlier count.
        after: the later one.
        totals: of each of TOTALS, whether it moved or not.
        layers: those that moved, in the order of the earlier count, added ones last; their
            changes sum to those of the totals.
        uncounted: the calls of each operator without a formula whose number moved.
    """

    before: Profile
    after: Profile
    totals: dict[str, Change]
    layers: tuple[LayerChange, ...]
    uncounted: dict[str, Change]

    @property
    def moved(self) -> bool:
        """Whether anything did, the inputs aside."""
        totals = any(change.before != change.after for change in self.totals.values())
        return bool(totals or self.layers or self.uncounted)

    @property
    def alike(self) -> bool:
        """Whether both counts are of the same inputs; only then are they of the network alone."""
        return self.before.inputs == self.after.inputs

    @property
    def worst(self) -> float:
        """The largest change of params or macs, up or down, as a fraction; inf from 0."""
        return max(_size(self.totals[name]) for name in GATED)

    def exceeds(self, fraction: float) -> bool:
        """Whether params or macs moved by more than that, up or down."""
        return self.worst > fraction

    @property
    def heading(self) -> str:
        """One sentence: whose counts, and how far params and macs moved."""
        names = dict.fromkeys((self.before.model, self.after.model))
        by = ", ".join(f"{name} {self.totals[name].percent}" for name in GATED)
        return f"{' to '.join(names)}: {by if self.moved else 'nothing moved'}"

    def by_layer(self) -> pd.DataFrame:
        """One row a layer that moved: layer, was, status, and each of FIGURES before and after."""
        return pd.DataFrame(
            {
                "layer": row.layer,
                "was": row.was or "",
                "status": row.status,
                **{
                    f"{name}_{when}": getattr(getattr(row, name), when)
                    for name in FIGURES
                    for when in ("before", "after")
                },
            }
            for row in self.layers
        )

    def to_json(self) -> str:
        """What `flopledger diff --format json` writes.

        A `relative` is null from 0, and so is `worst` if any is.
        """
        return json_text(
            {
                "before": _side(self.before),
                "after": _side(self.after),
                "same_inputs": self.alike,
                "totals": {name: change.as_dict() for name, change in self.totals.items()},
                "layers": [
                    {
                        "layer": row.layer,
                        "status": row.status,
                        "was": row.was,
                        **{name: getattr(row, name).as_dict() for name in FIGURES},
                    }
                    for row in self.layers
                ],
                "uncounted": {name: change.as_dict() for name, change in self.uncounted.items()},
                "worst": self.worst if math.isfinite(self.worst) else None,
            }
        )

    def __repr__(self) -> str:
        if not self.layers:
            return self.heading
        return visible_lines(f"{self.heading}\n{self.by_layer().to_string(index=False)}")

    def _repr_html_(self) -> str:
        from flopledger.reports.diff import html

        return html(self)


def _side(profile: Profile) -> dict[str, Any]:
    return {
        "model": profile.model,
        "counter": profile.counter,
        "inputs": [{"shape": list(i.shape), "dtype": i.dtype} for i in profile.inputs],
        "totals": asdict(profile.totals),
    }


def _size(change: Change) -> float:
    """Its fraction, up or down; inf from 0."""
    if change.before == change.after:
        return 0.0
    return math.inf if change.relative is None else abs(change.relative)
