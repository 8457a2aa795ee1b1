"""Networks at many input sizes: flopledger sweep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flopledger.calls import Counter
from flopledger.cli.console import (
    NOT_CONFIRMED,
    NOT_PROFILED,
    Debug,
    progress_bar,
    say,
    stopped,
)
from flopledger.cli.formats import (
    Columns,
    check_form,
    column_titles,
    deliver,
    format_option,
    journal_and_output,
    journal_option,
)
from flopledger.cli.profile import Kwargs, check_words
from flopledger.progress import Interrupted, Unfinished
from flopledger.storage.files import check_writable, write_whole

if TYPE_CHECKING:
    from flopledger.sweeping.sweep_result import Sweep


EXAMPLES = """
flopledger sweep resnet18 --over N=128,160,224 --input 1,3,N,N
flopledger sweep gpt2 --over T=128:1025:128 --input 1,T:int64 --chart laws.svg
"""


def sweep(
    models: Annotated[
        list[str],
        typer.Argument(help="Networks, named as flopledger profile takes them."),
    ],
    over: Annotated[
        list[str],
        typer.Option(
            "--over", help="A letter's sizes, N=128,160,224 or T=128:1025:128; twice for a grid."
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", help="The shape of an input, 1,3,N,N or NAME=1,T:int64; given once for each."
        ),
    ] = None,
    kwargs: Kwargs = None,
    counter: Annotated[
        Counter, typer.Option(help="Which counter's count is shown; the other counter checks it.")
    ] = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(help="Processes; 1 is this process alone. Left out: one for each core."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="tcp://HOST:PORT of a Dask cluster that does the work.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="How many seconds each row may take, in a process of its own."),
    ] = None,
    output: Annotated[
        Path | None,
        journal_option("row"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="The sweep goes on with the rows in --output.")
    ] = False,
    form: Annotated[str | None, format_option("sweep")] = None,
    columns: Columns = None,
    chart: Annotated[
        Path | None, typer.Option(help="A chart is drawn to FILE.svg, FILE.png or FILE.html.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="The exit code is 3 if anything is uncounted or disputed."),
    ] = False,
    debug: Debug = False,
) -> int:
    """Count networks at many input sizes, and find the law.

    A network that fails at a size costs that row alone.
    """
    from flopledger.reports.sweep import FORMATS
    from flopledger.sweeping.run_sweep import sweep as count_rows

    if chart is not None:
        _check_chart(chart)
    check_words(models, inputs)
    journal, result_file = journal_and_output(output, resume)
    titles = [*column_titles("sweep"), *(text.partition("=")[0].strip() for text in over)]
    chosen = check_form("sweep", form, result_file, columns, titles)
    code = 0
    try:
        with progress_bar("rows") as progress:
            result = count_rows(
                models, inputs or [], over, factory_kwargs=kwargs or [], counter=counter,
                jobs=jobs, scheduler=scheduler, timeout=timeout, output=journal, resume=resume,
                progress=progress,
            )  # fmt: skip
    except (Interrupted, Unfinished) as stop:
        result, code = stop.result, stopped(stop, "they follow", debug)
    for note in result.notes:
        say(note)
    if not result.rows:
        return code or NOT_PROFILED
    deliver(lambda: FORMATS[chosen](result), chosen, result_file, columns)
    shown = _show(result, chart, strict)
    return code or shown


def _show(result: "Sweep", chart: Path | None, strict: bool) -> int:
    """Say what failed and draw the chart; the exit code."""
    failures = len(result.failures)
    if failures:
        say(f"{failures} of {len(result.rows)} rows could not be counted; each says why")
    if chart is not None:
        try:
            write_whole(chart, result.chart(chart.suffix[1:]))  # type: ignore[arg-type]
            say(f"written to {chart}")
        except ValueError as error:
            say(f"{chart} is not written: {error}")
    if failures:
        return NOT_PROFILED
    return NOT_CONFIRMED if strict and not result.confirmed else 0


def _check_chart(chart: Path) -> None:
    from flopledger.reports.sweep import PICTURES

    if chart.suffix[1:] not in PICTURES:
        raise typer.BadParameter(f"--chart {chart}: name a FILE.svg, FILE.png or FILE.html")
    check_writable(chart)
