"""One position of the search tree: its moves' statistics."""

from math import log, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flopledger.play.planes import Seen


class Answer(NamedTuple):
    """What a network says of a position, and what its saying so took.

    Attributes:
        prior: the policy over the legal moves, in OpenSpiel's order.
        value: for the player to move, in [-1, 1].
        flops: of the position's share of its pass, forward.
        seconds: the same share of the pass's time.
    """

    prior: NDArray[np.float64]
    value: float
    flops: float = 0.0
    seconds: float = 0.0


class Node:
    """A position. Values are in [-1, 1], from the view of the player to move in it.

    Attributes:
        state: OpenSpiel's.
        value: the network's, or the game's result where the game is over; None before it is known.
        seen: what a network is shown; None where the game is over.
        actions: the legal moves, in OpenSpiel's order; empty until it is expanded.
        prior: their probabilities.
        total: 1 for the position's own evaluation, and the visits' sum.
        children: by the move's place in `actions`.
    """

    # visits and worth are lists: a number of a list is read and set in a third of an array's time
    __slots__ = (
        "_mean", "_pull", "_visits", "_worth", "actions", "children", "prior", "seen", "state",
        "total", "value",
    )  # fmt: skip

    def __init__(self, state: Any, seen: Seen | None, value: float | None = None) -> None:
        self.state = state
        self.seen = seen
        self.value = value
        self.actions: list[int] = []
        self.children: dict[int, Node] = {}
        self.total = 0

    def expand(self, answer: Answer, untried: float) -> None:
        """Take the network's answer; a move counts as `untried` until it is tried."""
        self.actions = self.state.legal_actions()
        self.value = answer.value
        moves = len(self.actions)
        self._visits = [0] * moves
        self._worth = [0.0] * moves
        self.total = 1
        self._mean = np.full(moves, untried, float)  # an int would cut the means off
        self.prior = answer.prior
        self._pull = answer.prior.copy()

    def trust(self, prior: NDArray[np.float64]) -> None:
        """Use these probabilities from now on."""
        self.prior = prior
        self._pull = prior / (1 + self.visits)

    def best(self, first: float, base: float, span: float) -> int:
        """The place of the move with the highest Q + span c P sqrt(N) / (1 + n).

        c = ln((1 + N + base) / base) + first; span is 2 where c is meant for values in [0, 1].
        """
        scale = span * (log((1 + self.total + base) / base) + first) * sqrt(self.total)
        return int((self._mean + scale * self._pull).argmax())

    def add(self, place: int, value: float) -> None:
        """The move in that place was tried, and came to this value."""
        count = self._visits[place] + 1
        worth = self._worth[place] + value
        self._visits[place] = count
        self._worth[place] = worth
        self.total += 1
        self._mean[place] = worth / count
        self._pull[place] = self.prior[place] / (1 + count)

    @property
    def visits(self) -> NDArray[np.int64]:
        """How often each move was tried."""
        return np.array(self._visits, np.int64)

    @property
    def worth(self) -> NDArray[np.float64]:
        """The sum of the values that each move led to."""
        return np.array(self._worth)

    def means(self) -> NDArray[np.float64]:
        """Each move's mean value, and what it counts as where it was never tried."""
        return self._mean.copy()
