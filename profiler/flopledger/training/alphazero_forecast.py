"""A training's facts: as expected before it, from earlier runs or a few games, and as metered."""

from collections.abc import Sequence
from dataclasses import asdict
from math import sqrt
from statistics import fmean, stdev

from pydantic import PositiveFloat
from torch import nn

from flopledger.ledger.methods import UNITS
from flopledger.ledger.quantity import Kind, Quantity
from flopledger.ledger.run_file import facts_of
from flopledger.play.game_loop import play
from flopledger.play.games import Game
from flopledger.play.played_game import Habits
from flopledger.play.search import Settings
from flopledger.play.statistics import CONFIDENCE, Mean, evaluations_per_simulation, ratio
from flopledger.storage.facts import Table, facts_folder, read_rows
from flopledger.training.alphazero import Plan, Totals

TABLE = "facts/measured/training.csv"
GAMES = 8  # of the untrained network, where there was no earlier run
CHANCE = ("plies_per_game", "evaluations_per_simulation")


def before(plan: Plan, game: Game, network: nn.Module) -> dict[str, Quantity]:
    """What a training that has not begun is expected to take, as the facts of a run.

    The plan says its games, steps and simulations. Plies per game and evaluations per
    simulation are chance. They are taken from the rows of `TABLE` with this plan and another seed:
    their mean, and the interval in which a further run lies in nine cases of ten (Student's, of a
    prediction). Without two such rows they are those of the untrained network's games, which
    training will change: assumed, then.
    """
    plies, evaluations = _chances(plan, game, network)

    def asked(**values: float) -> dict[str, Quantity]:
        return facts_of(values, "cited", "the plan of the training")

    return {
        **asked(games=plan.rounds * plan.games),
        "plies_per_game": plies,
        **asked(simulations_per_move=plan.simulations),
        "evaluations_per_simulation": evaluations,
        **asked(root_evaluations=1, steps=plan.rounds * plan.steps, batch_size=plan.batch),
    }


def after(totals: Totals) -> dict[str, Quantity]:
    """What a training took, as the facts of a run."""
    metered = {
        "games": totals.games,
        "plies_per_game": totals.moves / totals.games,
        "simulations_per_move": totals.simulations / totals.moves,
        "evaluations_per_simulation": (totals.evaluations - totals.roots) / totals.simulations,
        "root_evaluations": totals.roots / totals.moves,
        "steps": totals.steps,
        "batch_size": totals.samples / totals.steps,
    }
    return facts_of(metered, "measured", "metered while it ran")


def _chances(plan: Plan, game: Game, network: nn.Module) -> tuple[Quantity, Quantity]:
    """Plies per game, and evaluations per simulation."""
    rows = [row for row in _rows() if _is_of(plan, row)]
    kind: Kind
    length: Mean | None
    each: Mean | None
    if len(rows) > 1:
        kind = "measured"
        source = f"{TABLE}: runs of this plan, seeds {', '.join(str(row.seed) for row in rows)}"
        length, each = (_predicted([getattr(row, key) for row in rows]) for key in CHANCE)
    else:
        kind = "assumed"
        source = f"{GAMES} games of the untrained network before the run; training changes it"
        settings = Settings(simulations=plan.simulations)
        # beyond the seeds that a user gives: these games are none of the run's
        seed = 2**32 + plan.seed
        played = list(play(game, network, settings, Habits(), seed, range(GAMES)))
        length, each = ratio(played, lambda game: game.moves), evaluations_per_simulation(played)
    assert length is not None and each is not None  # noqa: PT018  every game has moves
    return _chance(CHANCE[0], length, kind, source), _chance(CHANCE[1], each, kind, source)


class _Row(Table):
    """A training that was done: its plan, what it took, and how it was measured."""

    game: str
    blocks: int
    filters: int
    simulations: int
    rounds: int
    games: int
    steps: int
    batch: int
    window: int
    rate: float
    seed: int
    plies_per_game: PositiveFloat
    evaluations_per_simulation: PositiveFloat
    flops: int
    command: str
    torch: str
    open_spiel: str
    date: str


def _rows() -> list[_Row]:
    return read_rows(facts_folder("measured", "training.csv"), _Row)


def _is_of(plan: Plan, row: _Row) -> bool:
    return all(
        (getattr(row, key) == value) == (key != "seed") for key, value in asdict(plan).items()
    )


def _predicted(values: Sequence[float]) -> Mean:
    from scipy.special import stdtrit

    count = len(values)
    reach = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * sqrt(1 + 1 / count) * stdev(values)
    mean = fmean(values)
    return Mean(mean=mean, low=mean - reach, high=mean + reach)


def _chance(key: str, mean: Mean, kind: Kind, source: str) -> Quantity:
    low = mean.mean if mean.low is None else mean.low
    high = mean.mean if mean.high is None else mean.high
    return Quantity(
        value=mean.mean,
        unit=UNITS[key],
        kind=kind,
        source=source,
        low=max(low, mean.mean / 10),  # a few games of very different lengths reach below nothing
        high=high,
    )
