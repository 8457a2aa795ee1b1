"""What moved between two counts of a network, and whether it moved further than it may."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from flopledger.errors import FlopledgerError, WrongOption

TOTALS = ("params", "trainable_params", "macs", "flops", "other_flops", "flops_per_param",
          "activations")  # fmt: skip
FIGURES = ("params", "macs", "other_flops")  # of a layer; they sum to the totals
GATED = ("params", "macs")  # whose change `worst` is about

Count = Annotated[int, Field(ge=0, le=2**63, strict=True)]
_HOW = "flopledger profile MODEL --format json --output FILE"


class BadBaseline(FlopledgerError, ValueError):
    """A count cannot be compared; the message names the field and says what to do."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Input(_Said):
    shape: tuple[Count, ...]
    dtype: str


class _Totals(_Said):
    params: Count
    trainable_params: Count
    macs: Count
    flops: Count
    other_flops: Count
    flops_per_param: FiniteFloat | None
    activations: Count


class _Row(_Said):
    layer: str
    kind: str
    calls: Count
    params: Count
    macs: Count
    other_flops: Count
    output_shape: tuple[Count, ...]


class _Uncounted(_Said):
    operator: str
    calls: Count


class Baseline(_Said):
    """A count as `flopledger profile MODEL --format json` writes it; keys not named are ignored."""

    model: str
    counter: str
    inputs: tuple[_Input, ...]
    totals: _Totals
    layers: tuple[_Row, ...]
    uncounted: tuple[_Uncounted, ...]


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
class Difference:
    """What moved between two counts.

    Attributes:
        before: the earlier count.
        after: the later one.
        totals: of each of TOTALS, whether it moved or not.
        layers: those that moved, in the order of the earlier count, added ones last; their
            changes sum to those of the totals.
        uncounted: the calls of each operator without a formula whose number moved.
    """

    before: Baseline
    after: Baseline
    totals: dict[str, Change]
    layers: tuple[LayerChange, ...]
    uncounted: dict[str, Change]

    @property
    def moved(self) -> bool:
        """Whether anything did, the inputs aside."""
        totals = any(one.before != one.after for one in self.totals.values())
        return bool(totals or self.layers or self.uncounted)

    @property
    def alike(self) -> bool:
        """Whether both counts are of the same inputs; only then are they of the network alone."""
        return self.before.inputs == self.after.inputs

    @property
    def worst(self) -> float:
        """The largest change of params or macs, up or down, as a fraction; inf from 0."""
        return max(
            math.inf if not change.before and change.after else abs(change.relative or 0.0)
            for change in (self.totals[name] for name in GATED)
        )

    def exceeds(self, fraction: float) -> bool:
        """Whether params or macs moved by more than that, up or down."""
        return self.worst > fraction


def read_baseline(path: Path) -> Baseline:
    """The count in that file.

    Raises:
        BadBaseline: there is none, or it is not what `profile --format json` writes.
    """
    try:
        text = path.read_text(encoding="utf-8")
        said = json.loads(text, parse_constant=_refuse)
    except OSError as error:
        raise BadBaseline(f"{path}: {error.strerror}; write it with {_HOW}") from error
    except (ValueError, RecursionError) as error:
        raise BadBaseline(f"{path}: not JSON: {error}; write it anew with {_HOW}") from error
    if isinstance(said, list):
        raise BadBaseline(f"{path}: a list of {len(said)} counts; write one model's with {_HOW}")
    return _validated(said, str(path))


def difference(
    before: Baseline | Mapping[str, Any], after: Baseline | Mapping[str, Any]
) -> Difference:
    """What moved from one count to the other.

    Args:
        before: a baseline, or the object that `profile --format json` writes.
        after: likewise.

    Raises:
        BadBaseline: one of them is no such object.
    """
    one, other = _validated(before, "before"), _validated(after, "after")
    old, new = ({row.layer: row for row in side.layers} for side in (one, other))
    kept = {path: path for path in old if path in new} | _renamed(old, new)
    found = set(kept.values())
    pairs: list[tuple[_Row | None, _Row | None]] = [
        (row, new[kept[path]] if path in kept else None) for path, row in old.items()
    ]
    pairs += [(None, row) for path, row in new.items() if path not in found]
    calls = [Counter({row.operator: row.calls for row in side.uncounted}) for side in (one, other)]
    return Difference(
        before=one,
        after=other,
        totals={
            name: Change(before=getattr(one.totals, name), after=getattr(other.totals, name))
            for name in TOTALS
        },
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
        ValueError: it says none from 0 up, or does not say whether 1 and more are percent.
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


def _renamed(old: Mapping[str, _Row], new: Mapping[str, _Row]) -> dict[str, str]:
    """The new paths of the layers that have one, by their old paths."""
    gone = _by_likeness(row for path, row in old.items() if path not in new)
    come = _by_likeness(row for path, row in new.items() if path not in old)
    return {
        paths[0]: come[like][0]
        for like, paths in gone.items()
        if len(paths) == len(come.get(like, ())) == 1
    }


def _by_likeness(rows: Iterable[_Row]) -> dict[str, list[str]]:
    """The paths of rows that are the same in all but the path."""
    alike: dict[str, list[str]] = {}
    for row in rows:
        alike.setdefault(row.model_dump_json(exclude={"layer"}), []).append(row.layer)
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


def _validated(said: Any, where: str) -> Baseline:
    try:
        one = Baseline.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise BadBaseline(f"{where}: {place}: {first['msg']}; write it anew with {_HOW}") from error
    if len({row.layer for row in one.layers}) < len(one.layers):
        raise BadBaseline(f"{where}: two layers have one path; write it anew with {_HOW}")
    for name in FIGURES:
        total, summed = getattr(one.totals, name), sum(getattr(row, name) for row in one.layers)
        if total != summed:
            raise BadBaseline(
                f"{where}: its layers' {name} sum to {summed:,}, its totals say {total:,}; "
                f"write it anew with {_HOW}"
            )
    return one


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it says {constant}")
