"""diff(): two counts held against each other, layer by layer."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from flopledger.calls import Shape
from flopledger.differences.changes import (
    FIGURES,
    TOTALS,
    Change,
    Differences,
    LayerChange,
    Status,
)
from flopledger.errors import WrongOption
from flopledger.options import brief, checks_arguments
from flopledger.profiles.saved import read_profile
from flopledger.profiles.tables import Profile
from flopledger.zoo.registry import find_listings


@checks_arguments
def diff(before: Profile | str | Path, after: Profile | str | Path) -> Differences:
    """What moved from one count of a network to the other.

    Args:
        before: a profile; the path of a saved one, which ends in .json; or the name of a network,
            which is counted: one of the zoo on its own inputs, any other on those of the other
            side, if that is a profile.
        after: likewise.

    Raises:
        BadProfile: a file is no saved profile.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
    """
    for side in (before, after):
        if not isinstance(side, Profile | str | Path):
            raise WrongOption(
                f"{brief(side)} is no count; give what profile() returns, a file or a name"
            )
    first = _count(before, after)
    sides = first, _count(after, first)
    old, new = ({row.layer: row for row in _rows(side)} for side in sides)
    kept = {path: path for path in old if path in new} | _renamed(old, new)
    arrived = set(kept.values())
    pairs: list[tuple[_Row | None, _Row | None]] = [
        (row, new[kept[path]] if path in kept else None) for path, row in old.items()
    ]
    pairs += [(None, row) for path, row in new.items() if path not in arrived]
    calls = [_uncounted(side) for side in sides]
    totals = [asdict(side.totals) for side in sides]
    return Differences(
        before=sides[0],
        after=sides[1],
        totals={name: Change(before=totals[0][name], after=totals[1][name]) for name in TOTALS},
        layers=tuple(_moved(*pair) for pair in pairs if _differ(*pair)),
        uncounted={
            operator: Change(before=calls[0][operator], after=calls[1][operator])
            for operator in calls[0] | calls[1]
            if calls[0][operator] != calls[1][operator]
        },
    )


def is_saved(side: str | Path) -> bool:
    """Whether that is a file's path and no network's name."""
    return isinstance(side, Path) or (side.endswith(".json") and ":" not in side)


def _count(side: Profile | str | Path, other: Profile | str | Path) -> Profile:
    if isinstance(side, Profile):
        return side
    if is_saved(side):
        return read_profile(Path(side))
    import torch

    from flopledger.counting.profiling import profile

    if isinstance(other, str | Path) and is_saved(other):
        other = read_profile(Path(other))
    if not isinstance(other, Profile) or find_listings(str(side)):
        return profile(str(side))
    shapes = [(each.shape, getattr(torch, each.dtype)) for each in other.inputs]
    return profile(
        str(side), tuple(torch.zeros(shape, dtype=kind, device="meta") for shape, kind in shapes)
    )


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


def _rows(profile: Profile) -> list[_Row]:
    names = _Row.__dataclass_fields__
    rows = profile.by_layer().to_dict("records")
    return [_Row(**{str(name): row[name] for name in names}) for row in rows]


def _uncounted(profile: Profile) -> Counter[str]:
    rows = profile.unsupported().to_dict("records")
    return Counter({str(row["operator"]): int(row["calls"]) for row in rows})


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
    status: Status = "changed"
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
