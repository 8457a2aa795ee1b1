"""Trials on this machine's cores: some choose an arm's settings, then others measure it."""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from functools import partial

from flopledger.errors import FlopledgerError
from flopledger.experiments.estimates import cost
from flopledger.experiments.trials import (
    Arm,
    Experiment,
    Failure,
    Key,
    Purpose,
    Row,
    Settings,
    Trial,
    failed,
    settings_text,
)
from flopledger.zoo.libraries import in_one_line

CHOOSING = 3  # seeds that choose the settings of an arm


def choosing(experiment: Experiment, seed: int) -> list[Trial]:
    """The trials by which settings are chosen; none of an arm that has no choice."""
    return [
        _trial(experiment, arm, settings, number, "choosing")
        for arm in experiment.arms
        if len(arm.grid) > 1
        for settings in arm.grid
        for number in range(seed, seed + CHOOSING)
    ]


def measuring(
    experiment: Experiment, seed: int, seeds: int, rows: Mapping[Key, Row]
) -> list[Trial]:
    """The trials that measure every arm with the settings that these rows choose."""
    return [
        _trial(experiment, arm, settings, number, "measuring")
        for arm in experiment.arms
        if (settings := chosen(arm, rows.values(), range(seed, seed + CHOOSING))) is not None
        for number in range(seed + CHOOSING, seed + CHOOSING + seeds)
    ]


def _trial(
    experiment: Experiment, arm: Arm, settings: Settings, seed: int, purpose: Purpose
) -> Trial:
    return Trial(
        task=experiment.task,
        arm=arm.name,
        horizon=arm.horizon,
        settings=settings,
        seed=seed,
        target=experiment.target,
        budget=experiment.budget,
        purpose=purpose,
    )


def chosen(arm: Arm, rows: Iterable[Row], seeds: Collection[int]) -> Settings | None:
    """The arm's settings that are best by the `cost` of these seeds; None if nothing was tried."""
    if len(arm.grid) == 1:
        return arm.grid[0]
    tried: dict[str, list[Row]] = {}
    for row in rows:
        if (row.arm, row.purpose) == (arm.name, "choosing") and row.seed in seeds:
            tried.setdefault(row.settings, []).append(row)

    candidates = [settings for settings in arm.grid if settings_text(settings) in tried]
    return min(candidates, key=lambda settings: cost(tried[settings_text(settings)]), default=None)


def run_trials(
    run: Callable[[Trial], Row], trials: Sequence[Trial], jobs: int
) -> Generator[Row | Failure, None, None]:
    """What comes of the trials, as they are done, in any order.

    Args:
        run: does one, as in `Experiment`.
        trials: to be done.
        jobs: processes that share them; 1 for this process alone.
    """
    if jobs > 1:
        from flopledger.sweeping.on_processes import on_processes

        yield from on_processes(trials, jobs, work=partial(attempted, run), failed=failed)
        return
    for trial in trials:
        yield attempted(run, trial)


def attempted(run: Callable[[Trial], Row], trial: Trial) -> Row | Failure:
    """What comes of the trial; whatever goes wrong costs that trial alone."""
    try:
        return run(trial)
    except FlopledgerError as error:
        return failed(trial, str(error))
    except Exception as error:  # one trial of many hours' is no reason to stop the others
        return failed(trial, in_one_line(error))
