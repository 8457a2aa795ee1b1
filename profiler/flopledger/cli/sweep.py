"""Networks at many input sizes: flopledger sweep."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flopledger.cli.console import NOT_CONFIRMED, NOT_PROFILED, Debug, say, with_progress
from flopledger.cli.profile import Kwargs, check_names
from flopledger.cli.timeout import TimedOut, limit
from flopledger.storage.files import check_writable, write_whole

if TYPE_CHECKING:
    from flopledger.sweeping.rows import Key, Point, Row


def sweep(
    models: Annotated[
        list[str],
        typer.Argument(help="As flopledger profile takes them."),
    ],
    over: Annotated[
        list[str],
        typer.Option("--over", help="N=128,160,224 or T=128:1025:128; twice for a grid."),
    ],
    asked: Annotated[
        list[str] | None,
        typer.Option("--input", help="1,3,N,N or NAME=1,T:int64; once for each input."),
    ] = None,
    kwargs: Kwargs = None,
    counter: Annotated[
        Literal["auto", "fvcore", "dispatch"],
        typer.Option(help="Whose count is shown; the other one checks it."),
    ] = "auto",
    jobs: Annotated[
        int | None, typer.Option(help="Processes; 1 for none but this. The cores.", min=1)
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="tcp://HOST:PORT of a Dask cluster that does the work.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for each row.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="A line of JSON after every row.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the rows in --output.")
    ] = False,
    form: Annotated[
        Literal["table", "json", "csv", "markdown"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    chart: Annotated[
        Path | None, typer.Option(help="Draw it: FILE.svg, FILE.png or FILE.html.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if anything is uncounted or disputed.")
    ] = False,
    debug: Debug = False,
) -> int:  # fmt: skip
    """Count networks at many input sizes, and say by which law the counts grow.

    A network that fails at a size costs that row alone.
    """
    from flopledger.sweeping import axes, on_dask, rows_file
    from flopledger.zoo.sources import parse_options

    if timeout is not None and timeout <= 0:
        raise typer.BadParameter(f"--timeout {timeout:g} is too small; give seconds above 0")
    _check_files(models, output, resume, chart)
    check_names(models)
    inputs = asked or []
    parse_options(kwargs or [])
    if scheduler is not None:
        _check_scheduler(jobs, timeout)
        on_dask.check_installed()
    swept = [axes.parse_axis(text) for text in over]
    points = axes.grid(models, inputs, swept, kwargs or [], counter)
    done: dict[Key, Row] = {}
    torn = ""
    if output is not None:
        header = rows_file.Header(
            inputs=tuple(inputs), kwargs=tuple(kwargs or []), counter=counter,
            versions={name: version(name) for name in ("flopledger", "torch", "fvcore")},
        )  # fmt: skip
        done, torn = rows_file.begin(output, header, resume)
    if torn:
        say(torn)
    left = [point for point in points if point.key not in done]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    backend = _Backend(jobs=jobs or cores or 1, scheduler=scheduler, timeout=timeout)
    code = _measured(left, done, backend, output)
    rows = [done[point.key] for point in points if point.key in done]
    spans = {a.letter: max(axes.spans(text, a.letter) for text in inputs) for a in swept}
    shown = _shown(rows, spans, form, chart, strict)
    return code or shown


@dataclass(frozen=True, kw_only=True)
class _Backend:
    """Who does the work."""

    jobs: int
    scheduler: str | None
    timeout: float | None

    def rows(self, points: "list[Point]") -> "Iterator[Row]":
        """The points' rows, as they are done."""
        if self.scheduler is not None:
            from flopledger.sweeping.on_dask import on_cluster

            return on_cluster(points, self.scheduler)
        if self.jobs == 1:
            return _here(points, self.timeout)
        from flopledger.sweeping.on_processes import on_processes

        return on_processes(points, min(self.jobs, len(points)), self.timeout)


def _here(points: "list[Point]", timeout: float | None) -> "Iterator[Row]":
    from flopledger.sweeping.count_row import measured
    from flopledger.sweeping.rows import failed

    for point in points:
        try:
            with limit(timeout, point.model):
                row = measured(point)
        except TimedOut as late:
            row = failed(point, str(late).removeprefix(f"{point.model}: "))
        yield row


def _measured(
    left: "list[Point]", done: "dict[Key, Row]", backend: _Backend, output: Path | None
) -> int:
    """Add the rows to those that are done, and to the file; the exit code."""
    from flopledger.sweeping.on_dask import LostCluster
    from flopledger.sweeping.rows_file import append

    if not left:
        return 0
    came = 0
    try:
        with closing(backend.rows(left)) as rows:  # type: ignore[type-var]
            for row in with_progress(rows, len(left)):
                done[row.key] = row
                came += 1
                if output is not None:
                    append(output, row)
    except KeyboardInterrupt:
        say(f"interrupted with {came} of {len(left)} rows done; they follow")
        return 130
    except LostCluster as lost:
        say(f"{lost}; {came} of {len(left)} rows were done")
        return NOT_PROFILED
    return 0


def _shown(
    rows: "list[Row]", spans: dict[str, int], form: str, chart: Path | None, strict: bool
) -> int:
    """Write the table and draw the chart; the exit code."""
    from flopledger.reports import sweep

    if not rows:
        return NOT_PROFILED
    sys.stdout.write(sweep.render(rows, spans, form))
    failures = [row for row in rows if row.error is not None]
    if failures:
        say(f"{len(failures)} of {len(rows)} rows could not be counted; each says why")
    if chart is not None:
        try:
            write_whole(chart, sweep.picture(rows, spans, chart.suffix[1:]))
            say(f"written to {chart}")
        except ValueError as error:
            say(f"{chart} is not written: {error}")
    if failures:
        return NOT_PROFILED
    doubted = any(row.uncounted or row.agrees is False for row in rows)
    return NOT_CONFIRMED if strict and doubted else 0


def _check_files(models: list[str], output: Path | None, resume: bool, chart: Path | None) -> None:
    from flopledger.reports.sweep import PICTURES

    for file in (Path(model.rpartition(":")[0]) for model in models):
        if file.suffix == ".py" and not file.is_file():
            raise typer.BadParameter(f"there is no file {file}; name one as FILE.py:FACTORY")
    if resume and output is None:
        raise typer.BadParameter("--resume goes on with a file; name it with --output")
    if chart is not None and chart.suffix[1:] not in PICTURES:
        raise typer.BadParameter(f"--chart {chart}: name a FILE.svg, FILE.png or FILE.html")
    for path in (output, chart):
        if path is not None:
            check_writable(path)


def _check_scheduler(jobs: int | None, timeout: float | None) -> None:
    if jobs is not None:
        raise typer.BadParameter("--jobs are this machine's processes; --scheduler has workers")
    if timeout is not None:
        raise typer.BadParameter("--timeout ends this machine's processes, not --scheduler's")
