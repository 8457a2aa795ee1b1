"""What somebody said, held against what is measured: flopledger claims."""

import sys
from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug


def claims(
    form: Annotated[
        Literal["table", "json", "markdown"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    debug: Debug = False,
) -> int:
    """Hold the claims of facts/claims.toml against what is measured and cited."""
    from flopledger.counting.cached import cached_profile
    from flopledger.ledger.training_run import BadRun
    from flopledger.reports import claims
    from flopledger.statements.claim import BadClaim, judge, read_claims
    from flopledger.statements.evidence import evidence

    try:
        said = read_claims()
        held = evidence(cached_profile)
    except (BadClaim, BadRun) as error:
        raise typer.BadParameter(str(error)) from error
    sys.stdout.write(claims.render([judge(claim, held) for claim in said], form))
    return 0
