"""Quantity: a value, its 90% interval or its alternatives, its unit, and where it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite, log, prod
from statistics import NormalDist
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
        alternatives: (value, weight) of each reading of an open question, in place of an interval;
            `value` is the heaviest's.
        url: where a cited figure stands.
        retrieved: the day it was read there again; None where it is from memory.
        command: what measured it.
        versions: of what it was measured with.

    Raises:
        ValueError: a number is not positive and finite, low <= value <= high does not hold,
            weights do not add up to 1, or there are both an interval and alternatives.
    """

    value: float
    unit: str
    kind: Kind
    source: str
    low: float | None = None
    high: float | None = None
    alternatives: tuple[tuple[float, float], ...] = ()
    url: str | None = None
    retrieved: date | None = None
    command: str | None = None
    versions: str | None = None

    def __post_init__(self) -> None:
        if self.alternatives:
            check_weights([weight for _, weight in self.alternatives])
        numbers = [(name, getattr(self, name)) for name in ("value", "low", "high")]
        for name, number in [
            *numbers,
            *(("an alternative", alternative) for alternative, _ in self.alternatives),
        ]:
            if number is not None and not (isfinite(number) and number > 0):
                raise ValueError(f"{name} is {number:g}; give a number above 0")
        if self.alternatives and (self.low, self.high) != (None, None):
            raise ValueError("has an interval and alternatives; give one of them")
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
        alternatives = tuple((value * scale, weight) for value, weight in self.alternatives)
        return replace(
            self, value=self.value * scale, low=low, high=high, unit=unit, alternatives=alternatives
        )

    @property
    def uncertain(self) -> bool:
        """Whether it has an interval or alternatives."""
        return self.low is not None or bool(self.alternatives)

    @property
    def ends(self) -> tuple[float, float]:
        """The interval's ends, or the least and greatest alternative; else the value twice."""
        values = [value for value, _ in self.alternatives] or [
            self.value if end is None else end for end in (self.low, self.high)
        ]
        return min(values), max(values)

    def draws(self, normals: np.ndarray) -> np.ndarray:
        """The quantity for each of these standard normal numbers.

        A two-piece log-normal: median `value`, 5th and 95th percentile `low` and `high`; or each
        alternative as often as its weight says.
        """
        if self.alternatives:
            values, weights = zip(*self.alternatives, strict=True)
            chosen: np.ndarray = np.asarray(values)[picked(weights, normals)]
            return chosen
        if self.low is None or self.high is None:
            return np.full_like(normals, self.value)
        down, up = log(self.value / self.low) / _Z95, log(self.high / self.value) / _Z95
        drawn: np.ndarray = self.value * np.exp(normals * np.where(normals < 0, down, up))
        return drawn


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An open question whose answers are no numbers: which of several networks a run trained.

    Attributes:
        weights: of the answers, adding up to 1.
        kind: whether the weights are measured, cited, derived or assumed.
        source: why they are what they are.

    Raises:
        ValueError: weights do not add up to 1.
    """

    weights: tuple[float, ...]
    kind: Kind
    source: str

    def __post_init__(self) -> None:
        check_weights(self.weights)

    @property
    def value(self) -> int:
        """The place of the heaviest answer."""
        return self.weights.index(max(self.weights))

    def draws(self, normals: np.ndarray) -> np.ndarray:
        """The place of an answer for each of these standard normal numbers."""
        return picked(self.weights, normals)


def picked(weights: Sequence[float], normals: np.ndarray) -> np.ndarray:
    """For each standard normal number the place of a weight, each as often as it is heavy."""
    shares = np.array([NormalDist().cdf(z) for z in normals.ravel()]).reshape(normals.shape)
    ends = np.cumsum(weights)[:-1]
    places: np.ndarray = np.searchsorted(ends, shares, side="right")
    return places


def check_weights(weights: Sequence[float]) -> None:
    """Refuse weights that are no shares of one whole.

    Raises:
        ValueError: one is not positive, or they do not add up to 1.
    """
    if any(not weight > 0 for weight in weights) or abs(sum(weights) - 1) > 1e-9:
        listed = " + ".join(f"{weight:g}" for weight in weights)
        raise ValueError(f"the alternatives' weights {listed} do not add up to 1; mend them")


def weakest(*kinds: Kind) -> Kind:
    """The least sure of these kinds: what depends on an assumption is assumed."""
    return max(kinds, key=KINDS.index)


def product_range(quantities: Iterable[Quantity]) -> tuple[float, float, float]:
    """The product of all lows, of all values and of all highs: the widest that it can be."""
    listed = list(quantities)
    return (
        prod(quantity.ends[0] for quantity in listed),
        prod(quantity.value for quantity in listed),
        prod(quantity.ends[1] for quantity in listed),
    )
