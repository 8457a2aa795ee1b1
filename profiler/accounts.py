"""Ledgers of named runs, their networks measured: where facts and profiles meet."""

from collections.abc import Iterable
from typing import Protocol

from profiler.agreement import Agreement, agreement
from profiler.cache import cached_profile
from profiler.comparison import Comparison, compare
from profiler.inputs import WrongInputs
from profiler.ledger import Ledger, Measured, build_ledger
from profiler.measures import Evidence, read_systems
from profiler.registry import UnknownModel
from profiler.sources import WrongSource
from profiler.tables import Profile, ProfilingError
from profiler.training import USUAL, BadRun, Sizes, TrainingRun, find_run, list_runs

# what make train-small trains, and somebody did: the files are in facts/measured
WATCHED = ("alexnet-digits", "alphazero-connect-four")


class Profiles(Protocol):
    """Finds a network's profile by its name in the zoo, in its usual sizes or in others."""

    def __call__(self, name: str, sizes: Sizes = ..., /) -> Profile:
        """The profile, with its backward pass."""


def measured(profile: Profile) -> Measured:
    """What a ledger needs of a profile that has its backward pass."""
    backward = profile.backward
    assert backward is not None
    return Measured(
        model=profile.model,
        params=int(profile.total("trainable_params") or 0),
        forward_flops=float(profile.total("flops") or 0) / profile.samples,
        backward_ratio=float(backward["ratio_to_forward"] or 0),
    )


def ledger_of(name: str) -> Ledger:
    """The ledger of a run of facts/runs, or of a TOML file; its networks are counted if need be.

    Raises:
        BadRun: there is no such run, its file cannot be used, or it names an unknown network.
    """
    run = find_run(name)
    return ledgers([run], cached_profile)[run.name]


def evidence(profiles: Profiles) -> Evidence:
    """What the claims are held against: every run of facts/runs and the networks they need."""
    runs = [find_run(name) for name in list_runs()]
    built = ledgers(runs, profiles)
    return Evidence(
        profiles={model: profiles(model) for run in runs for model in run.needed_models},
        ledgers=built,
        facts={
            run.name: {key: fact.value for phase in run.phases for key, fact in phase.facts.items()}
            for run in runs
        },
        systems=read_systems(),
    )


def agreement_of(predicted: str, metered: str, profiles: Profiles = cached_profile) -> Agreement:
    """How far a run's prediction and its metering agree; both as names or files.

    Raises:
        BadRun: as `ledger_of`.
        ValueError: they are not the same run's.
    """
    before, after = find_run(predicted), find_run(metered)
    built = ledgers([before, after], profiles)
    return agreement(before, after, built[before.name], built[after.name])


def watched(profiles: Profiles) -> tuple[dict[str, Agreement], Comparison]:
    """The trainings in facts/measured beside their predictions, and one beside the other."""
    runs = [find_run(f"{name}-metered") for name in WATCHED]
    built = ledgers(runs, profiles)
    return (
        {name: agreement_of(f"{name}-predicted", f"{name}-metered", profiles) for name in WATCHED},
        compare(built[runs[0].name], built[runs[-1].name]),
    )


def ledgers(runs: Iterable[TrainingRun], profiles: Profiles) -> dict[str, Ledger]:
    """Each run's ledger, by its name.

    Args:
        runs: the runs.
        profiles: finds a network's profile by its name in the zoo.

    Raises:
        BadRun: a run names a network that the zoo does not have, or an input that it cannot take.
    """
    found: dict[str, Measured] = {}
    built = {}
    for run in runs:
        wanted = [(model, run.sizes) for model in run.models]
        for model, sizes in [*wanted, *((phase.model, phase.sizes) for phase in run.phases)]:
            network = sizes.of(model)
            try:
                found[network] = found.get(network) or measured(profiles(model, sizes))
            except UnknownModel:
                continue  # build_ledger says which file and key
            except (ProfilingError, WrongInputs, WrongSource) as error:
                if sizes == USUAL:
                    raise
                raise BadRun(f"{run.file}: [{_key(sizes)}] {error}") from error
        built[run.name] = build_ledger(run, found)
    return built


def _key(sizes: Sizes) -> str:
    return "options" if sizes.options else "phases.input"
