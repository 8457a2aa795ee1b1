"""Claims, held against what is measured: flopledger claims."""

from pathlib import Path
from typing import Annotated

import typer

from flopledger.cli.console import Debug
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)

EXAMPLES = """
flopledger claims
flopledger claims my_claims.toml --output verdicts.csv
"""


def claims(
    file: Annotated[
        Path | None,
        typer.Argument(help="A TOML file of claims; facts/claims.toml if it is left out."),
    ] = None,
    form: Annotated[str | None, format_option("claims")] = None,
    output: Output = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Hold claims against what is measured and cited.

    For each: what was said, what is found, a verdict, and the reason for it.
    """
    from flopledger.reports.claims import FORMATS
    from flopledger.statements import claim

    chosen = check_form("claims", form, output, columns, column_titles("claims"))
    verdicts = claim.claims(file)
    deliver(lambda: FORMATS[chosen](verdicts), chosen, output, columns)
    return 0
