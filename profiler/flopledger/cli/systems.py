"""Published systems by compute per parameter: flopledger systems."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug, readable, say, write_out
from flopledger.cli.formats import format_option
from flopledger.storage.files import check_writable, write_whole


def systems(
    download: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A table of Epoch AI's as it was downloaded: notable_ai_models.csv."
        ),
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="Which systems are shown: Language, Vision, Games, ...")
    ] = None,
    since: Annotated[
        str, typer.Option(help="The year or day from which systems count, the trend's too.")
    ] = "2012",
    form: Annotated[str, format_option("systems")] = "table",
    scale: Annotated[
        Literal["log", "linear"], typer.Option(help="A picture's scale of compute per parameter.")
    ] = "log",
    output: Annotated[
        Path | None, typer.Option(help="The file that is written instead of stdout.")
    ] = None,
    debug: Debug = False,
) -> int:
    """Show published systems' compute per parameter, its trend, and how far each lies off it."""
    from flopledger.field.look_up import systems as look_up
    from flopledger.reports.systems import FORMATS

    if output is not None:
        check_writable(output)
    found = look_up(download, domain=domain, since=since)
    for note in found.notes:
        say(note)
    options = {"scale": scale} if form in ("svg", "png", "html") else {}
    content = FORMATS[form](found, **options)
    if output is None:
        write_out(content, form)
    else:
        write_whole(output, readable(content, form) if isinstance(content, str) else content)
        say(f"written to {output}")
    return 0
