"""One position of the search tree: its moves' statistics as arrays."""

from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flopledger.play.planes import Seen


class Node:
    """A position. Values are in [-1, 1], from the view of the player to move in it.

    The arrays have an element for each legal move, in OpenSpiel's order.

    Attributes:
        state: OpenSpiel's.
        value: the network's, or the game's result where the game is over; None before it is known.
        seen: what a network is shown; None where the game is over.
        actions: the legal moves; empty until it is expanded.
        prior: their probabilities.
        visits: how often each was tried, those under way included.
        worth: the sum of the values that it led to, a virtual loss less for each that is under way.
        total: 1 for the position's own evaluation, and the visits' sum.
        children: by the move's place in the arrays.
    """

    __slots__ = (
        "_mean", "_pull", "actions", "children", "prior", "seen", "state", "total", "value",
        "visits", "worth",
    )  # fmt: skip

    def __init__(self, state: Any, seen: Seen | None, value: float | None = None) -> None:
        self.state = state
        self.seen = seen
        self.value = value
        self.actions: list[int] = []
        self.children: dict[int, Node] = {}
        self.total = 0

    def expand(self, prior: NDArray[np.float64], value: float) -> None:
        """Take the network's answer: a probability for each legal move, and the value."""
        self.actions = self.state.legal_actions()
        self.value = value
        self.visits = np.zeros(len(prior), np.int64)
        self.worth = np.zeros(len(prior))
        self.total = 1
        self._mean = np.zeros(len(prior))  # worth / visits; 0 for a move never tried
        self.trust(prior)

    def trust(self, prior: NDArray[np.float64]) -> None:
        """Use these probabilities from now on."""
        self.prior = prior
        self._pull = prior / (1 + self.visits)

    def best(self, first: float, base: float) -> int:
        """The place of the move with the highest Q + c P sqrt(N) / (1 + n).

        c = ln((1 + N + base) / base) + first.
        """
        scale = (log((1 + self.total + base) / base) + first) * sqrt(self.total)
        return int((self._mean + scale * self._pull).argmax())

    def begin(self, place: int, loss: float) -> None:
        """A visit is under way: until it ends it counts as this loss; the next goes elsewhere."""
        self._add(place, 1, -loss)

    def end(self, place: int, value: float, loss: float) -> None:
        """The visit came to this value, and the loss that it began with is no more."""
        self._add(place, 0, loss + value)

    def take_back(self, place: int, loss: float) -> None:
        """The visit came to nothing."""
        self._add(place, -1, loss)

    def _add(self, place: int, visits: int, worth: float) -> None:
        count = self.visits.item(place) + visits
        value = self.worth.item(place) + worth
        self.visits[place] = count
        self.worth[place] = value
        self.total += visits
        self._mean[place] = value / count if count else 0.0
        self._pull[place] = self.prior.item(place) / (1 + count)

    def means(self) -> NDArray[np.float64]:
        """Each move's mean value, 0 for one never tried."""
        return self._mean.copy()
