"""The search's settings tuned by win rate at one budget a move, and what the tuning cost.

Trials are Optuna's: a Gaussian process proposes them, or chance. A trial is a match against the
defaults; its value is the arcsine of the square root of its win rate.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from math import asin, sqrt
from typing import Any

import numpy as np
import optuna
import torch
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.trial import TrialState
from torch import nn

from flopledger.metering.module_meter import meter
from flopledger.play.games import Game
from flopledger.play.match import Stopped, between
from flopledger.play.score import Match, Score, Spent
from flopledger.play.search import Settings
from flopledger.tuning.outcome import TUNED, Outcome, Task, Tuning

SAMPLERS = ("gp", "random")

# "match": AlphaGo Zero's evaluator plays the most visited move (Methods, Evaluator), and noise is
# part of self-play alone; "selfplay": a quarter of noise, moves drawn by visits
DEFAULTS = {"match": Settings(noise=0, temperature=0), "selfplay": Settings()}

STARTUP = 8  # trials by chance before the Gaussian process has anything to go by
FINALISTS = 4  # the best trials, which play again
REPLAY = 2  # times a trial's games
_STAGES = ("trial", "replay", "final")  # each has games of its own

VISITS = 4  # at the root for each evaluation of the budget, at most: ends of games cost nothing


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Where candidates meet the defaults: the task, its game and its network."""

    task: Task
    game: Game
    network: nn.Module

    @property
    def defaults(self) -> Settings:
        """The opponent's settings."""
        return self.settings(asdict(DEFAULTS[self.task.against]))

    @property
    def budget(self) -> float:
        """FLOPs a move that neither side may exceed: the evaluations', as metered."""
        layout = self.game.layout
        planes = torch.zeros(1, layout.planes, layout.rows, layout.columns)
        with meter({"network": self.network}) as metered, torch.no_grad():
            self.network(planes)
        return self.task.evaluations * metered.read().totals.known("flops")

    def settings(self, chosen: dict[str, Any]) -> Settings:
        """These settings at the task's budget."""
        budget = {
            "simulations": VISITS * self.task.evaluations,
            "evaluations": self.task.evaluations,
        }
        return replace(DEFAULTS[self.task.against], **(chosen | budget))

    def play(
        self, chosen: dict[str, Any], games: int, key: tuple[int, ...], on_game: Callable[[], None]
    ) -> Match:
        """A match of these settings against the defaults; with the task's seed, the key makes it.

        Raises:
            Stopped: by an interrupt, or for want of memory.
            NoOpening: openings end the game.
        """
        task = self.task
        return between(
            self.game,
            self.network,
            self.settings(chosen),
            self.defaults,
            games,
            task.opening,
            (task.seed, *key),
            on_game,
        )


def digest(network: nn.Module) -> str:
    """The same for two networks of the same weights."""
    hashed = blake2b(digest_size=8)
    for name, weight in network.state_dict().items():
        hashed.update(name.encode())
        hashed.update(weight.numpy().tobytes())
    return hashed.hexdigest()


def propose(trial: optuna.Trial) -> dict[str, Any]:
    """A candidate's settings, by their names in `Settings`."""
    return {
        "puct": trial.suggest_float("puct", 0.25, 8, log=True),
        "noise": trial.suggest_float("noise", 0, 0.5),
        "temperature": trial.suggest_float("temperature", 0, 1),
        "reuse": trial.suggest_categorical("reuse", [False, True]),
        "fpu": trial.suggest_float("fpu", 0, 1),
    }


def value_of(win_rate: float) -> float:
    """What a sampler is told: asin(sqrt(p)).

    A share of n games has the variance p (1 - p) / n, which depends on p; its arcsine has 1 / (4 n)
    everywhere. The noise that GPSampler fits is the same everywhere.
    """
    return asin(sqrt(win_rate))


def sampler_of(name: str, seed: int, number: int) -> BaseSampler:
    """The sampler for the trial of that number.

    Each has a new one: a study that was stopped goes on as if it had not been.
    """
    own = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
    return GPSampler(seed=own, n_startup_trials=STARTUP) if name == "gp" else RandomSampler(own)


def one_trial(
    study: optuna.Study, contest: Contest, on_game: Callable[[], None] = lambda: None
) -> Score:
    """Propose settings, play the match, tell the study.

    Raises:
        Stopped: as in `between`; the study keeps the FLOPs that went into it.
    """
    number = len(finished(study))
    key = (SAMPLERS.index(study.study_name), _STAGES.index("trial"), number)
    study.sampler = sampler_of(study.study_name, contest.task.seed, number)
    trial = study.ask()
    trial.set_user_attr("index", number)
    try:
        match = contest.play(propose(trial), contest.task.games, key, on_game)
    except BaseException as error:
        trial.set_user_attr("flops", error.flops if isinstance(error, Stopped) else 0)
        study.tell(trial, state=TrialState.FAIL)
        raise
    trial.set_user_attr("flops", match.flops)
    trial.set_user_attr("score", asdict(match.score))
    study.tell(trial, value_of(match.score.win_rate))
    return match.score


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials that played their games."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def searching_flops(study: optuna.Study) -> float:
    """Of all trials' games, those of stopped trials among them."""
    trials = study.get_trials(deepcopy=False)
    return sum(float(trial.user_attrs.get("flops", 0.0)) for trial in trials)


def finalists(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials of the highest win rates; the earlier of two that are equal."""
    trials = finished(study)
    return sorted(trials, key=lambda trial: (-_win_rate(trial), trial.number))[:FINALISTS]


def _win_rate(trial: optuna.trial.FrozenTrial) -> float:
    assert trial.value is not None  # as of every finished trial
    return trial.value


def replay(
    study: optuna.Study,
    contest: Contest,
    trial: optuna.trial.FrozenTrial,
    on_game: Callable[[], None] = lambda: None,
) -> Match:
    """More games of a finalist: a trial that led by luck will not lead again.

    Raises:
        Stopped: as in `between`.
    """
    games = REPLAY * contest.task.games
    return _kept(study, contest, trial, "replay", _replay(trial), games, on_game)


def final(
    study: optuna.Study, contest: Contest, games: int, on_game: Callable[[], None] = lambda: None
) -> Match:
    """Games of the study's best candidate that had no part in choosing it.

    Raises:
        Stopped: as in `between`.
    """
    trial = best(study)
    return _kept(study, contest, trial, "final", _final(trial, games), games, on_game)


def best(study: optuna.Study) -> optuna.trial.FrozenTrial:
    """The finalist with the highest win rate over its trial's and its replay's games."""
    return max(finalists(study), key=lambda trial: all_games(study, trial).win_rate)


def all_games(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> Score:
    """Of the trial and its replay."""
    parts = [trial.user_attrs["score"]]
    if (again := study.user_attrs.get(_replay(trial))) is not None:
        parts.append(again["score"])
    return Score(**{name: sum(part[name] for part in parts) for name in ("won", "drawn", "lost")})


def final_of(study: optuna.Study, games: int) -> Match | None:
    """The best candidate's final, if it was played."""
    kept = study.user_attrs.get(_final(best(study), games))
    return _match(kept) if kept is not None else None


def replaying_flops(study: optuna.Study) -> float:
    """Of every replay, those of former finalists and stopped ones among them."""
    kept = [match for name, match in study.user_attrs.items() if name.startswith("replay ")]
    stopped: float = study.user_attrs.get("stopped replay", 0.0)
    return sum(_match(match).flops for match in kept) + stopped


def _replay(trial: optuna.trial.FrozenTrial) -> str:
    return f"replay {trial.user_attrs['index']}"


def _final(trial: optuna.trial.FrozenTrial, games: int) -> str:
    return f"final {trial.user_attrs['index']}, {games} games"


def _kept(
    study: optuna.Study,
    contest: Contest,
    trial: optuna.trial.FrozenTrial,
    stage: str,
    name: str,
    games: int,
    on_game: Callable[[], None],
) -> Match:
    """The match of that name, as the study keeps it, or played now and kept."""
    if (before := study.user_attrs.get(name)) is not None:
        return _match(before)
    key = (SAMPLERS.index(study.study_name), _STAGES.index(stage), trial.user_attrs["index"])
    try:
        match = contest.play(trial.params, games, key, on_game)
    except Stopped as stopped:
        spent = study.user_attrs.get(f"stopped {stage}", 0.0) + stopped.flops
        study.set_user_attr(f"stopped {stage}", spent)
        raise
    study.set_user_attr(name, asdict(match))
    return match


def _match(kept: dict[str, Any]) -> Match:
    return Match(
        score=Score(**kept["score"]),
        candidate=Spent(**kept["candidate"]),
        opponent=Spent(**kept["opponent"]),
    )


def outcome(study: optuna.Study, games: int) -> Outcome:
    """What the study came to, with a final of so many games."""
    trials = finished(study)
    chosen = best(study) if trials else None
    return Outcome(
        sampler=study.study_name,
        trials=len(trials),
        chosen=chosen.params if chosen else None,
        seen=all_games(study, chosen) if chosen else None,
        search_flops=searching_flops(study),
        replay_flops=replaying_flops(study),
        final=final_of(study, games) if chosen else None,
    )


def tuning_of(contest: Contest, studies: Iterable[optuna.Study], games: int) -> Tuning:
    """What the contest's studies came to, with finals of so many games."""
    defaults = asdict(contest.defaults)
    return Tuning(
        task=contest.task,
        defaults={name: defaults[name] for name in TUNED},
        params=sum(p.numel() for p in contest.network.parameters() if p.requires_grad),
        budget_flops_per_move=contest.budget,
        outcomes=tuple(outcome(study, games) for study in studies),
    )
