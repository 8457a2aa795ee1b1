"""Backward passes that run the whole of graphs which are alike: few of many are followed."""

from math import sqrt
from typing import Any

from flopledger.metering.nodes import Way, leads_down

ALIKE_FROM = 16  # in a row that were followed, after which one of about as many is
_MANY = 256  # after which that the graph goes on is asked in one of a few alone
_GOLDEN = (1 + sqrt(5)) / 2
# from one to the next, on average: no fraction, so that what changes at any period is met
_TO_FOLLOW, _TO_ASK = 17 - _GOLDEN, 5 - _GOLDEN


class AlikePasses:
    """Passes that came one after the other, and cost the same.

    Attributes:
        way: through their graphs.
        asked: what each asked for.
        macs: of each pass.
    """

    __slots__ = ("_ask_at", "_follow_at", "_followed", "_from", "_passed", "asked", "macs", "way")

    def __init__(self, way: Way, asked: Any, macs: int, alike_from: int) -> None:
        self.way, self.asked, self.macs, self._from = way, asked, macs, alike_from
        self._followed = self._passed = 0
        self._ask_at = self._follow_at = 0.0

    def are_enough(self) -> bool:
        """Whether so many were followed that of those to come one of several is."""
        return self._followed >= self._from

    def take(self, root: Any, low: int) -> bool:
        """Whether a pass through the whole of a graph is taken for one of them, not followed.

        Args:
            root: the result's node by which it comes.
            low: the number of the call's first node.
        """
        if self._followed < self._from:
            return False
        self._passed += 1
        if self._passed >= self._follow_at:
            self._follow_at += _TO_FOLLOW
            return False
        if self._passed > _MANY:
            if self._passed < self._ask_at:
                return True
            self._ask_at += _TO_ASK
        return leads_down(self.way, root, low)

    def add(self) -> None:
        """A pass was followed, and is one of them."""
        self._followed += 1
        if self._followed == self._from:
            self._follow_at, self._ask_at = _TO_FOLLOW, float(_MANY)
