"""Profiles as JSON: one object, or a list of them where several were asked for."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flopledger.profiles.saved import object_of
from flopledger.profiles.tables import Profile
from flopledger.profiles.totals import TrainingStep
from flopledger.storage.json_text import json_text


def render(
    profiles: Sequence[Profile],
    several: bool,
    depth: int | None = None,
    steps: Sequence[TrainingStep] = (),
    measured: Sequence[dict[str, Any]] = (),
) -> str:
    """The profiles as JSON text; of one, `Profile.to_json` and what else was asked for.

    Args:
        profiles: those that could be counted.
        several: whether a list was asked for, however many there are.
        depth: to which layers are folded, or None.
        steps: of training, one a profile; or none.
        measured: "time" and "memory", one a profile; or none.
    """
    objects = [object_of(profile, depth) for profile in profiles]
    for whole, step in zip(objects, steps, strict=False):
        whole["training_step"] = asdict(step)
    for whole, more in zip(objects, measured, strict=False):
        whole.update(more)
    return json_text(objects if several else objects[0])
