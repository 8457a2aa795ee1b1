"""What flopledger profile writes, and where."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from flopledger.cli.console import say
from flopledger.storage.files import write_whole

if TYPE_CHECKING:
    from flopledger.cli.profile_measurements import Measured, Wanted
    from flopledger.clock.layer_times import Timing
    from flopledger.profiles.tables import Profile
    from flopledger.profiles.totals import Optimiser, TrainingStep


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the command writes."""

    name: Any
    by: str
    depth: int | None
    size_by: Any
    weight: Any
    output: Path | None
    optimiser: "Optimiser | None"
    accumulate: int


def check_form(form: Form, wanted: "Wanted") -> None:
    """Say that the form does not show what is asked for, before anything is counted."""
    if form.weight == "seconds" and form.name not in ("speedscope", "chrome"):
        raise typer.BadParameter("--weight is of a trace; give --format speedscope or chrome")
    if form.weight == "seconds" and not wanted.time:
        raise typer.BadParameter("--weight seconds needs --time, which measures them")
    if wanted.time and form.weight == "flops" and form.name not in ("table", "json"):
        raise typer.BadParameter(
            "--time is shown by --format table and json, and by a trace with --weight seconds"
        )
    if wanted.memory and form.name not in ("table", "json"):
        raise typer.BadParameter("--memory is shown by --format table and json")


def rendered(counts: "list[tuple[Profile, Measured]]", several: bool, form: Form) -> str | bytes:
    """The profiles in that form, as text or as a picture's bytes."""
    from flopledger.reports import (
        profile_exports,
        profile_icicle,
        profile_json,
        profile_measurements,
        profile_table,
        profile_trace,
    )

    profiles = [one for one, _ in counts]
    if form.name == "json":
        taken = [
            profile_measurements.as_object(_folded(t, form), t.memory, t.allocated)
            for _, t in counts
        ]
        return profile_json.render(profiles, several, form.depth, _steps(profiles, form), taken)
    if form.name == "table":
        colour = form.output is None and sys.stdout.isatty()
        table = profile_table.render(profiles, form.by, form.depth, colour)
        table += "".join(f"{line}\n" for line in _training(profiles, form))
        for one, t in counts:
            table += profile_measurements.render(one.model, _folded(t, form), t.memory, t.allocated)
        return table
    if form.name in profile_exports.FORMATS:
        text = profile_exports.render(profiles, form.by, form.depth, form.name)
        if form.name == "html":
            drawn = [one for one in profiles if one.total(form.size_by)]
            pictures = [str(profile_icicle.render(one, "html", form.size_by)) for one in drawn]
            return page("\n".join([*pictures, text]))
        return text
    if several:
        raise typer.BadParameter(f"--format {form.name} shows one model; name one")
    if form.name in profile_icicle.FORMATS:
        return profile_icicle.render(profiles[0], form.name, form.size_by)
    if form.weight == "seconds":
        timing = counts[0][1].timing
        assert timing is not None
        seconds = {layer.path: layer.seconds for layer in timing.layers}
        return profile_trace.render(profiles[0], form.name, seconds)
    return profile_trace.render(profiles[0], form.name)


def _folded(taken: "Measured", form: Form) -> "Timing | None":
    if taken.timing is None or form.depth is None:
        return taken.timing
    return taken.timing.folded(form.depth)


def page(body: str) -> str:
    """An HTML page that fetches nothing."""
    head = '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>flopledger</title>\n'
    return f"{head}{body}</html>\n"


def _steps(profiles: "list[Profile]", form: Form) -> "list[TrainingStep]":
    if form.optimiser is None:
        return []
    return [one.training_step(form.optimiser, form.accumulate) for one in profiles]


def _training(profiles: "list[Profile]", form: Form) -> list[str]:
    from flopledger.reports.units import short

    passes = f"{form.accumulate} pass{'es' if form.accumulate > 1 else ''}"
    return [
        f"{one.model}: a step of training ({passes}, {form.optimiser}): {short(step.macs)} MACs "
        f"= {short(step.flops)} FLOPs, {short(step.other_flops)} other FLOPs, of which the "
        f"optimiser's {short(step.optimiser_flops)}"
        for one, step in zip(profiles, _steps(profiles, form), strict=False)
    ]


def write(text: str | bytes, output: Path | None) -> None:
    """To the file, whole, or to stdout."""
    if output is not None:
        write_whole(output, text)
        say(f"written to {output}")
    elif isinstance(text, bytes):
        sys.stdout.buffer.write(text)
    else:
        sys.stdout.write(text)
