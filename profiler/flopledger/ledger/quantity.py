"""Quantity: a value, its 90% interval on a log scale, its unit, and where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite, log, prod
from typing import Literal

import numpy as np

Kind = Literal["measured", "cited", "derived", "assumed"]

# from the surest to the least sure
KINDS: tuple[Kind, ...] = ("measured", "cited", "derived", "assumed")

# the standard normal's 95th percentile: low and high are the 5th and the 95th
_Z95 = 1.6448536269514722


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A positive number and how sure it is.

    Attributes:
        value: in `unit`; the median of its distribution.
        unit: "games", "FLOP per parameter", ...
        kind: whether it is measured, cited, derived or assumed.
        source: where it stands, how it was derived, or why it is assumed.
        low: the 5th percentile; None, with high, for a number without an interval.
        high: the 95th percentile.

    Raises:
        ValueError: a number is not positive and finite, or low <= value <= high does not hold.
    """

    value: float
    unit: str
    kind: Kind
    source: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not (isfinite(number) and number > 0):
                raise ValueError(f"{name} is {number:g}; give a number above 0")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends; give low and high, or neither")
        if self.low is None or self.high is None:
            return
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} exceeds high {self.high:g}; exchange them")
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"the interval {self.low:g} to {self.high:g} does not contain the value "
                f"{self.value:g}; widen it"
            )

    def scaled(self, scale: float, unit: str) -> "Quantity":
        """The same quantity in another unit, of which the old one is `scale`."""
        low, high = (end and end * scale for end in (self.low, self.high))
        return replace(self, value=self.value * scale, low=low, high=high, unit=unit)

    def draws(self, normals: np.ndarray) -> np.ndarray:
        """The quantity for each of these standard normal numbers.

        A two-piece log-normal: median `value`, 5th and 95th percentile `low` and `high`.
        """
        if self.low is None or self.high is None:
            return np.full_like(normals, self.value)
        down, up = log(self.value / self.low) / _Z95, log(self.high / self.value) / _Z95
        drawn: np.ndarray = self.value * np.exp(normals * np.where(normals < 0, down, up))
        return drawn


def weakest(*kinds: Kind) -> Kind:
    """The least sure of these kinds: what depends on an assumption is assumed."""
    return max(kinds, key=KINDS.index)


def product_range(quantities: Iterable[Quantity]) -> tuple[float, float, float]:
    """The product of all lows, of all values and of all highs: the widest that it can be."""
    listed = list(quantities)
    return (
        prod(one.low or one.value for one in listed),
        prod(one.value for one in listed),
        prod(one.high or one.value for one in listed),
    )
