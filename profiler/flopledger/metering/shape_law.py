"""What a call of a new shape costs: by the law of those that were watched, if they follow one."""

from collections.abc import Hashable
from fractions import Fraction
from math import lcm
from typing import Any

import torch

_ENOUGH = 16  # lengths that are watched, and follow it, before a law is believed
_BEYOND = 16  # it is believed beyond the longest that was watched by this part of it
_AGAIN = 32  # of new lengths that it tells of, each of so many is watched all the same
_MOST = 512  # laws that a family looks for

Costs = tuple[int, int]  # MACs and other FLOPs
Place = tuple[Hashable, int]  # which law, and at what length


class Laws:
    """Of one module's calls in one mode: shapes that differ in one length only have one law.

    A law is a polynomial of the length, of the second degree at most, on which all that were
    watched lie exactly. Where one does not there is none, and every new shape is watched.
    """

    def __init__(self) -> None:
        self._laws: dict[Hashable, _Law] = {}
        self.off = False  # whether calls were seen whose cost is not by their shapes

    def places(self, key: Hashable) -> list[Place]:
        """Where a signature stands in each law that it may follow.

        Args:
            key: of the signature, in which shapes are torch.Size.
        """
        sizes: list[int] = []
        skeleton = _without_sizes(key, sizes)
        return [
            ((skeleton, tuple([None if other == size else other for other in sizes])), size)
            for size in dict.fromkeys(sizes)
            if size > 1
        ]

    def told(self, places: list[Place]) -> tuple[Costs, Any] | None:
        """What a call costs, and an example of those by which that is known; None if it is not."""
        for law, length in () if self.off else places:
            if law in self._laws and (known := self._laws[law].at(length)) is not None:
                return known
        return None

    def add(self, places: list[Place], costs: Costs, example: Any) -> None:
        """A call was watched."""
        for law, length in places:
            if law in self._laws or len(self._laws) < _MOST:
                self._laws.setdefault(law, _Law()).add(length, costs, example)


class _Law:
    """Of one length."""

    __slots__ = ("_broken", "_coefficients", "_example", "_points", "_told")

    def __init__(self) -> None:
        self._points: dict[int, Costs] = {}
        self._coefficients: list[tuple[int, ...]] = []
        self._broken, self._told, self._example = False, 0, None

    def at(self, length: int) -> tuple[Costs, Any] | None:
        if not self._coefficients:
            return None
        longest = max(self._points)
        if not min(self._points) <= length <= longest + longest // _BEYOND:
            return None
        self._told += 1
        if not self._told % _AGAIN:
            return None
        macs, other = [_value(coefficients, length) for coefficients in self._coefficients]
        return None if macs is None or other is None else ((macs, other), self._example)

    def add(self, length: int, costs: Costs, example: Any) -> None:
        if self._broken:
            return
        self._points[length] = costs
        if len(self._points) < _ENOUGH:
            return
        if not self._coefficients:
            self._example = example
            self._coefficients = [self._through(each) for each in (0, 1)]
        for point, seen in self._points.items():
            if tuple([_value(c, point) for c in self._coefficients]) != seen:
                self._broken = True
        if self._broken:
            self._points, self._coefficients = {}, []
        elif len(self._points) > _ENOUGH:  # the ends say how far it holds, the others are on it
            ends = sorted(self._points)
            for between in ends[1 : len(ends) - _ENOUGH + 1]:
                del self._points[between]

    def _through(self, which: int) -> tuple[int, ...]:
        """The polynomial through three points: its coefficients times a number, and that number."""
        lengths = sorted(self._points)
        chosen = [lengths[0], lengths[len(lengths) // 2], lengths[-1]]
        sums = [Fraction(0)] * 3
        for x in chosen:
            a, b = [other for other in chosen if other != x]
            part = Fraction(self._points[x][which], (x - a) * (x - b))
            for power, factor in enumerate((a * b, -(a + b), 1)):
                sums[power] += part * factor
        whole = lcm(*[number.denominator for number in sums])
        return (*[int(number * whole) for number in sums], whole)


def _value(coefficients: tuple[int, ...], length: int) -> int | None:
    """None where it is no whole number."""
    free, linear, square, whole = coefficients
    value, rest = divmod(free + length * (linear + length * square), whole)
    return None if rest or value < 0 else value


def _without_sizes(key: Any, sizes: list[int]) -> Hashable:
    """The key with no more of shapes than how many axes they have; is told of their sizes."""
    if isinstance(key, torch.Size):
        sizes += key
        return len(key)
    if isinstance(key, tuple):
        return tuple([_without_sizes(part, sizes) for part in key])
    return key  # type: ignore[no-any-return]
