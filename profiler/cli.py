"""The command line: arguments in, exit code out; torch is imported by the verb that needs it."""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.exceptions import TyperException

from profiler.files import check_folder, check_writable, write_whole
from profiler.registry import BrokenModel, Listing, ModelSpec, UnknownModel, find_model, list_models

if TYPE_CHECKING:
    from profiler.calls import Shape
    from profiler.inputs import AskedInput
    from profiler.reports.findings import Findings
    from profiler.tables import Profile

WRONG_CALL, NOT_PROFILED, NOT_CONFIRMED = 2, 1, 3

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Where a PyTorch network spends arithmetic and where it keeps its parameters.",
)

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit: 0; 1 not profiled; 2 wrong call; 3 not confirmed under --strict."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" not in words:
        warnings.showwarning = _one_line_warning
    try:
        code = app(words, prog_name="flopledger", standalone_mode=False)
    except (TyperException, UnknownModel, OSError) as error:
        if "--debug" in words:
            raise
        said = error.format_message() if isinstance(error, TyperException) else str(error)
        _say(said.replace("Value error, ", "").removeprefix("Invalid value: "))
        code = WRONG_CALL
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        code = 130
    sys.exit(code or 0)


@app.command()
def profile(
    models: Annotated[list[str] | None, typer.Argument(help="Names from --list.")] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="1,3,224,224 or 1,1024:int64; once for each input."),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="The size of axis 0 of every input.")] = None,
    depth: Annotated[int | None, typer.Option(help="Fold layers deeper than this.")] = None,
    by: Annotated[Literal["layer", "operator", "kind"], typer.Option(help="The rows.")] = "layer",
    counter: Annotated[
        Literal["auto", "fvcore", "dispatch"],
        typer.Option(help="Whose count is shown; the other one checks it."),
    ] = "auto",
    backward: Annotated[bool, typer.Option("--backward", help="Count it too.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if anything is uncounted or disputed.")
    ] = False,
    form: Annotated[
        Literal["table", "csv", "json", "markdown", "html", "latex"],
        typer.Option("--format", help="What is written to stdout, or to --output."),
    ] = "table",
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Show the models and exit.")] = False,
    debug: Debug = False,
) -> int:
    """Count the FLOPs and parameters of models, layer by layer, with two counters."""
    if show_list:
        _show_list(list_models())
        return 0
    if not models:
        raise typer.BadParameter("name a model; --list shows their names")
    for name, value, least in (("--batch", batch, 1), ("--depth", depth, 0)):
        if value is not None and value < least:
            raise typer.BadParameter(f"{name} {value} is too small; give {least} or more")
    _check_names(models)
    from profiler.inputs import parse_input

    try:
        if output is not None:
            check_writable(output)
        asked = [parse_input(text) for text in inputs or []]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    profiles, failed = _profiled(models, asked, batch, counter, backward, debug)
    if profiles:
        _write(_rendered(profiles, len(models) > 1, by, depth, form, output), output)
    doubts = [line for one in profiles for line in _doubts(one)]
    for line in doubts:
        _say(line)
    if failed:
        return NOT_PROFILED
    return NOT_CONFIRMED if strict and doubts else 0


@app.command()
def report(
    output: Annotated[Path, typer.Option(help="The folder it is written to.")] = Path(
        "build/report"
    ),
    debug: Debug = False,
) -> int:
    """Count the zoo, balance the ledgers, judge the claims: index.html, report.md, tables, figures.

    A network is counted once for each state of its file and of the profiler, and then remembered.
    """
    from profiler.cache import cached_profile
    from profiler.claims import BadClaim
    from profiler.published import contradictions, held_against
    from profiler.reports.report import write
    from profiler.tables import ProfilingError
    from profiler.training import BadRun

    try:
        check_folder(output)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    counted, failed = [], 0
    for listing in _with_progress(list_models()):
        try:
            counted.append((find_model(listing.name), cached_profile(listing.name)))
        except (ProfilingError, BrokenModel) as error:
            _complain(error, debug)
            failed += 1
    try:
        page = write(_findings(counted), output)
    except (BadRun, BadClaim) as error:
        raise typer.BadParameter(str(error)) from error
    for spec, one in counted:
        for line in (*_doubts(one), *contradictions(held_against(spec, one))):
            _say(line)
    typer.echo(page)
    return NOT_PROFILED if failed else 0


def _findings(counted: "list[tuple[ModelSpec, Profile]]") -> "Findings":
    from profiler import comparison
    from profiler.accounts import evidence
    from profiler.cache import cached_profile
    from profiler.claims import judge, read_claims
    from profiler.measures import VERSIONS
    from profiler.reports.findings import Findings
    from profiler.training import find_run, list_runs

    profiles = {one.model: one for _, one in counted}
    claims = read_claims()

    def found(name: str, shape: "Shape | None" = None) -> "Profile":
        return profiles[name] if shape is None and name in profiles else cached_profile(name, shape)

    held = evidence(found)
    return Findings(
        counted=counted,
        runs={name: find_run(name) for name in list_runs()},
        ledgers=held.ledgers,
        comparisons={
            name: comparison.compare(held.ledgers["alexnet"], held.ledgers[name])
            for name in VERSIONS
        },
        verdicts=[judge(claim, held) for claim in claims],
        systems=held.systems,
    )


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="A run of facts/runs, or a TOML file.")],
    b: Annotated[str, typer.Argument(help="The run to compare it with.")],
    form: Annotated[
        Literal["table", "json", "csv", "markdown"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    samples: Annotated[int, typer.Option(help="Draws for the intervals.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the draws.", min=0)] = 0,
    debug: Debug = False,
) -> int:
    """Split the ratio b / a of two runs' training compute per parameter into factors."""
    from profiler import comparison
    from profiler.accounts import ledger_of
    from profiler.reports import comparisons

    try:
        split = comparison.compare(ledger_of(a), ledger_of(b), samples=samples, seed=seed)
    except ValueError as error:  # BadRun, or nothing in common
        raise typer.BadParameter(str(error)) from error
    sys.stdout.write(comparisons.render(split, form))
    return 0


@app.command()
def claims(
    form: Annotated[
        Literal["table", "json", "markdown"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    debug: Debug = False,
) -> int:
    """Hold the claims of facts/claims.toml against what is measured and cited."""
    from profiler.accounts import evidence
    from profiler.cache import cached_profile
    from profiler.claims import BadClaim, judge, read_claims
    from profiler.reports import verdicts
    from profiler.training import BadRun

    try:
        said = read_claims()
        held = evidence(cached_profile)
    except (BadClaim, BadRun) as error:
        raise typer.BadParameter(str(error)) from error
    sys.stdout.write(verdicts.render([judge(claim, held) for claim in said], form))
    return 0


def _profiled(
    models: list[str],
    asked: "list[AskedInput]",
    batch: int | None,
    counter: str,
    backward: bool,
    debug: bool,
) -> "tuple[list[Profile], int]":
    from profiler.inputs import WrongInputs, fit_inputs
    from profiler.measure import examples
    from profiler.measure import profile as count
    from profiler.published import contradictions, held_against
    from profiler.tables import ProfilingError

    profiles, failed = [], 0
    for name in _with_progress(models):
        try:
            spec = find_model(name)
            inputs = fit_inputs(name, examples(spec), asked, batch)
            one = count(name, *inputs, counter=counter, backward=backward)
        except WrongInputs as error:
            raise typer.BadParameter(str(error)) from error
        except (ProfilingError, BrokenModel) as error:
            _complain(error, debug)
            failed += 1
            continue
        except KeyboardInterrupt:
            _say(f"interrupted at {name}; what was counted before it follows")
            failed += 1
            break
        profiles.append(one)
        if not asked:  # published figures are of the registered inputs
            for line in contradictions(held_against(spec, one)):
                _say(line)
    return profiles, failed


def _rendered(
    profiles: "list[Profile]",
    several: bool,
    by: str,
    depth: int | None,
    form: str,
    output: Path | None,
) -> str:
    from profiler.reports import exports, json, terminal

    if form == "json":
        return json.render(profiles, several, depth)
    if form == "table":
        colour = output is None and sys.stdout.isatty()
        return terminal.render(profiles, by, depth, colour)
    return exports.render(profiles, by, depth, form)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        write_whole(output, text)
        _say(f"written to {output}")


def _doubts(one: "Profile") -> list[str]:
    lines = [
        f"{one.model}: {row.operator} is not counted ({row.calls} calls); totals are lower bounds"
        for row in one.unsupported().itertuples()
    ]
    if one.check.agrees is False:
        lines.append(
            f"{one.model}: {one.counter} counts {one.total('macs'):,} MACs, {one.check.counter} "
            f"{one.check.macs:,}: {one.check.reason}"
        )
    return lines


def _check_names(models: list[str]) -> None:
    known = {listing.name for listing in list_models()}
    for name in models:
        if name not in known:
            find_model(name)  # raises, and names the nearest


def _show_list(listings: list[Listing]) -> None:
    width = max((len(one.name) for one in listings), default=0)
    for one in listings:
        typer.echo(f"{one.name:{width}}  {one.year or '':4}  {one.description}")


def _with_progress(items: list[Any]) -> Any:
    """The items, with a progress bar on stderr while they are worked through, on a screen."""
    if len(items) < 2 or not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, description="counting", console=Console(stderr=True), transient=True)


def _complain(error: Exception, debug: bool) -> None:
    if debug:
        raise error
    _say(str(error))


def _one_line_warning(message: Any, category: Any, *_: Any, **__: Any) -> None:
    _say(f"warning: {str(message).strip().splitlines()[0]}")


def _say(line: str) -> None:
    print(f"flopledger: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
