"""What somebody said, held against what is measured: flopledger claims."""

import sys
from typing import Annotated

import typer

from flopledger.cli.console import Debug
from flopledger.cli.formats import format_option


def claims(
    form: Annotated[str, format_option("claims")] = "table",
    debug: Debug = False,
) -> int:
    """Hold the claims of facts/claims.toml against what is measured and cited."""
    from flopledger.counting.cached import cached_profile
    from flopledger.ledger.training_run import BadRun
    from flopledger.reports.claims import FORMATS
    from flopledger.statements.claim import BadClaim, judge, read_claims
    from flopledger.statements.evidence import evidence

    try:
        said = read_claims()
        held = evidence(cached_profile)
    except (BadClaim, BadRun) as error:
        raise typer.BadParameter(str(error)) from error
    sys.stdout.write(FORMATS[form]([judge(claim, held) for claim in said]))
    return 0
