"""How games are played, and what one of them came to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How games are played.

    Attributes:
        sampled: moves at a game's beginning that are drawn by their visits; every later one is the
            most visited. AlphaZero's pseudocode has 30.
        resign: the value of the root and of its best move below which the mover gives up; None for
            never.
        longest: moves after which a game is cut off; None for the game's own limit.
        cache: whether answers of the network are remembered, within a game.
        position: where games begin, as `Game.start` takes it.
    """

    sampled: int = 30
    resign: float | None = None
    longest: int | None = None
    cache: bool = False
    position: str = ""


@dataclass(frozen=True, kw_only=True)
class Played:
    """One game, or what there is of one that was stopped. Counts are as in `Tally`.

    Attributes:
        index: of the game, from 0; with the seed it makes the game.
        ended: "over", "drawn at the limit", "resigned"; or "interrupted", "out of memory".
        result: the first player's: 1, 0 or -1.
    """

    index: int
    ended: str
    result: float
    moves: int
    asked: int
    made: int
    roots: int
    cache: int
    reuse: int
    terminal: int
    flops: float
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether it is a whole game."""
        return self.ended not in ("interrupted", "out of memory")
