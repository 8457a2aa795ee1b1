"""The formats of flopledger profile: one table, of what writes each and what it can show."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from flopledger.allocation.held_bytes import Memory
from flopledger.clock.layer_times import Timing
from flopledger.profiles.tables import Profile
from flopledger.profiles.totals import Optimiser, TrainingStep
from flopledger.reports import (
    memory,
    profile_exports,
    profile_table,
    profile_trace,
    roofline,
    timing,
)
from flopledger.reports.columns import wrapped
from flopledger.reports.units import short
from flopledger.rooflines.roofline_result import Roofline
from flopledger.storage.json_text import json_text


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of a network; None where it was not asked for.

    Attributes:
        timing: the seconds of a pass.
        memory: the bytes that it holds, worked out.
        allocated: the bytes that were allocated when it ran.
        roofline: what devices that are named can do with it at most.
    """

    timing: Timing | None = None
    memory: Memory | None = None
    allocated: Memory | None = None
    roofline: Roofline | None = None

    def folded(self, depth: int | None) -> "Measured":
        """The same with its layers folded to that depth."""
        if self.timing is None or depth is None:
            return self
        return replace(self, timing=self.timing.folded(depth))


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a command shows, and how.

    Attributes:
        profiles: those that could be counted.
        measured: the time and memory of each.
        several: whether several were asked for, however many there are.
        by: the rows: "layer", "operator" or "kind".
        depth: to which layers are folded, or None.
        size_by: what a box of a picture is a share of.
        weight: of a trace's frames.
        optimiser: of a step of training that is counted as well, or None.
        accumulate: passes in such a step.
    """

    profiles: Sequence[Profile]
    measured: Sequence[Measured]
    several: bool
    by: Literal["layer", "operator", "kind"]
    depth: int | None
    size_by: Literal["flops", "params"]
    weight: Literal["flops", "seconds"]
    optimiser: Optimiser | None
    accumulate: int

    def steps(self) -> list[TrainingStep]:
        """A step of training of each profile; none where no optimiser was named."""
        if self.optimiser is None:
            return []
        return [p.training_step(self.optimiser, self.accumulate) for p in self.profiles]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of --format.

    Attributes:
        write: makes the text, or a picture's bytes.
        several: whether it can show several models.
        measurements: whether it shows time and memory.
        devices: whether it shows what named devices can do.
        seconds: whether seconds can be the weight of its frames.
        binary: whether it is no text.
    """

    write: Callable[[Shown], str | bytes]
    several: bool = True
    measurements: bool = False
    devices: bool = False
    seconds: bool = False
    binary: bool = False


def _table(shown: Shown) -> str:
    text = profile_table.render(shown.profiles, shown.by, shown.depth)
    passes = f"{shown.accumulate} pass{'es' if shown.accumulate > 1 else ''}"
    for profile, step in zip(shown.profiles, shown.steps(), strict=False):
        text += (
            wrapped(
                f"{profile.model}: a step of training ({passes}, {shown.optimiser}): "
                f"{short(step.macs)} MACs = {short(step.flops)} FLOPs, {short(step.other_flops)} "
                f"other FLOPs, of which the optimiser's {short(step.optimiser_flops)}"
            )
            + "\n"
        )
    for profile, measured in zip(shown.profiles, shown.measured, strict=True):
        text += _measured_table(profile.model, measured.folded(shown.depth))
        if measured.roofline is not None:
            text += "\n" + roofline.render([measured.roofline], shown.depth)
            if measured.timing is not None:
                text += roofline.beside(measured.roofline, measured.timing)
    return text


def _measured_table(model: str, measured: Measured) -> str:
    text = ""
    if measured.timing is not None:
        text += "\n" + timing.render(model, measured.timing)
    if measured.memory is not None:
        text += "\n" + memory.render(model, measured.memory, measured.allocated)
    return text


def _json(shown: Shown) -> str:
    """Of one model an object, `Profile.to_json` and what else was asked for; of several a list."""
    from flopledger.profiles.saved import object_of  # makes pydantic's readers: ten milliseconds

    objects = [object_of(profile, shown.depth) for profile in shown.profiles]
    for whole, step in zip(objects, shown.steps(), strict=False):
        whole["training_step"] = asdict(step)
    for whole, measured in zip(objects, shown.measured, strict=True):
        folded = measured.folded(shown.depth)
        if folded.timing is not None:
            whole["time"] = folded.timing.as_object()
        if folded.memory is not None:
            whole["memory"] = memory.as_object(folded.memory, folded.allocated)
        if folded.roofline is not None:
            whole["roofline"] = folded.roofline.as_object()
    return json_text(objects if shown.several else objects[0])


def _csv(shown: Shown) -> str:
    return profile_exports.render(shown.profiles, shown.by, shown.depth, "csv")


def _markdown(shown: Shown) -> str:
    return profile_exports.render(shown.profiles, shown.by, shown.depth, "markdown")


def _latex(shown: Shown) -> str:
    return profile_exports.render(shown.profiles, shown.by, shown.depth, "latex")


def _html(shown: Shown) -> str:
    """A page that fetches nothing: the pictures of those that have any, and the tables."""
    drawn = [profile for profile in shown.profiles if profile.total(shown.size_by)]
    parts = [str(_picture(profile, "html", shown)) for profile in drawn]
    parts.append(profile_exports.render(shown.profiles, shown.by, shown.depth, "html"))
    parts += [roofline.html(bounds) for bounds in _bounds(shown)]
    head = '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>flopledger</title>\n'
    body = "\n".join(parts)
    return f"{head}{body}</html>\n"


def _svg(shown: Shown) -> str | bytes:
    return _drawn(shown, "svg")


def _png(shown: Shown) -> str | bytes:
    return _drawn(shown, "png")


def _drawn(shown: Shown, fmt: Literal["svg", "png"]) -> str | bytes:
    """The rooflines, where devices are named; else the icicle."""
    if bounds := _bounds(shown):
        from flopledger.reports import roofline_chart

        return roofline_chart.render(bounds, fmt)
    return _picture(shown.profiles[0], fmt, shown)


def _bounds(shown: Shown) -> list[Roofline]:
    return [taken.roofline for taken in shown.measured if taken.roofline is not None]


def _picture(profile: Profile, fmt: Literal["html", "svg", "png"], shown: Shown) -> str | bytes:
    from flopledger.reports import profile_icicle  # imports altair: half as long as torch

    return profile_icicle.render(profile, fmt, shown.size_by)


def _speedscope(shown: Shown) -> str:
    return profile_trace.render(shown.profiles[0], "speedscope", _seconds(shown))


def _chrome(shown: Shown) -> str:
    return profile_trace.render(shown.profiles[0], "chrome", _seconds(shown))


def _seconds(shown: Shown) -> dict[str, float] | None:
    """The seconds of each layer, where they are the weight."""
    timing = shown.measured[0].timing
    if shown.weight == "flops" or timing is None:
        return None
    return {layer.path: layer.seconds for layer in timing.layers}


FORMATS: dict[str, Format] = {
    "table": Format(write=_table, measurements=True, devices=True),
    "csv": Format(write=_csv),
    "json": Format(write=_json, measurements=True, devices=True),
    "markdown": Format(write=_markdown),
    "html": Format(write=_html, devices=True),
    "latex": Format(write=_latex),
    "svg": Format(write=_svg, several=False, devices=True),
    "png": Format(write=_png, several=False, devices=True, binary=True),
    "speedscope": Format(write=_speedscope, several=False, seconds=True),
    "chrome": Format(write=_chrome, several=False, seconds=True),
}
