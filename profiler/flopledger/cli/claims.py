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
    from flopledger.reports.claims import FORMATS
    from flopledger.statements import claim

    sys.stdout.write(FORMATS[form](claim.claims()))
    return 0
