"""Experiment, Arm and Trial: what is to be done; Row or Failure: what came of a trial."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Settings = Mapping[str, float]
Key = tuple[Any, ...]
# the first seeds choose an arm's settings, others measure it with these: a best of several tries
# flatters itself
Purpose = Literal["choosing", "measuring"]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A way to learn the task.

    Attributes:
        name: "supervised", "h = 4".
        horizon: steps that share one outcome; None where each has its label.
        grid: the settings that are tried, each by name.
    """

    name: str
    horizon: float | None
    grid: tuple[Settings, ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training, until it reaches the target or has had its budget.

    Attributes:
        task: the experiment's.
        arm: its name.
        horizon: the arm's.
        settings: of the arm's grid.
        seed: of weights and of all that is drawn.
        purpose: what its figures are for.
        target: the score to be reached.
        budget: samples to learn from, at most.
    """

    task: str
    arm: str
    horizon: float | None
    settings: Settings
    seed: int
    purpose: Purpose
    target: float
    budget: int

    @property
    def key(self) -> Key:
        """What no other trial of the experiment has."""
        return self.arm, settings_text(self.settings), self.seed, self.purpose


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a trial came to.

    Attributes:
        task, arm, horizon, seed, purpose, target, budget: as in `Trial`.
        settings: in words.
        reached: whether the target was. Figures are those until then; where it was not, those until
            the end, which are lower bounds (censored) and are kept as such.
        samples: learned from.
        flops_learning: of gradient steps, forward and backward, as metered.
        flops_making: of the passes that made what was learned from, as metered.
        score: of the last test.
        seconds: of the trial, by the clock.
        versions: of what it ran on, in words.
        curve: samples, FLOP of both kinds and the score of every test, where the task keeps them.
    """

    task: str
    arm: str
    horizon: float | None
    settings: str
    seed: int
    purpose: Purpose
    target: float
    budget: int
    reached: bool
    samples: int
    flops_learning: float
    flops_making: float
    score: float
    seconds: float
    versions: str = ""
    curve: tuple[tuple[float, float, float], ...] = ()

    @property
    def key(self) -> Key:
        """As the trial's."""
        return self.arm, self.settings, self.seed, self.purpose

    @property
    def flops(self) -> float:
        """Of learning and of making what was learned from."""
        return self.flops_learning + self.flops_making


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A trial that has no figures.

    Attributes:
        trial: which.
        why: in one line.
    """

    trial: Trial
    why: str


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One task learned in several ways.

    Attributes:
        task: its name.
        title: of network and task, for people.
        arms: the ways.
        target: the score to be reached, if no other is asked for.
        budget: samples of a trial, at most, if no other is asked for.
        libraries: distributions whose versions decide what comes out.
        run: does a trial, and makes its row with `row_of`; a function of a module, for other
            processes import it by its name.
    """

    task: str
    title: str
    arms: tuple[Arm, ...]
    target: float
    budget: int
    libraries: tuple[str, ...]
    run: Callable[[Trial], Row]


def row_of(trial: Trial, **figures: Any) -> Row:
    """The trial's row: `reached`, `samples`, `flops_learning` and whatever else is `Row`'s own."""
    return Row(**{**asdict(trial), "settings": settings_text(trial.settings), **figures})


def failed(trial: Trial, error: str) -> Failure:
    """Of a trial that could not be done, why: the first line."""
    return Failure(trial=trial, why=(error.strip().splitlines() or ["no reason was given"])[0])


def settings_text(settings: Settings) -> str:
    """The settings in words.

    >>> settings_text({"rate": 0.003, "batch": 128})
    'rate 0.003, batch 128'
    """
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
