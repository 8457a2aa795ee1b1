"""An experiment on the horizon, from options to the result: flopledger.horizon."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from statistics import fmean

from flopledger.errors import WrongOption
from flopledger.experiments import trials_file
from flopledger.experiments.horizon_result import Horizon
from flopledger.experiments.run_trials import CHOOSING, choosing, measuring, run_trials
from flopledger.experiments.trials import Arm, Experiment, Failure, Key, Row, Trial, settings_text
from flopledger.options import check_choice, check_file, check_least, checks_arguments
from flopledger.progress import (
    Interrupted,
    OnProgress,
    Progress,
    Unfinished,
    interrupts_held,
    unheard,
)
from flopledger.storage.alone import alone
from flopledger.storage.nearest_name import did_you_mean

# module and function that give the experiment, by the name of its task: imported when asked for
_GAMES = "flopledger.experiments.games_by_method"
TASKS = {
    "digits": ("flopledger.experiments.digits_by_reward", "experiment"),
    "hex-3": (_GAMES, "hex_3"),
    "hex-4": (_GAMES, "hex_4"),
    "hex-5": (_GAMES, "hex_5"),
    "connect-four": (_GAMES, "connect_four"),
}


@checks_arguments
def horizon(
    task: str = "digits",
    *,
    arms: Sequence[str] | None = None,
    target: float | None = None,
    samples: int | None = None,
    seeds: int = 8,
    seed: int = 0,
    jobs: int | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    progress: OnProgress = unheard,
) -> Horizon:
    """Learn one task in ways that differ in the reach of their outcomes alone, each metered.

    The first seeds choose each arm's settings from its grid; others then measure it. A script that
    uses several processes guards its own code with `if __name__ == "__main__":`, as every script
    that uses multiprocessing does.

    Args:
        task: "digits"; "hex-3", "hex-4", "hex-5", "connect-four".
        arms: "supervised", "h = 1", ... of digits; "search", "gradient", "imitation" of games; all
            of the task's if left out.
        target: the score to be reached, from 0 to 1; the task's own if left out.
        samples: of a trial, at most; the task's own if left out.
        seeds: trials that measure each arm.
        seed: the first; three more choose the settings.
        jobs: processes that share the trials; 1 for this process alone; as many as there are cores
            if left out.
        output: a file that gets a line of JSON after every trial.
        resume: whether to go on with the trials in `output`.
        progress: called after every trial.

    Raises:
        WrongOption: an option's value is none, or `output` cannot be written.
        Busy: another run writes to `output`.
        BadTrials: `output` holds something else.
        MissingDigits: scikit-learn is not installed.
        MissingGames: OpenSpiel is not installed.
        Unfinished: the disk is full; has the trials that were done.
        Interrupted: by Ctrl-C; has the same.
    """
    check_choice("task", task, tuple(TASKS), positional=True)
    check_least({"samples": (samples, 1), "seeds": (seeds, 1), "seed": (seed, 0),
                 "jobs": (jobs, 1)})  # fmt: skip
    path = Path(output) if output is not None else None
    check_file(path, resume, "output")
    module, function = TASKS[task]
    experiment = _asked_for(getattr(import_module(module), function)(), arms, target, samples)
    work = _Work(experiment=experiment, seeds=seeds, seed=seed, jobs=jobs or _cores())
    versions = ", ".join(f"{name} {version(name)}" for name in experiment.libraries)
    with alone(path):
        if path is not None:
            work.done, note = trials_file.begin(path, experiment, versions, resume)
            work.notes += [note] if note else []

        def keep(row: Row) -> None:
            row = replace(row, versions=versions)
            work.done[row.key] = row
            if path is not None:
                trials_file.append(path, row)

        try:
            work.run(keep, progress)
        except KeyboardInterrupt as stop:
            raise Interrupted(f"interrupted with {work.came()}", work.result()) from stop
        except OSError as error:  # the disk is full
            why = f"{error.filename or path}: {error.strerror}"
            raise Unfinished(f"{why}; {work.came()} were done", work.result()) from error
        return work.result()


def _asked_for(
    experiment: Experiment, arms: Sequence[str] | None, target: float | None, samples: int | None
) -> Experiment:
    """The experiment with these arms, target and budget.

    Raises:
        WrongOption: there is no such arm, or no score is as high or as low as the target.
    """
    names = [arm.name for arm in experiment.arms]
    arms = [arms] if isinstance(arms, str) else arms
    for name in arms or ():
        if name not in names:
            raise WrongOption(f"--arm {name!r} is no arm of {experiment.task}; "
                              f"{did_you_mean(name, names)}")  # fmt: skip
    if target is not None and not (isfinite(target) and 0 < target <= 1):
        raise WrongOption(
            f"--target {target:g} is never reached; give a share above 0 and at most 1"
            if target > 1
            else f"--target {target:g} is no share to be reached; give one above 0"
        )
    return replace(
        experiment,
        arms=tuple(arm for arm in experiment.arms if not arms or arm.name in arms),
        target=experiment.target if target is None else float(target),
        budget=experiment.budget if samples is None else samples,
    )


@dataclass(kw_only=True)
class _Work:
    """What is to be done, and what is.

    Attributes:
        experiment: as it is asked for.
        seeds: trials that measure an arm.
        seed: the first.
        jobs: processes.
        done: trials of this experiment, and of others of the file.
        failures: trials without figures.
        notes: as in `Horizon`.
        new: trials that came in this run.
    """

    experiment: Experiment
    seeds: int
    seed: int
    jobs: int
    done: dict[Key, Row] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    new: int = 0

    def run(self, keep: Callable[[Row], None], progress: OnProgress) -> None:
        """Do what is left: first the trials that choose settings, then those that measure."""
        self._do(choosing(self.experiment, self.seed), keep, progress)
        self._do(self._measuring(), keep, progress)

    def _do(
        self, trials: Sequence[Trial], keep: Callable[[Row], None], progress: OnProgress
    ) -> None:
        left = [trial for trial in trials if trial.key not in self.done]
        with closing(run_trials(self.experiment.run, left, self.jobs)) as came:
            for outcome in came:
                with interrupts_held():
                    if isinstance(outcome, Failure):
                        self.failures.append(outcome)
                    else:
                        keep(outcome)
                    self.new += 1
                progress(self._step(outcome))

    def _step(self, outcome: Row | Failure) -> Progress:
        left = self._left()
        total = sum(_trials(arm, self.seeds) for arm in self.experiment.arms)
        message = f"{_told(outcome)}; {_about(self._seconds(left))} left"
        return Progress(done=total - sum(left.values()), total=total, message=message)

    def _left(self) -> dict[str, int]:
        """Trials that are still to be done, by their arm."""
        came = Counter(key[0] for key in self._asked() & self.done.keys())
        came.update(failure.trial.arm for failure in self.failures)
        return {arm.name: _trials(arm, self.seeds) - came[arm.name] for arm in self.experiment.arms}

    def _seconds(self, left: Mapping[str, int]) -> float:
        """What is left will take, an arm's trials as long as they took so far."""
        rows = list(self.done.values())
        every = fmean(row.seconds for row in rows) if rows else 0.0
        by_arm = {
            arm: fmean(own) if (own := [r.seconds for r in rows if r.arm == arm]) else every
            for arm in left
        }
        return sum(number * by_arm[arm] for arm, number in left.items()) / self.jobs

    def came(self) -> str:
        """How many trials were done in this run, in words."""
        return f"{self.new} of {self.new + sum(self._left().values())} trials"

    def _asked(self) -> set[Key]:
        return {trial.key for trial in (*choosing(self.experiment, self.seed), *self._measuring())}

    def result(self) -> Horizon:
        """Of the trials that are there."""
        experiment = self.experiment
        asked = [*choosing(experiment, self.seed), *self._measuring()]
        return Horizon(
            task=experiment.task,
            title=experiment.title,
            target=experiment.target,
            budget=experiment.budget,
            arms=tuple(arm.name for arm in experiment.arms),
            rows=tuple(self.done[trial.key] for trial in asked if trial.key in self.done),
            failures=tuple(self.failures),
            notes=tuple(self.notes),
        )

    def _measuring(self) -> list[Trial]:
        return measuring(self.experiment, self.seed, self.seeds, self.done)


def _trials(arm: Arm, seeds: int) -> int:
    return seeds + (CHOOSING * len(arm.grid) if len(arm.grid) > 1 else 0)


def _told(outcome: Row | Failure) -> str:
    if isinstance(outcome, Failure):
        trial = outcome.trial
        return f"{trial.arm}, {settings_text(trial.settings)}, seed {trial.seed}: {outcome.why}"
    target, samples = f"{outcome.target:g}", f"{outcome.samples:,} samples"
    came = (
        f"{target} after {samples}"
        if outcome.reached
        else f"not {target} in {samples}, {outcome.score:.3g} at the end"
    )
    return f"{outcome.arm}, {outcome.settings}, seed {outcome.seed}: {came}"


def _about(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {seconds:.0f} s"


def _cores() -> int:
    has_affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
