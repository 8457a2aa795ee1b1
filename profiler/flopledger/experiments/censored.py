"""Likelihood of logarithms of which some are only known to be larger (Tobin 1958)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# of parameters: the mean of every observation, and its derivatives [observation, parameter]
Mean = Callable[[Floats], tuple[Floats, Floats]]

_FAR = 30.0  # from where the search for a parameter, all of them logarithms, begins
_LEAST = 1e-3  # standard deviation in orders: of trials that are all alike it would be 0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The likeliest parameters.

    Attributes:
        parameters: of the mean.
        deviation: standard deviation about it.
        aic: Akaike's information criterion: twice the parameters, the deviation among them, less
            twice the logarithm of the likelihood; less is better.
    """

    parameters: tuple[float, ...]
    deviation: float
    aic: float


def likeliest(seen: Floats, reached: Bools, mean: Mean, start: Floats) -> Fitted:
    """The normal distribution about such a mean under which these observations are likeliest.

    Args:
        seen: observations.
        reached: where it is False, all that is known is that the observation is at least that.
        mean: of parameters.
        start: parameters to begin with.
    """
    from scipy.optimize import minimize
    from scipy.special import log_ndtr

    def loss(all_parameters: Floats) -> tuple[float, Floats]:
        own, log_deviation = all_parameters[:-1], all_parameters[-1]
        expected, slopes = mean(own)
        deviation = np.exp(log_deviation)
        off = (seen - expected) / deviation
        above = log_ndtr(-off)  # the logarithm of the chance to be larger still
        hazard = np.exp(-(off**2) / 2 - log(2 * pi) / 2 - above)
        each = np.where(reached, off**2 / 2 + log(2 * pi) / 2 + log_deviation, -above)
        by_mean = np.where(reached, -off, -hazard) / deviation
        by_deviation = np.where(reached, 1 - off**2, -hazard * off)
        return float(each.sum()), np.append(slopes.T @ by_mean, by_deviation.sum())

    spread = max(float(np.std(seen - mean(start)[0])), _LEAST)
    found: Any = minimize(
        loss, np.append(start, log(spread)), jac=True, method="L-BFGS-B",
        bounds=[*((value - _FAR, value + _FAR) for value in start), (log(_LEAST), None)],
    )  # fmt: skip
    *parameters, log_deviation = map(float, found.x)
    return Fitted(
        parameters=tuple(parameters),
        deviation=float(np.exp(log_deviation)),
        aic=2 * len(found.x) + 2 * float(found.fun),
    )


def mean_of(seen: Floats, reached: Bools) -> float | None:
    """The mean; None where nothing was reached, for then there is no end to it."""
    if reached.all():
        return float(seen.mean())
    if not reached.any():
        return None
    ones = np.ones((len(seen), 1))
    constant: Mean = lambda own: (np.full(len(seen), own[0]), ones)  # noqa: E731
    return likeliest(seen, reached, constant, np.array([seen.mean()])).parameters[0]
