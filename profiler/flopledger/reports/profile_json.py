"""Profiles as JSON: one object, or a list of them where several were asked for."""

import json
import math
from collections.abc import Sequence
from typing import Any

from flopledger.tables import Profile

_LAYER = ("layer", "kind", "calls", "params", "macs", "flops", "other_flops", "flops_per_param",
          "output_shape")  # fmt: skip


def render(
    profiles: Sequence[Profile],
    several: bool,
    depth: int | None = None,
    steps: Sequence[dict[str, Any]] | None = None,
    measured: Sequence[dict[str, Any]] = (),
) -> str:
    """The profiles as JSON text.

    Args:
        profiles: those that could be counted.
        several: whether a list was asked for, however many there are.
        depth: of the layers' paths, or None for all.
        steps: of training, one a profile, or None.
        measured: "time" and "memory", one a profile.
    """
    objects = [as_object(profile, depth) for profile in profiles]
    for said, step in zip(objects, steps or [], strict=False):
        said["training_step"] = step
    for said, more in zip(objects, measured, strict=False):
        said.update(more)
    return json.dumps(objects if several else objects[0], indent=2, allow_nan=False) + "\n"


def as_object(profile: Profile, depth: int | None = None) -> dict[str, Any]:
    """One profile as plain lists, dicts, numbers and strings; an undefined ratio is None."""
    check = profile.check
    said: dict[str, Any] = {
        "model": profile.model,
        "counter": profile.counter,
        "reason": profile.reason,
        "inputs": [{"shape": list(i.shape), "dtype": i.dtype} for i in profile.inputs],
        "totals": profile.totals,
        "layers": [
            {name: _plain(row[name]) for name in _LAYER}
            for row in profile.by_layer(depth).to_dict("records")
        ],
        "uncounted": profile.unsupported().to_dict("records"),
        "coverage": profile.coverage,
        "check": {"counter": check.counter, "macs": check.macs, "agrees": check.agrees},
        "notes": list(profile.notes),
    }
    if profile.backward:
        said["backward"] = profile.backward
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and math.isnan(value) else value
