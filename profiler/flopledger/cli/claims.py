"""Claims, held against what is measured: flopledger claims."""

import sys
from typing import Annotated

from flopledger.cli.console import Debug
from flopledger.cli.formats import format_option


def claims(
    form: Annotated[str, format_option("claims")] = "table",
    debug: Debug = False,
) -> int:
    """Hold the claims of facts/claims.toml against what is measured and cited."""
    from flopledger.counting.cached import cached_profile
    from flopledger.reports.claims import FORMATS
    from flopledger.statements.claim import judge, read_claims
    from flopledger.statements.evidence import evidence

    made = read_claims()
    held = evidence(cached_profile)
    sys.stdout.write(FORMATS[form]([judge(claim, held) for claim in made]))
    return 0
