"""The trend of compute per parameter in date and size, and how far systems lie off it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import log10, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from flopledger.errors import FlopledgerError
from flopledger.field.published_systems import PublishedSystem
from flopledger.ledger.methods import Accounting

Interval = tuple[float, float]
Array = npt.NDArray[Any]

DRAWS, SEED = 2_000, 0  # of the bootstrap
ENDS = (5, 95)  # percentiles: intervals are of 90%, as everywhere here
YEAR = 365.25  # days
ORIGIN = date(2012, 1, 1)
NAMES = ("orders at the beginning of 2012", "orders a year", "orders an order of parameters")


class TooFew(FlopledgerError, ValueError):
    """A trend of so few systems would be none."""


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """A coefficient of a trend.

    Attributes:
        name: what it is, with its unit.
        value: in that unit.
        interval: 90%, by errors that need not be alike (HC3).
    """

    name: str
    value: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Trend:
    """log10 of compute per parameter, fitted by least squares on date and log10 of parameters.

    Attributes:
        name: which systems it is of, in words.
        systems: those.
        accounting: of their figures; None where it is mixed or not known.
        by_domain: whether each domain has a level of its own, too.
        coefficients: of the date and of the parameters.
        levels: orders that each domain lies above the first one, where each has a level of its own.
        residuals: orders of each system above the trend.
        left_out: the same, of each above the trend of all the others.
        sd: standard deviation of the residuals in orders, for the coefficients that were fitted.
        sd_interval: its 90% interval, by resampling systems.
    """

    name: str
    systems: tuple[PublishedSystem, ...]
    accounting: Accounting | None
    by_domain: bool
    coefficients: tuple[Coefficient, ...]
    levels: Mapping[str, float]
    residuals: tuple[float, ...]
    left_out: tuple[float, ...]
    sd: float
    sd_interval: Interval

    @property
    def pair_sd(self) -> float:
        """Standard deviation, in orders, of what two systems differ by beyond the trend."""
        return self.sd * sqrt(2)

    @property
    def pair_interval(self) -> Interval:
        """Its 90% interval."""
        low, high = self.sd_interval
        return low * sqrt(2), high * sqrt(2)

    @property
    def left_out_sd(self) -> float:
        """Root mean square, in orders, of each system off the trend of all the others."""
        return float(np.sqrt(np.mean(np.square(self.left_out))))

    @property
    def orders_a_year(self) -> float:
        """How the trend rises."""
        return self.coefficients[1].value

    def expected(self, day: date, params: float, group: str = "") -> float:
        """log10 of compute per parameter on the trend; `group` is the domain, if each has its own.

        Raises:
            KeyError: each has, and there is none of that name.
        """
        at = _years(day), log10(params)
        level, *slopes = (coefficient.value for coefficient in self.coefficients)
        level += self.levels[group] if self.by_domain else 0.0
        return level + sum(slope * x for slope, x in zip(slopes, at, strict=True))

    def off(self, day: date, params: float, flop_per_param: float, group: str = "") -> float:
        """Orders above the trend; `group` as in `expected`."""
        return log10(flop_per_param) - self.expected(day, params, group)

    def residual(self, name: str) -> float | None:
        """Of the system of that name; None where it is not among them."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, float]:
        return {one.name: r for one, r in zip(self.systems, self.residuals, strict=True)}

    def share_below(self, orders: float) -> float:
        """The share of the systems that lie less far above the trend."""
        return float(np.mean(np.asarray(self.residuals) < orders))

    def of_domain(self, domain: str) -> Array:
        """The residuals of the systems that name the domain, alone or among others."""
        return np.array(
            [r for one, r in zip(self.systems, self.residuals, strict=True)
             if domain in (one.domains or ("unknown",))]
        )  # fmt: skip

    @cached_property
    def across(self) -> float | None:
        """Root mean square, in orders, of what two systems of different domains differ by.

        None where all are of one.
        """
        every, every_pairs = _squares_apart(np.asarray(self.residuals))
        own, own_pairs = self._within
        pairs = every_pairs - own_pairs
        return sqrt(max(every - own, 0) / pairs) if pairs else None

    @cached_property
    def within(self) -> float | None:
        """The same of two systems of one domain; None where no two are of one."""
        own, pairs = self._within
        return sqrt(own / pairs) if pairs else None

    @cached_property
    def _within(self) -> tuple[float, int]:
        groups = np.array([one.group for one in self.systems])
        residuals = np.asarray(self.residuals)
        own = [_squares_apart(residuals[groups == group]) for group in np.unique(groups)]
        return sum(squares for squares, _ in own), sum(pairs for _, pairs in own)

    def share_apart(self, orders: float) -> float:
        """The share of all pairs of systems that differ by so many orders or more."""
        rising = np.sort(self.residuals)
        n = len(rising)
        apart = n - np.searchsorted(rising, rising + orders)  # of each, those that far above it
        return float(apart.sum() / (n * (n - 1) / 2))


def _squares_apart(values: Array) -> tuple[float, int]:
    """The sum of the squares of what the pairs differ by, and how many pairs there are.

    n sum (r - mean)^2 is that sum, without an array of all pairs: 30,000 systems have 450 million.
    """
    n = len(values)
    return float(n * np.sum((values - values.mean()) ** 2)), n * (n - 1) // 2


def fit(name: str, systems: Sequence[PublishedSystem], by_domain: bool = False) -> Trend:
    """Fit the trend by least squares; the same systems give the same trend, to the last digit.

    Args:
        name: which systems they are.
        systems: each with a day; twice as many as there are coefficients, at least.
        by_domain: whether each domain gets a level of its own.

    Raises:
        TooFew: there are fewer systems, or they are all alike.
    """
    # here, and not above: it takes most of a second, and most verbs need none of it
    from scipy.stats import t
    from statsmodels.regression.linear_model import OLS

    systems = [one for one in systems if one.published_on is not None]
    first, *groups = sorted({one.group for one in systems}) or [""]
    groups = groups if by_domain else []
    x = np.array(
        [
            (1.0, _years(one.published_on), log10(one.params), *(one.group == g for g in groups))
            for one in systems
        ],
        dtype=float,
    ).reshape(-1, len(NAMES) + len(groups))
    if len(x) < 2 * x.shape[1]:
        raise TooFew(
            f"{name}: a trend takes {2 * x.shape[1]} systems with both figures and a day, and "
            f"{len(x)} are left; begin earlier, or give a larger table"
        )
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise TooFew(
            f"{name}: {len(x)} systems differ too little in day and size for a trend; begin earlier"
        )
    y = np.array([one.orders for one in systems])
    fitted = OLS(y, x).fit()
    accountings = {one.accounting for one in systems}
    leverage = np.einsum("ij,jk,ik->i", x, fitted.normalized_cov_params, x)
    levels = dict(zip(groups, map(float, fitted.params[len(NAMES) :]), strict=True))
    # a system that is a domain of its own has no trend of others to lie off, and tells nothing on
    # the coefficients that it shares with them; statsmodels' HC3 would divide 0 by 0
    alone = leverage > 1 - 1e-9
    left_out = fitted.resid[~alone] / (1 - leverage[~alone])
    halves = fitted.normalized_cov_params @ (x[~alone].T * left_out)
    errors = t.ppf(ENDS[1] / 100, fitted.df_resid) * np.sqrt((halves**2).sum(axis=1))
    return Trend(
        name=name,
        systems=tuple(systems),
        accounting=accountings.pop() if len(accountings) == 1 else None,
        by_domain=by_domain,
        coefficients=tuple(
            Coefficient(
                name=what, value=float(value), interval=(float(value - e), float(value + e))
            )
            for what, value, e in zip(NAMES, fitted.params, errors, strict=False)
        ),
        levels={first: 0.0, **levels} if by_domain else {},
        residuals=tuple(map(float, fitted.resid)),
        left_out=tuple(map(float, left_out)),
        sd=float(sqrt(fitted.mse_resid)),
        sd_interval=_resampled_sd(x, fitted.resid),
    )


def _years(day: date | None) -> float:
    assert day is not None  # those without one are in no trend
    return (day - ORIGIN).days / YEAR


def _resampled_sd(x: Array, residuals: Array) -> Interval:
    """The 90% interval of the residuals' standard deviation, by drawing systems with replacement.

    What is refitted are the residuals: adding the trend back to them would change none of it.
    """
    n, k = x.shape
    weights = (
        np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)
    )
    x = x - x.mean(axis=0) * np.array([0.0, *[1.0] * (k - 1)])  # centred: better conditioned
    squares = (weights @ np.einsum("ni,nj->nij", x, x).reshape(n, -1)).reshape(-1, k, k)
    products = weights @ (x * residuals[:, None])
    # the pseudo-inverse: a domain that is not drawn has no level
    slopes = np.einsum("bij,bj->bi", np.linalg.pinv(squares, hermitian=True), products)
    rest = weights @ residuals**2 - np.einsum("bi,bi->b", slopes, products)
    low, high = np.percentile(np.sqrt(np.maximum(rest, 0) / (n - k)), ENDS)
    return float(low), float(high)
