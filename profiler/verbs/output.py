"""What flopledger profile writes, and where."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from profiler.files import write_whole
from profiler.verbs.speech import say

if TYPE_CHECKING:
    from profiler.tables import Profile


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the command writes."""

    name: Any
    by: str
    depth: int | None
    size_by: Any
    output: Path | None
    optimiser: str | None
    accumulate: int


def rendered(profiles: "list[Profile]", several: bool, form: Form) -> str | bytes:
    """The profiles in that form, as text or as a picture's bytes."""
    from profiler.reports import exports, icicle, json, terminal, traces

    if form.name == "json":
        return json.render(profiles, several, form.depth, _steps(profiles, form))
    if form.name == "table":
        colour = form.output is None and sys.stdout.isatty()
        table = terminal.render(profiles, form.by, form.depth, colour)
        return table + "".join(f"{line}\n" for line in _training(profiles, form))
    if form.name in exports.FORMATS:
        text = exports.render(profiles, form.by, form.depth, form.name)
        if form.name == "html":
            drawn = [one for one in profiles if one.total(form.size_by)]
            pictures = [str(icicle.render(one, "html", form.size_by)) for one in drawn]
            return page("\n".join([*pictures, text]))
        return text
    if several:
        raise typer.BadParameter(f"--format {form.name} shows one model; name one")
    try:
        if form.name in icicle.FORMATS:
            return icicle.render(profiles[0], form.name, form.size_by)
        return traces.render(profiles[0], form.name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def page(body: str) -> str:
    """An HTML page that fetches nothing."""
    head = '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>flopledger</title>\n'
    return f"{head}{body}</html>\n"


def _steps(profiles: "list[Profile]", form: Form) -> list[dict[str, Any]] | None:
    if form.optimiser is None:
        return None
    return [one.training_step(form.optimiser, form.accumulate) for one in profiles]


def _training(profiles: "list[Profile]", form: Form) -> list[str]:
    from profiler.reports.units import short

    passes = f"{form.accumulate} pass{'es' if form.accumulate > 1 else ''}"
    return [
        f"{one.model}: a step of training ({passes}, {form.optimiser}): {short(step['macs'])} MACs "
        f"= {short(step['flops'])} FLOPs, {short(step['other_flops'])} other FLOPs, of which the "
        f"optimiser's {short(step['optimiser_flops'])}"
        for one, step in zip(profiles, _steps(profiles, form) or [], strict=False)
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
