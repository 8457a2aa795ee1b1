"""Backward passes that run the whole of graphs which are alike: few of many are followed."""

from typing import Any

from flopledger.metering.nodes import Way, leads_down

_ENOUGH = 16  # in a row that were followed, after which one of as many is
_MANY = 256  # after which that the graph goes on is asked in one of a few alone
_FEW = 4


class AlikePasses:
    """Passes that came one after the other, and cost the same.

    Attributes:
        way: through their graphs.
        macs: of each pass.
    """

    __slots__ = ("_asked", "_followed", "_passed", "macs", "way")

    def __init__(self, way: Way) -> None:
        self.way = way
        self.macs = self._followed = self._passed = 0
        self._asked: Any = None

    def are_enough(self) -> bool:
        """Whether so many were followed that of those to come one of several is."""
        return self._followed >= _ENOUGH

    def take(self, root: Any, low: int) -> bool:
        """Whether a pass through the whole of a graph is taken for one of them, not followed.

        Args:
            root: the result's node by which it comes.
            low: the number of the call's first node.
        """
        self._passed += 1
        if not (self.are_enough() and self._passed % _ENOUGH):
            return False
        unasked = self._passed > _MANY and self._passed % _FEW
        return bool(unasked) or leads_down(self.way, root, low)

    def add(self, asked: Any, macs: int) -> None:
        """A pass was followed, which asked for that and cost so much."""
        if asked != self._asked:
            self._followed = self._passed = 0
        self._followed += 1
        self._asked, self.macs = asked, macs
