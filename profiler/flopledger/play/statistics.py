"""What games came to: means with their 90% intervals, by game."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np

from flopledger.play.games_file import Header
from flopledger.play.played_game import Played

CONFIDENCE = 0.90


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean over games, or a ratio of two sums over them.

    Attributes:
        mean: the value.
        low: the 90% interval's lower end, from the spread between games; None of a single game.
        high: its upper end.
    """

    mean: float
    low: float | None
    high: float | None


def ratio(
    games: Sequence[Played],
    above: Callable[[Played], float],
    below: Callable[[Played], float] = lambda game: 1,
) -> Mean | None:
    """The ratio of two sums over the games, with Student's interval of the jackknife's error.

    None where there is nothing to divide by. Games are drawn one by one, so that a game, not a
    move, is what the interval rests on.
    """
    top, bottom = (np.array([float(f(game)) for game in games]) for f in (above, below))
    if not bottom.sum():
        return None
    value = float(top.sum() / bottom.sum())
    count = len(games)
    without = bottom.sum() - bottom
    if count < 2 or not without.all():
        return Mean(mean=value, low=None, high=None)
    from scipy.special import stdtrit

    left_out = (top.sum() - top) / without
    error = sqrt((count - 1) / count * float(((left_out - left_out.mean()) ** 2).sum()))
    reach = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    return Mean(mean=value, low=max(0.0, value - reach), high=value + reach)


def evaluations_per_simulation(games: Sequence[Played]) -> Mean | None:
    """Evaluations of leaves for each simulation; the roots' are apart, as in the ledgers."""
    each = ratio(games, lambda game: game.made - game.roots, lambda game: game.asked - game.moves)
    if each is None or each.high is None:
        return each
    return replace(each, high=min(each.high, 1.0))  # no simulation asks twice


def as_object(header: Header, games: Sequence[Played]) -> dict[str, Any]:
    """The JSON object: totals of all that was played, and means of the whole games.

    `evaluations` are the network's, the roots' among them:
    simulations x moves + moves = evaluations + saved, roots and all.
    """
    whole = [game for game in games if game.finished]

    def total(field: str) -> float:
        summed: float = sum(getattr(game, field) for game in games)  # an int where all are
        return summed

    def mean(field: str) -> dict[str, float | None]:
        return _object(ratio(whole, lambda game: getattr(game, field)))

    return {
        "game": header.game,
        "network": header.network,
        "params": header.params,
        "simulations": header.simulations,
        "games": len(whole),
        "moves": total("moves"),
        "evaluations": total("made"),
        "flops": total("flops"),
        "per_game": {"moves": mean("moves"), "evaluations": mean("made"), "flops": mean("flops")},
        "evaluations_per_simulation": _object(evaluations_per_simulation(games)),
        "saved": {name: total(name) for name in ("cache", "reuse", "terminal")},
        "seed": header.seed,
    }


def _object(mean: Mean | None) -> dict[str, float | None]:
    return vars(mean) if mean is not None else {"mean": None, "low": None, "high": None}
