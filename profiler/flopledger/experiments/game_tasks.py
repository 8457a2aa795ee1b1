"""The games of the horizon's experiments: to which strength each is learned, and the settings."""

from dataclasses import dataclass

from flopledger.experiments.trials import Settings

SEARCH, GRADIENT, IMITATION = "search", "gradient", "imitation"
Grids = dict[str, tuple[Settings, ...]]


@dataclass(frozen=True, kw_only=True)
class GameTask:
    """A game that is learned to one strength by all arms.

    Attributes:
        game: as `find_game` knows it.
        board: points on a side; None of a game with one board.
        rollouts: random games that the opponent searches by a move.
        target: the strength: the share won by the policy without search.
        budget: samples of a trial, at most.
        first: samples before the first test.
        grids: the settings of each arm that are tried: Adam's rate; simulations a move; the bonus
            for the policy's entropy.
    """

    game: str
    board: int | None = None
    rollouts: int = 10
    target: float = 0.75
    budget: int = 100_000
    first: int = 1024
    grids: Grids


_HEX: Grids = {
    SEARCH: (
        {"rate": 3e-3, "simulations": 8},
        {"rate": 3e-3, "simulations": 24},
        {"rate": 1e-3, "simulations": 8},
    ),
    GRADIENT: (
        {"rate": 3e-3, "bonus": 0.01},
        {"rate": 3e-3, "bonus": 0.1},
        {"rate": 1e-3, "bonus": 0.01},
    ),
    IMITATION: ({"rate": 3e-3}, {"rate": 1e-2}),
}
# a round's games are four times as long as Hex's, and so many positions are one step of the policy
# gradient: its rates are higher
_CONNECT_FOUR: Grids = {
    SEARCH: ({"rate": 3e-3, "simulations": 8}, {"rate": 3e-3, "simulations": 24}),
    GRADIENT: ({"rate": 1e-2, "bonus": 0.03}, {"rate": 3e-2, "bonus": 0.03}),
    IMITATION: ({"rate": 3e-3}, {"rate": 1e-2}),
}

GAME_TASKS = {
    "hex-3": GameTask(game="hex", board=3, grids=_HEX),
    "hex-4": GameTask(game="hex", board=4, grids=_HEX),
    "hex-5": GameTask(game="hex", board=5, grids=_HEX),
    # against 10 random games a move nothing but imitation wins 75% after 100,000 samples, and
    # against 2 a few thousand are enough for all
    "connect-four": GameTask(
        game="connect_four", rollouts=4, target=0.8, budget=150_000, first=8192,
        grids=_CONNECT_FOUR,
    ),
}  # fmt: skip
