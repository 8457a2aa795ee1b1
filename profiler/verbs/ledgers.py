"""Training runs and claims: flopledger report, compare, claims."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from profiler.files import check_folder
from profiler.registry import BrokenModel, ModelSpec, find_model, list_models
from profiler.verbs.profiling import doubts
from profiler.verbs.speech import NOT_PROFILED, Debug, complain, say, with_progress

if TYPE_CHECKING:
    from profiler.reports.findings import Findings
    from profiler.tables import Profile


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
    for listing in with_progress(list_models()):
        try:
            counted.append((find_model(listing.name), cached_profile(listing.name)))
        except (ProfilingError, BrokenModel) as error:
            complain(error, debug)
            failed += 1
    try:
        page = write(_findings(counted), output)
    except (BadRun, BadClaim) as error:
        raise typer.BadParameter(str(error)) from error
    for spec, one in counted:
        for line in (*doubts(one), *contradictions(held_against(spec, one))):
            say(line)
    typer.echo(page)
    return NOT_PROFILED if failed else 0


def _findings(counted: "list[tuple[ModelSpec, Profile]]") -> "Findings":
    from profiler import comparison
    from profiler.accounts import evidence, watched
    from profiler.cache import cached_profile
    from profiler.chains import chain
    from profiler.claims import judge, read_claims
    from profiler.measures import VERSIONS
    from profiler.reports.findings import Findings
    from profiler.speed_measures import CHAINS
    from profiler.training import USUAL, Sizes, find_run, list_runs

    profiles = {one.model: one for _, one in counted}
    claims = read_claims()

    def found(name: str, sizes: Sizes = USUAL) -> "Profile":
        return (
            profiles[name] if sizes == USUAL and name in profiles else cached_profile(name, sizes)
        )

    held = evidence(found)
    trainings, split = watched(found)
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
        trainings=trainings,
        watched=split,
        entries=held.entries,
        hours=held.hours,
        chains={
            name: chain([held.hours[entry] for entry in names]) for name, names in CHAINS.items()
        },
    )


def compare(
    a: Annotated[str, typer.Argument(help="A run of facts/, or a TOML file.")],
    b: Annotated[str, typer.Argument(help="The run to compare it with.")],
    more: Annotated[
        list[str] | None, typer.Argument(help="Further runs: each is compared with the next.")
    ] = None,
    quantity: Annotated[
        Literal["compute", "hours"],
        typer.Option(
            help="Training FLOP per parameter, or hours to 93% top-5 of entries of "
            "facts/dawnbench.csv (or FILE.csv:NAME)."
        ),
    ] = "compute",
    form: Annotated[
        Literal["table", "json", "csv", "markdown"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    samples: Annotated[int, typer.Option(help="Draws for the intervals.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the draws.", min=0)] = 0,
    debug: Debug = False,
) -> int:
    """Split the ratio b / a of two runs' training compute per parameter, or hours, into factors.

    Of several runs, each is compared with the next, and the steps add up.
    """
    from profiler import comparison
    from profiler.accounts import hours_of, ledger_of
    from profiler.chains import chain
    from profiler.hours import contradiction
    from profiler.reports import chains, comparisons

    names = [a, b, *(more or [])]
    try:
        sides = hours_of(names) if quantity == "hours" else [ledger_of(name) for name in names]
        if more or (quantity == "hours" and form in ("table", "markdown")):
            text = chains.render(chain(sides, samples=samples, seed=seed), form)
        else:
            split = comparison.compare(sides[0], sides[1], samples=samples, seed=seed)
            text = comparisons.render(split, form)
    except ValueError as error:  # BadRun, or nothing in common
        raise typer.BadParameter(str(error)) from error
    for line in filter(None, map(contradiction, sides)):
        say(line)
    sys.stdout.write(text)
    return 0


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
