"""How strong a network is, and what it had cost by then: matches against one opponent."""

from dataclasses import asdict, dataclass
from typing import Any

from flopledger.play.score import Score

TESTS = 4  # while it trains, beside that of the untrained network


@dataclass(frozen=True, kw_only=True)
class Strength:
    """A network's matches against the fixed opponent.

    Attributes:
        rounds: of training before them; 0 for the untrained network.
        flops: that these rounds took, as metered.
        rollouts: of the opponent a move.
        search: games of the network's search.
        policy: games of its policy alone.
    """

    rounds: int
    flops: float
    rollouts: int
    search: Score
    policy: Score


def is_due(number: int, rounds: int) -> bool:
    """Whether a test follows the round of that number: four, evenly apart, and one the last."""
    return number * TESTS // rounds > (number - 1) * TESTS // rounds


def as_objects(curve: list[Strength]) -> list[dict[str, Any]]:
    """The tests as a checkpoint and JSON have them."""
    return [asdict(test) for test in curve]


def from_objects(objects: list[dict[str, Any]]) -> list[Strength]:
    """The tests that `as_objects` made.

    Raises:
        TypeError: they are none.
    """
    return [
        Strength(**{**kept, "search": Score(**kept["search"]), "policy": Score(**kept["policy"])})
        for kept in objects
    ]
