"""The whole answer on one page: flopledger report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flopledger.cli.console import NOT_PROFILED, Debug, complain, say, with_progress
from flopledger.cli.profile import doubts
from flopledger.storage.files import check_folder
from flopledger.zoo.registry import BrokenModel, ModelSpec, find_model, list_models

if TYPE_CHECKING:
    from flopledger.profiles.tables import Profile
    from flopledger.reports.report.report_data import Findings


def report(
    output: Annotated[Path, typer.Option(help="The folder that the report is written to.")] = Path(
        "build/report"
    ),
    debug: Debug = False,
) -> int:
    """Count the zoo, balance the ledgers, judge the claims: index.html, report.md, tables, figures.

    A network is counted once for each state of its file and of the profiler, and then remembered.
    """
    from flopledger.counting.cached import cached_profile
    from flopledger.profiles.tables import ProfilingError
    from flopledger.reports.report.write import write
    from flopledger.zoo.published import contradictions, held_against

    check_folder(output)
    counted, failed = [], 0
    for listing in with_progress(list_models()):
        try:
            counted.append((find_model(listing.name), cached_profile(listing.name)))
        except (ProfilingError, BrokenModel) as error:
            complain(error, debug)
            failed += 1
    page = write(_findings(counted), output)
    for spec, profile in counted:
        for line in (*doubts(profile), *contradictions(held_against(spec, profile))):
            say(line)
    typer.echo(page)
    return NOT_PROFILED if failed else 0


def _findings(counted: "list[tuple[ModelSpec, Profile]]") -> "Findings":
    from flopledger.counting.cached import cached_profile
    from flopledger.ledger import comparison
    from flopledger.ledger.build import watched
    from flopledger.ledger.chain import chain
    from flopledger.ledger.run_file import find_run, list_runs
    from flopledger.reports.report.report_data import Findings
    from flopledger.statements.claim import judge, read_claims
    from flopledger.statements.compute_claims import VERSIONS
    from flopledger.statements.evidence import evidence
    from flopledger.statements.speed_claims import CHAINS
    from flopledger.zoo.sizes import USUAL, Sizes

    profiles = {profile.model: profile for _, profile in counted}
    claims = read_claims()

    def profile_of(name: str, sizes: Sizes = USUAL) -> "Profile":
        return (
            profiles[name] if sizes == USUAL and name in profiles else cached_profile(name, sizes)
        )

    held = evidence(profile_of)
    trainings, split = watched(profile_of)
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
