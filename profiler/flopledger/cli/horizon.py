"""What the reach of outcomes costs, by experiment: flopledger horizon."""

from pathlib import Path
from typing import Annotated

import typer

from flopledger.cli.console import NOT_PROFILED, Debug, say, stopped
from flopledger.cli.formats import (
    Columns,
    check_form,
    column_titles,
    deliver,
    format_option,
    journal_and_output,
    journal_option,
)
from flopledger.progress import Interrupted, Progress, Unfinished

EXAMPLES = """
flopledger horizon --arm supervised --arm "h = 1" --seeds 2 --output trials.jsonl
flopledger horizon --output trials.jsonl --resume
"""


def horizon(
    task: Annotated[
        str, typer.Argument(help="digits; hex-3, hex-4, hex-5, connect-four.")
    ] = "digits",
    arms: Annotated[
        list[str] | None,
        typer.Option("--arm", help='A way to learn it, "supervised" or "h = 4"; all if left out.'),
    ] = None,
    target: Annotated[
        float | None, typer.Option(help="The score to be reached, 0 to 1; the task has its own.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Samples of a trial at most; the task has its own.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trials that measure each arm.")] = 8,
    seed: Annotated[
        int, typer.Option(help="The first seed; the first three choose each arm's settings.")
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(help="Processes; 1 is this process alone. Left out: one for each core."),
    ] = None,
    output: Annotated[
        Path | None,
        journal_option("trial"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="It goes on with the trials in --output.")
    ] = False,
    form: Annotated[str | None, format_option("horizon")] = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Learn one task from outcomes of different reach.

    Each way of learning is metered over several seeds, at its own best settings.
    """
    from flopledger.experiments.run_horizon import horizon as experiment
    from flopledger.reports.horizon import FORMATS

    def tell(step: Progress) -> None:
        say(f"{step.done} of {step.total}: {step.message}")

    journal, result_file = journal_and_output(output, resume)
    chosen = check_form("horizon", form, result_file, columns, column_titles("horizon"))
    code = 0
    try:
        result = experiment(
            task, arms=arms, target=target, samples=samples, seeds=seeds, seed=seed,
            jobs=jobs, output=journal, resume=resume, progress=tell,
        )  # fmt: skip
    except (Interrupted, Unfinished) as stop:
        result, code = stop.result, stopped(stop, "what they came to follows", debug)
    for note in result.notes:
        say(note)
    deliver(lambda: FORMATS[chosen](result), chosen, result_file, columns)
    if result.failures:
        say(f"{len(result.failures)} trials have no figures; each was said above")
    return code or (NOT_PROFILED if result.failures else 0)
