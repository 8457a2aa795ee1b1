"""Ledgers of named runs, their networks measured: where facts and profiles meet."""

from collections.abc import Iterable
from typing import Protocol

from profiler.cache import cached_profile
from profiler.calls import Shape
from profiler.inputs import WrongInputs
from profiler.ledger import Ledger, Measured, build_ledger
from profiler.measures import Evidence, read_systems
from profiler.registry import UnknownModel
from profiler.tables import Profile, ProfilingError
from profiler.training import BadRun, Phase, TrainingRun, find_run, list_runs


class Profiles(Protocol):
    """Finds a network's profile by its name in the zoo, at its usual input or at another."""

    def __call__(self, name: str, shape: Shape | None = None, /) -> Profile:
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
        for model in run.needed_models:
            try:
                found[model] = found.get(model) or measured(profiles(model))
            except UnknownModel:
                continue  # build_ledger says which file and key
        for phase in run.phases:
            if phase.model in found and phase.network not in found:
                found[phase.network] = _measured_at(run, phase, profiles)
        built[run.name] = build_ledger(run, found)
    return built


def _measured_at(run: TrainingRun, phase: Phase, profiles: Profiles) -> Measured:
    try:
        return measured(profiles(phase.model, phase.input))
    except (ProfilingError, WrongInputs) as error:
        raise BadRun(f"{run.file}: [phases.input] {error}") from error
