"""Ledgers of named runs, their networks measured: where facts and profiles meet."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, get_args

from flopledger.counting.cached import WrongFreezing, cached_profile
from flopledger.errors import FlopledgerError, WrongOption
from flopledger.ledger.comparison import Comparison, split_ratio
from flopledger.ledger.dawnbench import Entry, find_entry, list_entries
from flopledger.ledger.dawnbench_hours import DETAILS, detail_of, hours_ledger
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.methods import Accounting
from flopledger.ledger.prediction import Agreement, agreement
from flopledger.ledger.run_file import find_run, list_runs
from flopledger.ledger.training_run import TrainingRun
from flopledger.options import brief
from flopledger.profiles.tables import FactoryFails, Profile, ProfilingError
from flopledger.storage.facts import BadFacts
from flopledger.zoo.inputs import WrongInputs
from flopledger.zoo.libraries import UnfitOptions, WrongSource
from flopledger.zoo.registry import BrokenModel, UnknownModel
from flopledger.zoo.sizes import USUAL, Sizes

# what make train-small trains, and somebody did: the files are in facts/measured
WATCHED = ("alexnet-digits", "alphazero-connect-four")


# of a run's network, in some sizes, the key that is wrong: where that stands
Place = Callable[[TrainingRun, str, Sizes, str], str]


class Profiles(Protocol):
    """Finds a network's profile by its name in the zoo, in its usual sizes or in others."""

    def __call__(self, name: str, sizes: Sizes = ..., /) -> Profile:
        """The profile, with its backward pass."""


def measured(profile: Profile, frozen: bool = False) -> Measured:
    """What a ledger needs of a profile that has its backward pass.

    Args:
        profile: of one network.
        frozen: whether some of its parameters get no gradient, and still are the network's.

    Raises:
        ProfilingError: nothing in the network is trained, it does no MACs, or its FLOPs are a lower
            bound.
    """
    backward, totals = profile.backward, profile.totals
    if not profile.complete:
        unknown = ", ".join(profile.unsupported()["operator"])
        raise ProfilingError(
            f"{profile.model}: its FLOPs are a lower bound, and no ledger's: {unknown} has no "
            "formula; add one with @flopledger.macs or @flopledger.other_flops"
        )
    assert backward is not None
    lengths = sequence_lengths(profile)
    if not totals.trainable_params or backward.ratio_to_forward is None:
        raise ProfilingError(
            f"{profile.model} has {totals.trainable_params:,} trainable parameters and does "
            f"{totals.macs:,} MACs: it has no training compute per parameter"
        )
    return Measured(
        model=profile.model,
        params=totals.params if frozen else totals.trainable_params,
        forward_flops=totals.flops / profile.samples,
        backward_ratio=backward.ratio_to_forward,
        tokens=next(iter(lengths), 1),
        all_tokens=sum(lengths) or 1,
    )


def sequence_lengths(profile: Profile) -> list[int]:
    """The lengths of a sample's sequences of tokens: its inputs of whole numbers."""
    ids = [given.shape for given in profile.inputs if given.dtype in ("int64", "int32")]
    return [shape[1] for shape in ids if len(shape) > 1]


def ledger_of(run: str | Path, accounting: Accounting = "all") -> Ledger:
    """The ledger of a run of facts/runs, or of a TOML file; its networks are counted if need be.

    An entry of facts/dawnbench.csv, or "FILE.csv:NAME", is a run, too.

    Args:
        run: its name, or its file.
        accounting: "all" compute, or "training": gradient steps only.

    Raises:
        BadFacts: there is no such run, its file cannot be used, or it names an unknown network.
        BrokenModel, ProfilingError: its network cannot be imported or counted.
        WrongOption: there is no such accounting.
    """
    check_accounting(accounting)
    name = str(run)
    is_entry = ".csv:" in name or name in list_entries()
    read = find_entry(name).run() if is_entry else find_run(name)
    return ledgers([read], cached_profile, accounting)[read.name]


def check_accounting(accounting: object) -> None:
    """Refuse what is no accounting.

    Raises:
        WrongOption: it is none.
    """
    if not isinstance(accounting, str) or accounting not in get_args(Accounting):
        raise WrongOption(f"no accounting is called {brief(accounting)}; say all or training")


def hours_of(names: Sequence[str], profiles: Profiles = cached_profile) -> list[Ledger]:
    """The ledgers of these entries' hours, with the factors that all of them allow.

    Args:
        names: of facts/dawnbench.csv, or "FILE.csv:NAME".
        profiles: finds a network's profile.

    Raises:
        BadFacts: there is no such entry, its row cannot be used, it has no time, or its network
            cannot take its images.
    """
    entries = [_timed(name) for name in names]
    detail = max((detail_of(entry) for entry in entries), key=DETAILS.index)
    counted = counted_entries(entries, profiles)
    return [hours_ledger(entry, counted.get(entry.where), detail) for entry in entries]


def _timed(name: str) -> Entry:
    if name in list_runs() or name.endswith(".toml"):
        raise BadFacts(
            f"{name} has no time to 93% top-5: --quantity hours compares the entries of "
            "facts/dawnbench.csv, or FILE.csv:NAME"
        )
    return find_entry(name)


def counted_entries(entries: Iterable[Entry], profiles: Profiles) -> dict[str, Ledger]:
    """The ledgers of the entries whose FLOPs can be counted, by where they stand."""
    runs = [entry.run() for entry in entries if entry.has_flops]
    return {run.file: ledger for run, ledger in _balanced(runs, profiles, place=_column)}


def agreement_of(predicted: str, metered: str) -> Agreement:
    """How far a run's prediction and its metering agree; both as names or files.

    Raises:
        BadFacts: as `ledger_of`.
        ValueError: they are not the same run's.
    """
    before, after = find_run(predicted), find_run(metered)
    built = ledgers([before, after], cached_profile)
    return agreement(before, after, built[before.name], built[after.name])


def watched(profiles: Profiles) -> tuple[dict[str, Agreement], Comparison]:
    """The trainings in facts/measured beside their predictions, and one beside the other."""
    pairs = {name: (find_run(f"{name}-predicted"), find_run(f"{name}-metered")) for name in WATCHED}
    built = ledgers([run for pair in pairs.values() for run in pair], profiles)
    first, *_, last = (built[metered.name] for _, metered in pairs.values())
    return (
        {
            name: agreement(before, after, built[before.name], built[after.name])
            for name, (before, after) in pairs.items()
        },
        split_ratio(first, last),
    )


def ledgers(
    runs: Iterable[TrainingRun], profiles: Profiles, accounting: Accounting = "all"
) -> dict[str, Ledger]:
    """Each run's ledger, by its name.

    Args:
        runs: the runs.
        profiles: finds a network's profile.
        accounting: all compute, or that of gradient steps only.

    Raises:
        BadFacts: a run names a network that the zoo does not have, or an input that it cannot take.
        BrokenModel, ProfilingError: a network of it cannot be imported or counted.
    """
    return {run.name: ledger for run, ledger in _balanced(runs, profiles, accounting)}


def _place(run: TrainingRun, model: str, sizes: Sizes, key: str) -> str:
    """Where in a run's file that key of that network stands."""
    if sizes == run.sizes and any(model in models for models in run.models):
        return "[models]" if key == "model" and run.choice is not None else f"[{key}]"
    for phase in run.phases:
        if model == phase.teacher:
            return "[teacher]"
        if sizes == phase.sizes and phase.model in (model, None):
            return f"[phases.{key} of {phase.name!r}]"
    return f"[{key}]"


def _column(run: TrainingRun, model: str, sizes: Sizes, key: str) -> str:
    """Likewise in an entry's row, which has columns where a file has tables."""
    column = {"input": "schedule:", "model": "network:"}.get(key)
    return column or _place(run, model, sizes, key)


def _balanced(
    runs: Iterable[TrainingRun],
    profiles: Profiles,
    accounting: Accounting = "all",
    place: Place = _place,
) -> Iterator[tuple[TrainingRun, Ledger]]:
    counted: dict[str, Measured] = {}
    for run in runs:
        measure(run, profiles, counted, place)
        yield run, build_ledger(run, counted, accounting)


def measure(
    run: TrainingRun, profiles: Profiles, counted: dict[str, Measured], place: Place = _place
) -> None:
    """Add what a run's ledger needs counted, where it is not there yet.

    Args:
        run: the run.
        profiles: finds a network's profile.
        counted: by network; what is missing is added.
        place: says where in the run's file what is wrong with a network stands.

    Raises:
        BadFacts, BrokenModel, ProfilingError: as `ledgers`.
    """
    for network, (model, sizes) in run.needed.items():
        if network not in counted:
            try:
                counted[network] = measured(profiles(model, sizes), bool(sizes.frozen))
            except FlopledgerError as error:
                where = f"{run.file}: {place(run, model, sizes, _key(sizes, error))}"
                if error.exit_code == 1 and sizes == USUAL:  # the network is at fault
                    raise error.at(where) from error
                raise BadFacts(f"{where} {_in_a_file(str(error))}") from error


def _in_a_file(line: str) -> str:
    """What an error says of the command line's options, said of a file's keys."""
    line = re.sub(r"--input 1,3,224,224 .*", 'input = ["1,3,224,224"] or ["NAME=1,16:int64"]', line)
    line = line.replace("--kwargs NAME=VALUE", "options = {NAME = VALUE}, as it takes them")
    return line.replace("--input ", "input ")


def _key(sizes: Sizes, error: FlopledgerError) -> str:
    """The key of a file by which a network is one that cannot be counted."""
    if isinstance(error, WrongFreezing):
        return "frozen"
    if isinstance(error, UnfitOptions):
        return "options"
    if isinstance(error, FactoryFails):
        return "options" if sizes.options else "model"
    if isinstance(error, UnknownModel | BrokenModel | WrongSource):
        return "model"
    given = next((key for key in ("input", "options", "frozen") if getattr(sizes, key)), "model")
    return "input" if given == "model" and isinstance(error, WrongInputs) else given
