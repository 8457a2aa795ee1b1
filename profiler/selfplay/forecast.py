"""A training's facts: as expected before it, from earlier runs or a few games, and as metered."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from math import sqrt
from statistics import fmean, stdev

from torch import nn

from profiler.quantities import Kind, Quantity
from profiler.selfplay.games import Game
from profiler.selfplay.learn import Plan, Totals
from profiler.selfplay.play import Habits, play
from profiler.selfplay.search import Settings
from profiler.selfplay.summary import CONFIDENCE, Mean, evaluations_per_simulation, ratio

TABLE = "facts/measured/training.csv"
GAMES = 8  # of the untrained network, where there was no earlier run
CHANCE = ("plies_per_game", "evaluations_per_simulation")
_UNITS = ("plies per game", "evaluations per simulation")


def before(plan: Plan, game: Game, network: nn.Module) -> dict[str, Quantity]:
    """What a training that has not begun is expected to take, as the facts of a run.

    The plan says its positions, steps and simulations. Plies per game and evaluations per
    simulation are chance. They are taken from the rows of `TABLE` with this plan and another seed:
    their mean, and the interval in which a further run lies in nine cases of ten (Student's, of a
    prediction). Without two such rows they are those of the untrained network's games, which
    training will change: assumed, then.
    """
    positions = plan.rounds * plan.moves
    plies, evaluations = _chances(plan, game, network)
    assert plies.low is not None and plies.high is not None  # noqa: PT018  _quantity gives both
    return {
        "games": Quantity(
            value=positions / plies.value,
            low=positions / plies.high,
            high=positions / plies.low,
            unit="games",
            kind="derived",
            source=f"{positions} moves that the plan asks for / plies per game",
        ),
        "plies_per_game": plies,
        "simulations_per_move": _asked(plan.simulations, "simulations per move"),
        "evaluations_per_simulation": evaluations,
        "root_evaluations": _asked(1, "evaluations per move"),
        "steps": _asked(plan.rounds * plan.steps, "steps"),
        "batch_size": _asked(plan.batch, "samples per step"),
    }


def after(totals: Totals) -> dict[str, Quantity]:
    """What a training took, as the facts of a run."""

    def metered(value: float, unit: str) -> Quantity:
        return Quantity(value=value, unit=unit, kind="measured", source="metered while it ran")

    leaves = totals.evaluations - totals.roots
    return {
        "games": metered(totals.games, "games"),
        "plies_per_game": metered(totals.moves / totals.games, "plies per game"),
        "simulations_per_move": metered(totals.simulations / totals.moves, "simulations per move"),
        "evaluations_per_simulation": metered(
            leaves / totals.simulations, "evaluations per simulation"
        ),
        "root_evaluations": metered(totals.roots / totals.moves, "evaluations per move"),
        "steps": metered(totals.steps, "steps"),
        "batch_size": metered(totals.samples / totals.steps, "samples per step"),
    }


def _asked(value: float, unit: str) -> Quantity:
    return Quantity(value=value, unit=unit, kind="cited", source="the plan of the training")


def _chances(plan: Plan, game: Game, network: nn.Module) -> tuple[Quantity, Quantity]:
    """Plies per game, and evaluations per simulation."""
    rows = [row for row in _rows() if _is_of(plan, row)]
    if len(rows) > 1:
        source = f"{TABLE}: runs of this plan, seeds {', '.join(row['seed'] for row in rows)}"
        plies, each = (_predicted([float(row[key]) for row in rows]) for key in CHANCE)
        return _quantity(plies, _UNITS[0], "measured", source), _quantity(
            each, _UNITS[1], "measured", source
        )
    settings = Settings(simulations=plan.simulations)
    # beyond the seeds that a user gives: these games are none of the run's
    played = [play(game, network, settings, Habits(), 2**32 + plan.seed, n) for n in range(GAMES)]
    length, found = ratio(played, lambda one: one.moves), evaluations_per_simulation(played)
    assert length is not None and found is not None  # noqa: PT018  every game has moves
    source = f"{GAMES} games of the untrained network before the run; training changes it"
    return (
        _quantity(length, _UNITS[0], "assumed", source),
        _quantity(found, _UNITS[1], "assumed", source),
    )


def _rows() -> list[dict[str, str]]:
    table = files("profiler.facts") / "measured" / "training.csv"
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def _is_of(plan: Plan, row: dict[str, str]) -> bool:
    wanted = {key: str(value) for key, value in asdict(plan).items()}
    return all((row[key] == value) == (key != "seed") for key, value in wanted.items())


def _predicted(values: Sequence[float]) -> Mean:
    from scipy.special import stdtrit

    count = len(values)
    reach = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * sqrt(1 + 1 / count) * stdev(values)
    mean = fmean(values)
    return Mean(mean=mean, low=mean - reach, high=mean + reach)


def _quantity(mean: Mean, unit: str, kind: Kind, source: str) -> Quantity:
    low = mean.mean if mean.low is None else mean.low
    high = mean.mean if mean.high is None else mean.high
    # a few games of very different lengths reach below nothing
    low = max(low, mean.mean / 10)
    return Quantity(value=mean.mean, unit=unit, kind=kind, source=source, low=low, high=high)
