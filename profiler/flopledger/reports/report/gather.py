"""What the report is made of, gathered: ledgers balanced, claims judged, chains compared."""

from collections.abc import Sequence

from flopledger.counting.cached import cached_profile
from flopledger.experiments.measured import REPEATED, measured, measured_tasks
from flopledger.field.ai_and_compute import read_systems
from flopledger.field.look_up import BEGIN, day_of, gathered
from flopledger.field.published_systems import PRIMARY, read_published
from flopledger.ledger.build import hours_of, measure, watched
from flopledger.ledger.chain import chain
from flopledger.ledger.comparison import split_ratio
from flopledger.ledger.dawnbench import find_entry, list_entries
from flopledger.ledger.hardware_estimate import estimates_of
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.methods import Accounting
from flopledger.ledger.run_file import find_run, list_runs
from flopledger.profiles.tables import Profile
from flopledger.reports.report.report_data import Findings
from flopledger.statements.claim import judged, read_claims
from flopledger.statements.figures import Figures
from flopledger.zoo.registry import ModelSpec
from flopledger.zoo.sizes import USUAL, Sizes

# AlphaZero's published versions, Go first, as the discussion asks; beside the run they all face
VERSIONS = ("alphazero-go-preprint", "alphazero-go-science", "alphazero-chess", "alphazero-shogi")
FROM = "alexnet"
ACCOUNTINGS: tuple[Accounting, ...] = ("all", "training")
# the entries that the second discussion is about, by the name of their chart
CHAINS = {
    "tpu": (
        "google_resnet50_tpu_tensorflow17",
        "google_resnet50_tpu_tensorflow18",
        "google_resnet50_tpu_tensorflow111",
        "google_resnet50_tpu_tensorflow111_fastai",
    ),
    "v100": ("diux_resnet50_p3-tensorpack", "fastai_pytorch-e5d00a5", "fastai_pytorch"),
}


def findings_of(counted: Sequence[tuple[ModelSpec, Profile]]) -> Findings:
    """Everything the report tells, beside the networks that were counted.

    Raises:
        BadFacts: a run, an entry or a claim cannot be used.
    """
    profiles = {profile.model: profile for _, profile in counted}

    def profile_of(model: str, sizes: Sizes = USUAL) -> Profile:
        if sizes == USUAL and model in profiles:
            return profiles[model]
        return cached_profile(model, sizes)

    runs = {name: find_run(name) for name in list_runs()}
    networks: dict[str, Measured] = {}  # counted once for both accountings
    for run in runs.values():
        measure(run, profile_of, networks)
    built = {
        kind: {name: build_ledger(run, networks, kind) for name, run in runs.items()}
        for kind in ACCOUNTINGS
    }
    entries = {name: find_entry(name) for name in list_entries()}
    hours = {
        name: hours_of([name], profile_of)[0] for name, entry in entries.items() if entry.hours
    }
    figures = Figures(profile_of)
    trainings, split = watched(profile_of)
    return Findings(
        counted=counted,
        runs=runs,
        ledgers=built["all"],
        estimates=estimates_of(runs.values(), networks),
        comparisons={
            name: {kind: split_ratio(built[kind][FROM], built[kind][name]) for kind in ACCOUNTINGS}
            for name in VERSIONS
        },
        verdicts=judged(read_claims(), figures),
        systems=read_systems(),
        field=gathered(
            read_published(),
            PRIMARY,
            day_of(BEGIN),
            runs,
            {name: {kind: built[kind][name] for kind in ACCOUNTINGS} for name in runs},
        ),
        horizons={task: measured(task) for task in measured_tasks()},
        repeated=measured("digits", REPEATED),
        trainings=trainings,
        watched=split,
        entries=entries,
        hours=hours,
        chains={name: chain(hours_of(names, profile_of)) for name, names in CHAINS.items()},
    )
