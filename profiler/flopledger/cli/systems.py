"""Published systems by compute per parameter: flopledger systems."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug, say
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)

EXAMPLES = """
flopledger systems --domain Games
flopledger systems --since 2018 --output systems.svg
flopledger systems --from notable_ai_models.csv --output systems.csv
"""


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
    form: Annotated[str | None, format_option("systems")] = None,
    columns: Columns = None,
    scale: Annotated[
        Literal["log", "linear"], typer.Option(help="A picture's scale of compute per parameter.")
    ] = "log",
    output: Output = None,
    debug: Debug = False,
) -> int:
    """Show published systems by compute per parameter.

    With the trend of all of them, how far each lies off it, and where the ledger's runs lie.
    """
    from flopledger.field.look_up import systems as look_up
    from flopledger.field.published_systems import OLDER, PRIMARY
    from flopledger.reports.systems import FORMATS, off_title

    tables = [PRIMARY, OLDER, *([download.name] if download else [])]
    titles = [*column_titles("systems"), *map(off_title, tables)]
    chosen = check_form("systems", form, output, columns, titles)
    found = look_up(download, domain=domain, since=since)
    for note in found.notes:
        say(note)
    options = {"scale": scale} if chosen in ("svg", "png", "html") else {}
    deliver(lambda: FORMATS[chosen](found, **options), chosen, output, columns)
    return 0
