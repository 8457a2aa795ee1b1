"""What moved between two counts of a network, and whether it moved further than it may."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from flopledger.calls import Shape
from flopledger.errors import WrongOption
from flopledger.profiles.saved import read_profile
from flopledger.profiles.tables import Profile
from flopledger.storage.json_text import json_text

TOTALS = ("params", "trainable_params", "macs", "flops", "other_flops", "flops_per_param",
          "activations")  # fmt: skip
FIGURES = ("params", "macs", "other_flops")  # of a layer; they sum to the totals
GATED = ("params", "macs")  # whose change `worst` is about


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
    status: Literal["changed", "added", "removed", "renamed"]
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
        return (
            f"{self.heading}\n{self.by_layer().to_string(index=False)}"
            if self.layers
            else (self.heading)
        )

    def _repr_html_(self) -> str:
        table = self.by_layer().to_html(index=False) if self.layers else ""
        return f"<p>{escape(self.heading)}</p>{table}"


def diff(before: Profile | str | Path, after: Profile | str | Path) -> Differences:
    """What moved from one count of a network to the other.

    Args:
        before: a profile; the path of a saved one, which ends in .json; or the name of a network,
            which is counted on its own inputs, as `profile` does.
        after: likewise.

    Raises:
        BadProfile: a file is no saved profile.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
    """
    one, other = _count(before), _count(after)
    old, new = ({row.layer: row for row in _rows(side)} for side in (one, other))
    kept = {path: path for path in old if path in new} | _renamed(old, new)
    arrived = set(kept.values())
    pairs: list[tuple[_Row | None, _Row | None]] = [
        (row, new[kept[path]] if path in kept else None) for path, row in old.items()
    ]
    pairs += [(None, row) for path, row in new.items() if path not in arrived]
    calls = [_uncounted(side) for side in (one, other)]
    totals = [asdict(side.totals) for side in (one, other)]
    return Differences(
        before=one,
        after=other,
        totals={name: Change(before=totals[0][name], after=totals[1][name]) for name in TOTALS},
        layers=tuple(_moved(*pair) for pair in pairs if _differ(*pair)),
        uncounted={
            operator: Change(before=calls[0][operator], after=calls[1][operator])
            for operator in calls[0] | calls[1]
            if calls[0][operator] != calls[1][operator]
        },
    )


def parse_percent(text: str) -> float:
    """The fraction that "1%" or "0.01" says.

    >>> parse_percent("1%"), parse_percent("0.01")
    (0.01, 0.01)

    Raises:
        WrongOption: it says none from 0 up, or does not say whether 1 and more are percent.
    """
    number = text.strip()
    try:
        value = Decimal(number.removesuffix("%").strip())
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise WrongOption(f"{text!r} is no share; say 1% or 0.01")
    if number.endswith("%"):
        return float(value / 100)
    if value >= 1:
        raise WrongOption(
            f"{text!r} may be a fraction or percent; say {value:f}% or {100 * value:f}%"
        )
    return float(value)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A layer as far as two counts are held against each other."""

    layer: str
    kind: str
    calls: int
    params: int
    macs: int
    other_flops: int
    output_shape: Shape

    @property
    def likeness(self) -> tuple[object, ...]:
        """All but the path."""
        return (self.kind, self.calls, self.params, self.macs, self.other_flops, self.output_shape)


def _count(side: Profile | str | Path) -> Profile:
    if isinstance(side, Profile):
        return side
    if is_saved(side):
        return read_profile(Path(side))
    from flopledger.counting.profiling import profile  # which imports torch

    return profile(str(side))


def is_saved(side: str | Path) -> bool:
    """Whether that is a file's path and no network's name."""
    return isinstance(side, Path) or (side.endswith(".json") and ":" not in side)


def _rows(profile: Profile) -> list[_Row]:
    names = _Row.__dataclass_fields__
    rows = profile.by_layer().to_dict("records")
    return [_Row(**{str(name): row[name] for name in names}) for row in rows]


def _uncounted(profile: Profile) -> Counter[str]:
    rows = profile.unsupported().to_dict("records")
    return Counter({str(row["operator"]): int(row["calls"]) for row in rows})


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


def _renamed(old: Mapping[str, _Row], new: Mapping[str, _Row]) -> dict[str, str]:
    """The new paths of the layers that have one, by their old paths."""
    gone = _by_likeness(row for path, row in old.items() if path not in new)
    come = _by_likeness(row for path, row in new.items() if path not in old)
    return {
        paths[0]: come[like][0]
        for like, paths in gone.items()
        if len(paths) == len(come.get(like, ())) == 1
    }


def _by_likeness(rows: Iterable[_Row]) -> dict[tuple[object, ...], list[str]]:
    """The paths of rows that are the same in all but the path."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for row in rows:
        alike.setdefault(row.likeness, []).append(row.layer)
    return alike


def _differ(old: _Row | None, new: _Row | None) -> bool:
    if old is None or new is None or old.layer != new.layer:
        return True
    return any(getattr(old, name) != getattr(new, name) for name in FIGURES)


def _moved(old: _Row | None, new: _Row | None) -> LayerChange:
    row = new or old
    assert row is not None
    status: Literal["changed", "added", "removed", "renamed"] = "changed"
    if old is None or new is None:
        status = "added" if old is None else "removed"
    elif old.layer != new.layer:
        status = "renamed"
    return LayerChange(
        layer=row.layer,
        status=status,
        was=old.layer if old and status == "renamed" else None,
        **{
            name: Change(before=getattr(old, name, 0), after=getattr(new, name, 0))
            for name in FIGURES
        },
    )
