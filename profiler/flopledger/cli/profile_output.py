"""What flopledger profile can show in which format."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flopledger.cli.profile_measurements import Wanted
    from flopledger.reports.profile import Format


def check_format(
    name: str,
    weight: str,
    wanted: "Wanted",
    several: bool,
    output: Path | None,
    prompted: bool = False,
) -> "Format":
    """The format, if it shows what is asked for; said before anything is counted.

    Args:
        name: the format's.
        weight: what a trace's boxes are as wide as.
        wanted: what is to be measured, and the devices that are named.
        several: whether several models are.
        output: the file; None for the screen.
        prompted: whether a prompt and new tokens are counted, not one pass.

    Raises:
        BadParameter: it does not.
    """
    from flopledger.reports.profile import FORMATS

    chosen = FORMATS[name]
    if chosen.binary and output is None and sys.stdout.isatty():
        raise typer.BadParameter(f"--format {name} is no text; give --output FILE.{name}")
    if several and not chosen.several:
        raise typer.BadParameter(f"--format {name} shows one model; name one")
    timed = [form for form in FORMATS if FORMATS[form].seconds]
    if weight == "seconds" and not chosen.seconds:
        raise typer.BadParameter(f"--weight is of a trace; give --format {' or '.join(timed)}")
    if weight == "seconds" and not wanted.time:
        raise typer.BadParameter("--weight seconds needs --time, which measures them")
    shown = " and ".join(form for form in FORMATS if FORMATS[form].measurements)
    if wanted.time and weight == "flops" and not chosen.measurements:
        raise typer.BadParameter(
            f"--time is shown by --format {shown}, and by a trace with --weight seconds"
        )
    if wanted.memory and not chosen.measurements:
        raise typer.BadParameter(f"--memory is shown by --format {shown}")
    if not wanted.devices.on:
        return chosen
    told = [form for form in FORMATS if FORMATS[form].devices]
    if prompted:
        from flopledger.reports.generation import WITH_LIMITS

        told = list(WITH_LIMITS)
    if name not in told:
        of = "--on with --prefill" if prompted else "--on"
        raise typer.BadParameter(f"{of} is shown by --format {', '.join(told)}")
    return chosen
