"""The whole answer on one page: flopledger report."""

from pathlib import Path
from typing import Annotated

import typer

from flopledger.cli.console import NOT_PROFILED, Debug, say, with_progress
from flopledger.cli.profile import doubts
from flopledger.zoo.registry import list_models


def report(
    output: Annotated[Path, typer.Option(help="The folder that the report is written to.")] = Path(
        "build/report"
    ),
    debug: Debug = False,
) -> int:
    """Count the zoo, balance the ledgers, judge the claims: index.html, report.md, tables, figures.

    A network is counted once for each state of its file and of the profiler, and then remembered.
    """
    from flopledger.reports.report.whole_report import report
    from flopledger.zoo.published import contradictions, held_against

    models = list_models()
    made = report(output, models=with_progress(models) if models else None)
    for reason in made.failed.values():
        say(reason)
    for spec, profile in made.counted:
        for line in (*doubts(profile), *contradictions(held_against(spec, profile))):
            say(line)
    typer.echo(made.page)
    return NOT_PROFILED if made.failed else 0
