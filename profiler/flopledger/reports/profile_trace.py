"""A profile for the viewers of flame graphs: speedscope's format, and Chrome's trace events."""

import json
import math
from collections.abc import Iterator, Mapping
from itertools import accumulate, takewhile
from typing import Any, Literal

from flopledger.errors import WrongOption
from flopledger.profiles.tables import Profile

# a stack of frames, outermost first, and what its innermost frame weighs
Sample = tuple[tuple[str, ...], float]

_UNITS = {"FLOPs": "none", "seconds": "seconds"}  # as speedscope calls them
_NANOSECONDS = {"FLOPs": 1, "seconds": 1e9}  # of a Chrome trace's axis that stand for one
_AXIS = {"FLOPs": "1 microsecond of the axis is 1,000 FLOPs", "seconds": "the axis is time"}


def render(
    profile: Profile,
    form: Literal["speedscope", "chrome"],
    weights: Mapping[str, float] | None = None,
    unit: Literal["FLOPs", "seconds"] | None = None,
) -> str:
    """The modules as nested frames, named by their paths; what weighs nothing is left out.

    Args:
        profile: whose modules are the frames; its name is the outermost frame's.
        form: "speedscope" (https://www.speedscope.app) or "chrome" (https://ui.perfetto.dev).
        weights: of layers by path, what each does itself; if left out, the FLOPs (2 x MACs) of
            each operator call, in the order of the pass, with the operator as innermost frame.
        unit: of the weights; if left out, seconds.

    Raises:
        ValueError: a weight is of no layer, negative or not finite, or nothing has a weight.
    """
    if weights is None and unit == "seconds":
        raise WrongOption("a count has no seconds; give the layers' seconds as weights")
    unit = unit or ("FLOPs" if weights is None else "seconds")
    samples = _counted(profile) if weights is None else _weighed(profile, weights)
    if not samples:
        raise WrongOption(f"{profile.model}: no layer has {unit}, so there is no trace to write")
    # seconds were measured, whatever was counted
    least = "" if profile.complete or unit == "seconds" else "at least, "
    title = f"{profile.model}: {least}{unit} of one forward pass"
    plain = (
        _speedscope(title, samples, unit)
        if form == "speedscope"
        else _chrome(title, samples, unit, {layer.path: layer.kind for layer in profile.modules})
    )
    return json.dumps(plain, allow_nan=False) + "\n"


def _counted(profile: Profile) -> list[Sample]:
    return [
        ((*_stack(profile.model, call.path), call.op), 2 * call.macs)
        for call in profile.calls
        if call.macs
    ]


def _weighed(profile: Profile, weights: Mapping[str, float]) -> list[Sample]:
    paths = [layer.path for layer in profile.modules]
    for path, weight in weights.items():
        if path not in paths:
            raise WrongOption(
                f"{profile.model} has no layer {path!r}; weights go by the paths of its layers"
            )
        if not 0 <= weight < math.inf:
            raise WrongOption(f"{path or '(top)'} weighs {weight}; give a finite number from 0 up")
    return [(_stack(profile.model, p), weights[p]) for p in paths if weights.get(p)]


def _stack(model: str, path: str) -> tuple[str, ...]:
    """("net", "features", "features.0") of "features.0"."""
    return (model, *accumulate(path.split("."), "{}.{}".format)) if path else (model,)


def _speedscope(title: str, samples: list[Sample], unit: str) -> dict[str, Any]:
    frames = {name: None for stack, _ in samples for name in stack}
    index = {name: number for number, name in enumerate(frames)}
    weights = [weight for _, weight in samples]
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "version": "0.0.1",
        "exporter": "flopledger",
        "name": title,
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": [
            {
                "type": "sampled",
                "name": title,
                "unit": _UNITS[unit],
                "startValue": 0,
                "endValue": sum(weights),
                "samples": [[index[name] for name in stack] for stack, _ in samples],
                "weights": weights,
            }
        ],
    }


def _chrome(
    title: str, samples: list[Sample], unit: str, kinds: Mapping[str, str]
) -> dict[str, Any]:
    thread = {"pid": 1, "tid": 1}
    names = [
        {"ph": "M", "name": name, **thread, "args": {"name": text}}
        for name, text in (("process_name", title), ("thread_name", _AXIS[unit]))
    ]
    # whole nanoseconds: an event must not end after the one that it lies in
    ends = accumulate(weight for _, weight in samples)
    bounds = [0, *(round(end * _NANOSECONDS[unit]) for end in ends)]
    events = [
        {
            "ph": "X",
            "name": frames[-1],
            "cat": unit,
            "ts": bounds[start] / 1000,
            "dur": (bounds[end] - bounds[start]) / 1000,
            **thread,
            "args": {
                unit.lower(): sum(weight for _, weight in samples[start:end]),
                "kind": kinds.get(frames[-1] if frames[1:] else "", "operator"),
            },
        }
        for frames, start, end in _spans([stack for stack, _ in samples])
    ]
    return {
        "traceEvents": names + events,
        "displayTimeUnit": "ns" if unit == "FLOPs" else "ms",
        "otherData": {"title": title, "unit": unit, "axis": _AXIS[unit]},
    }


def _spans(stacks: list[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Each frame, with those around it, and the stacks that hold it without a break: first, end.

    An outer frame comes before those inside it.
    """
    for start, stack in enumerate(stacks):
        before = stacks[start - 1] if start else ()
        for depth in range(_shared(before, stack), len(stack)):
            later = range(start + 1, len(stacks))
            out = (i for i in later if _shared(stacks[i], stack) <= depth)
            yield stack[: depth + 1], start, next(out, len(stacks))


def _shared(stack: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many of their outermost frames are the same."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(stack, other, strict=False))
    )
