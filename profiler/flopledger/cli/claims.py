"""Claims, held against what is measured: flopledger claims."""

from pathlib import Path
from typing import Annotated

import typer

from flopledger.cli.console import Debug, write_out
from flopledger.cli.formats import format_option


def claims(
    file: Annotated[
        Path | None,
        typer.Argument(help="A TOML file of claims; facts/claims.toml if it is left out."),
    ] = None,
    form: Annotated[str, format_option("claims")] = "table",
    debug: Debug = False,
) -> int:
    """Hold claims against what is measured and cited: what was said, what is found, a verdict."""
    from flopledger.reports.claims import FORMATS
    from flopledger.statements import claim

    write_out(FORMATS[form](claim.claims(file)), form)
    return 0
