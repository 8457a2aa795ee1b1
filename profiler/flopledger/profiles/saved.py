"""A profile as JSON: what `profile --format json` writes, and what is read back whole."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from flopledger.calls import Layer, OpCall
from flopledger.errors import FlopledgerError
from flopledger.profiles.tables import Profile

FORMAT = "flopledger profile 1"  # a later format has a later number

_LAYER = ("layer", "kind", "calls", "params", "macs", "flops", "other_flops", "flops_per_param",
          "output_shape")  # fmt: skip
_PROFILE = TypeAdapter(Profile)
_CALLS = TypeAdapter(tuple[OpCall, ...])
_LAYERS = TypeAdapter(tuple[Layer, ...])
_HOW = "flopledger profile MODEL --format json --output FILE, or Profile.to_json()"


class BadProfile(FlopledgerError, ValueError):
    """A text is no saved profile; the message says where it fails and how to write one."""


def object_of(profile: Profile, depth: int | None = None) -> dict[str, Any]:
    """The profile as plain lists, dicts, numbers and strings; an undefined ratio is None.

    Everything down to `notes` is for readers. `modules`, `calls` and `backward_calls` are what the
    profile is read back from; of a call, what is not there has the value that `OpCall` gives it.

    Args:
        profile: any.
        depth: to which the rows of `layers` are folded, or None; nothing else is.
    """
    backward = profile.backward
    return {
        "format": FORMAT,
        "model": profile.model,
        "counter": profile.counter,
        "reason": profile.reason,
        "inputs": [{"shape": list(i.shape), "dtype": i.dtype} for i in profile.inputs],
        "samples": profile.samples,
        "totals": asdict(profile.totals),
        "layers": [
            {name: _plain(row[name]) for name in _LAYER}
            for row in profile.by_layer(depth).to_dict("records")
        ],
        "uncounted": profile.unsupported().to_dict("records"),
        "coverage": asdict(profile.coverage),
        "check": asdict(profile.check),
        **({"backward": asdict(backward)} if backward is not None else {}),
        **(
            {"backward_check": asdict(profile.backward_check)}
            if profile.backward_check is not None
            else {}
        ),
        "unused": None if profile.unused is None else list(profile.unused),
        "active_params": profile.active_params,
        "notes": list(profile.notes),
        "modules": _LAYERS.dump_python(profile.modules, mode="json"),
        "calls": _plain_calls(profile.calls),
        "backward_calls": (
            None if profile.backward_calls is None else _plain_calls(profile.backward_calls)
        ),
    }


def restored(text: str, where: str = "it") -> Profile:
    """The profile that the text was made of.

    Args:
        text: what `Profile.to_json` returned.
        where: what the text is called in messages.

    Raises:
        BadProfile: it is none, one of another format, or one whose figures contradict each other.
    """
    try:
        whole = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadProfile(f"{where}: not JSON: {error}; write it with {_HOW}") from error
    if isinstance(whole, list):
        raise BadProfile(f"{where}: a list of {len(whole)}; write one model's with {_HOW}")
    if not isinstance(whole, dict) or "format" not in whole:
        raise BadProfile(f"{where}: no saved profile, without a format; write it with {_HOW}")
    if whole["format"] != FORMAT:
        raise BadProfile(
            f"{where}: its format is {whole['format']!r}, not {FORMAT!r}; write it anew with {_HOW}"
        )
    try:
        profile = _PROFILE.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadProfile(f"{where}: {place}: {first['msg']}; write it anew with {_HOW}") from error
    if contradiction := _contradiction(profile, whole.get("totals")):
        raise BadProfile(f"{where}: {contradiction}; write it anew with {_HOW}")
    return profile


def read_profile(path: Path) -> Profile:
    """The profile saved in that file.

    Raises:
        BadProfile: there is no such file, or it is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadProfile(f"{path}: {error.strerror}; write it with {_HOW}") from error
    except ValueError as error:
        raise BadProfile(f"{path}: not JSON: {error}; write it with {_HOW}") from error
    return restored(text, str(path))


def _contradiction(profile: Profile, totals: Any) -> str:
    """What cannot be true of it, if anything."""
    calls = (*profile.calls, *(profile.backward_calls or ()))
    paths = [layer.path for layer in profile.modules]
    if len(set(paths)) < len(paths):
        return "two layers have one path"
    if not paths or {call.path for call in calls} - set(paths):
        return "a call is of a layer that is not in modules"
    counts = [n for layer in profile.modules for n in (layer.params, layer.trainable, layer.calls)]
    counts += [n for call in calls for n in (call.macs, call.other_flops, call.masked_macs)]
    if profile.samples < 0 or any(n < 0 for n in counts):
        return "a count is below 0"
    if not isinstance(totals, dict):
        return "it has no totals"
    for name, summed in asdict(profile.totals).items():
        if totals.get(name) != summed or isinstance(totals[name], bool):
            return f"its layers and calls give {name} {summed}, its totals say {totals.get(name)}"
    return ""


def _plain_calls(calls: tuple[OpCall, ...]) -> Any:
    return _CALLS.dump_python(calls, mode="json", exclude_defaults=True)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it says {constant}")
