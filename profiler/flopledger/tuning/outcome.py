"""What a tuning came to: the settings chosen, how they did in fresh games, what it cost."""

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any

from flopledger.play.elo import elo_of
from flopledger.play.score import Match, Score
from flopledger.play.statistics import CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is tuned; a study of one task cannot go on with another.

    Attributes:
        game: what is played.
        network: its name.
        evaluations: the budget a move: the network's, the root's included.
        against: of `DEFAULTS`.
        games: of one trial.
        opening: random moves before each game.
        seed: of proposals and games, and of the weights of an untrained network.
        weights: their digest.
    """

    game: str
    network: str
    evaluations: int
    against: str
    games: int
    opening: int
    seed: int
    weights: str


TUNED = ("puct", "noise", "temperature", "reuse", "fpu")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One sampler's. FLOPs are both sides', as metered.

    Attributes:
        sampler: of `tuning.SAMPLERS`.
        trials: that played their games.
        chosen: the best candidate's settings; None before any trial was finished.
        seen: the games that it was chosen by, which flatter it.
        search_flops: of the trials.
        replay_flops: of the finalists' games.
        final: games that had no part in choosing it; None before they were played.
    """

    sampler: str
    trials: int
    chosen: dict[str, Any] | None
    seen: Score | None
    search_flops: float
    replay_flops: float
    final: Match | None

    @property
    def tuning_flops(self) -> float:
        """What was spent before the final."""
        return self.search_flops + self.replay_flops

    @property
    def verdict(self) -> str:
        """What the final's interval says of the candidate."""
        if self.final is None:
            return "not played to the end"
        return verdict_of(self.final.score)


def verdict_of(score: Score) -> str:
    """What the interval of fresh games says of the candidate."""
    (low, high), games = score.interval, score.games
    if low > 0.5:
        return f"beats the defaults: the interval of {games} fresh games lies above 50%"
    if high < 0.5:
        return f"loses to the defaults: the interval of {games} fresh games lies below 50%"
    return f"no better than the defaults, as far as {games} fresh games tell"


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What the samplers came to.

    Attributes:
        task: what was tuned.
        defaults: the opponent's settings, by their names.
        params: trainable parameters of the network.
        budget_flops_per_move: what neither side may exceed, as metered.
        outcomes: one a sampler.
    """

    task: Task
    defaults: dict[str, Any]
    params: int
    budget_flops_per_move: float
    outcomes: tuple[Outcome, ...]

    @property
    def pooled(self) -> Score | None:
        """All fresh games of the one setting that every sampler chose.

        None where they chose different ones, or a final was not played.
        """
        first, *others = self.outcomes
        finals = [outcome.final for outcome in self.outcomes if outcome.final is not None]
        alike = bool(others) and all(other.chosen == first.chosen for other in others)
        if not alike or len(finals) < len(self.outcomes):
            return None
        won, drawn, lost = (
            sum(getattr(final.score, result) for final in finals)
            for result in ("won", "drawn", "lost")
        )
        return Score(won=won, drawn=drawn, lost=lost)

    def as_object(self) -> dict[str, Any]:
        """The JSON object."""
        pooled = self.pooled
        return {
            **vars(self.task),
            "params": self.params,
            "budget_flops_per_move": self.budget_flops_per_move,
            "confidence": CONFIDENCE,
            "defaults": self.defaults,
            "pooled": _score(pooled) if pooled else None,
            "samplers": {outcome.sampler: _object(outcome) for outcome in self.outcomes},
        }

    def to_json(self) -> str:
        """The object of `flopledger tune --format json`."""
        return json.dumps(self.as_object(), indent=2, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        from flopledger.reports.tune import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        from flopledger.reports.tune import html

        return html(self)


def _object(outcome: Outcome) -> dict[str, Any]:
    return {
        "trials": outcome.trials,
        "settings": outcome.chosen,
        "win_rate_when_chosen": outcome.seen.win_rate if outcome.seen else None,
        "search_flops": outcome.search_flops,
        "replay_flops": outcome.replay_flops,
        "tuning_flops": outcome.tuning_flops,
        "final": _final(outcome.final) if outcome.final else None,
        "verdict": outcome.verdict,
    }


def _final(final: Match) -> dict[str, Any]:
    return {
        **_score(final.score),
        "flops": final.flops,
        "flops_per_move": {
            side: {"mean": spent.flops / spent.moves if spent.moves else None, "most": spent.most}
            for side, spent in (("candidate", final.candidate), ("defaults", final.opponent))
        },
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        **vars(score),
        "win_rate": _mean(score.win_rate, *score.interval),
        "elo": _mean(*(elo_of(p) for p in (score.win_rate, *score.interval))),
    }


def _mean(mean: float, low: float, high: float) -> dict[str, float | None]:
    """The Elo of a win rate of 0 or 1 is infinite, which JSON cannot say."""
    return {
        name: value if isfinite(value) else None
        for name, value in (("mean", mean), ("low", low), ("high", high))
    }
