"""The whole answer on one page: flopledger report."""

from pathlib import Path
from typing import Annotated

import typer

from flopledger.cli.console import NOT_PROFILED, Debug, say, with_progress
from flopledger.cli.one_by_one import doubts
from flopledger.zoo.registry import list_models

EXAMPLES = """
flopledger report --output build/report
"""


def report(
    output: Annotated[Path, typer.Option(help="The folder that the report is written to.")] = Path(
        "build/report"
    ),
    debug: Debug = False,
) -> int:
    """Write the whole answer: a page, its tables, its figures.

    The zoo is counted, the ledgers balanced and the claims judged, into index.html and report.md.

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
