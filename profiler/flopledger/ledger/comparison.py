"""Comparison: the ratio of two ledgers, split into factors whose orders of magnitude add up."""

from dataclasses import asdict, dataclass
from itertools import product as pairs
from math import log10, prod
from typing import Any

import numpy as np
import pandas as pd

from flopledger.errors import WrongOption
from flopledger.ledger.ledger import (
    Balance,
    FactKey,
    Factor,
    Ledger,
    PublishedTotal,
    RestsOn,
    product,
)
from flopledger.ledger.methods import OUTCOMES, POSITIONS, SAMPLES, Accounting, Values
from flopledger.ledger.quantity import Kind, weakest
from flopledger.options import Picture
from flopledger.storage.json_text import json_text

_MOST = 10_000_000  # draws; more need gigabytes, and move no interval that is printed


class NoSplit(WrongOption):
    """Two ledgers cannot be compared; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """One factor's part in the ratio of two ledgers.

    Attributes:
        factor: its name.
        a: its value in the first ledger, over all phases.
        b: in the second.
        ratio: 10 ** orders; b / a where neither run has phases.
        orders: orders of magnitude that the factor adds on the way from a to b.
        low: the 5th percentile of the orders.
        high: the 95th.
        kind: the weaker of the two.
        source_a: where a comes from.
        source_b: where b comes from.
    """

    factor: str
    a: float
    b: float
    ratio: float
    orders: float
    low: float
    high: float
    kind: Kind
    source_a: str
    source_b: str


@dataclass(frozen=True, kw_only=True)
class PublishedPair:
    """A published total of each run, beside each other, of the comparison's accounting.

    Attributes:
        a: the first run's.
        b: the second's.
        orders: log10 of b's over a's.
    """

    a: PublishedTotal
    b: PublishedTotal
    orders: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison:
    """What separates two runs.

    Attributes:
        a: the first run's name.
        b: the second's.
        quantity: what is compared.
        accounting: of FLOP: all of them, or those of gradient steps only.
        a_total: the first's, from the bottom up.
        b_total: the second's.
        ratio: b_total / a_total.
        orders: its orders of magnitude.
        interval: the orders' 5th and 95th percentile.
        factors: whose orders add up to `orders`.
        samples: the samples learned from: the three factors that count them, as one; None where a
            quantity has no such factors.
        published: each published total of a beside each of b.
        rests_on: the facts of both runs, with where they stand.
        dominant_uncertainty: the factor whose orders vary most; None if nothing is uncertain.
        dominant_fact: the fact, "key of run", which alone would make the ratio vary most.
    """

    a: str
    b: str
    quantity: str
    accounting: Accounting
    a_total: float
    b_total: float
    ratio: float
    orders: float
    interval: tuple[float, float]
    factors: tuple[Share, ...]
    samples: Share | None
    published: tuple[PublishedPair, ...]
    rests_on: tuple[RestsOn, ...]
    dominant_uncertainty: str | None
    dominant_fact: str | None

    @property
    def heading(self) -> str:
        """One sentence: the ratio and its interval."""
        low, high = self.interval
        return (
            f"{self.quantity}: {self.a} {self.a_total:.4g}, {self.b} {self.b_total:.4g}; from "
            f"{self.a} to {self.b} {self.orders:+.2f} orders of magnitude (90%: {low:+.2f} to "
            f"{high:+.2f})"
        )

    def by_factor(self) -> pd.DataFrame:
        """One row a factor: every attribute of its `Share`, exact."""
        return pd.DataFrame([asdict(share) for share in self.factors])

    def as_object(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers, under the documented keys."""
        plain = asdict(self) | {
            "published": [
                {"a": pair.a.as_object(), "b": pair.b.as_object(), "orders": pair.orders}
                for pair in self.published
            ],
            "rests_on": [fact.as_object() for fact in self.rests_on],
        }
        return plain | {name: list(plain[name]) for name in ("interval", "factors")}

    def to_json(self) -> str:
        """What `flopledger compare A B --format json` writes."""
        return json_text(self.as_object())

    def chart(self, form: Picture) -> str | bytes:
        """The waterfall of the factors: svg, png (bytes), or html, a page with their table."""
        from flopledger.reports.compare import picture

        return picture(self, form)

    def __repr__(self) -> str:
        shown = self.by_factor()[["factor", "a", "b", "ratio", "orders", "kind"]]
        return f"{self.heading}\n{shown.to_string(index=False)}"

    def _repr_html_(self) -> str:
        from flopledger.reports.compare import html

        return html(self)


def split_ratio(a: Ledger, b: Ledger, samples: int = 10_000, seed: int = 0) -> Comparison:
    """Split the ratio b / a into factors whose orders of magnitude add up exactly.

    With one phase each, a factor's orders are log10 of its ratio. Where phases differ, the split of
    what they learn is the logarithmic-mean Divisia index (LMDI-I: Ang 2005, Energy Policy 33,
    867-871; Ang & Liu 2001, Energy 26, 537-548), which leaves no rest and does not depend on an
    order of the factors. Its cells are the phases, where both runs have phases of the same names.
    Otherwise they are all pairs of a phase i of a with a phase j of b: with u and v the phases'
    shares of their run's learning, the cell holds v_j of a's phase and u_i of b's, the share being
    booked on the last factor (outcomes), so that cells sum to both totals and none is zero. A
    factor x then contributes the sum over cells of L(a_ij, b_ij) / L(A, B) * ln(x_bj / x_ai), where
    L is the logarithmic mean. A factor of the whole run, 1 + generating / learning, contributes the
    logarithm of its ratio.

    Args:
        a: the run to start from.
        b: the run to arrive at.
        samples: draws for the intervals: each fact's two-piece log-normal, each open question's
            alternatives by their weights; what two factors or both runs share is drawn once.
        seed: of the draws.

    Raises:
        NoSplit: the ledgers have no factors in common, are not of one quantity and accounting, or
            a run's gradient steps are not known.
    """
    _check(a, b)
    if samples < 1:
        raise NoSplit(f"{samples} samples are too few; give 1 or more")
    if samples > _MOST:
        raise NoSplit(f"{samples} samples are too many; give at most {_MOST}")
    facts = tuple(dict.fromkeys((*a.facts, *b.facts)))
    rng = np.random.default_rng(seed)
    # sorted, so that from b to a the draws are those from a to b
    drawn_once = sorted({key.drawn_as for key in facts}, key=repr)
    normals = {drawn: rng.standard_normal(samples) for drawn in drawn_once}
    draws = {key: key.fact.draws(normals[key.drawn_as]) for key in facts}

    at, spread = _split(a.balance({}), b.balance({})), _split(a.balance(draws), b.balance(draws))
    assert a.total is not None
    assert b.total is not None
    total = log10(b.total / a.total)
    return Comparison(
        a=a.run,
        b=b.run,
        quantity=a.quantity,
        accounting=a.accounting,
        a_total=a.total,
        b_total=b.total,
        ratio=b.total / a.total,
        orders=total,
        interval=_interval(sum(spread.values()), total),
        factors=tuple(
            _share(factor, other, float(at[factor.name]), spread[factor.name])
            for factor, other in zip(a.factors, b.factors, strict=True)
        ),
        samples=_samples(a, b, at, spread),
        published=tuple(
            PublishedPair(a=published, b=other, orders=log10(other.value / published.value))
            for published in a.published
            for other in b.published
        ),
        rests_on=tuple(dict.fromkeys((*a.rests_on, *b.rests_on))),
        dominant_uncertainty=_widest({name: float(np.var(spread[name])) for name in at}),
        dominant_fact=_widest(_alone(a, b, draws)),
    )


def _check(a: Ledger, b: Ledger) -> None:
    for ledger in (a, b):
        if not ledger.split:
            raise NoSplit(
                f"{ledger.run}: its gradient steps are not known, so that it has no split; give "
                "[steps] and [batch_size], or [samples]"
            )
    if a.accounting != b.accounting and a.quantity == b.quantity:
        raise NoSplit(
            f"{a.run} counts {a.accounting} compute, {b.run} {b.accounting}; give both one "
            "accounting"
        )
    names = [factor.name for factor in a.factors]
    if (a.quantity, a.accounting) != (b.quantity, b.accounting) or names != [
        factor.name for factor in b.factors
    ]:
        raise NoSplit(
            f"{a.run} and {b.run} have no common factors: one is {a.quantity} by "
            f"{', '.join(names)}, the other {b.quantity}; compare runs of one quantity"
        )


def _samples(a: Ledger, b: Ledger, at: Values, spread: Values) -> Share | None:
    counting = (SAMPLES, POSITIONS, OUTCOMES)
    if not at.keys() >= set(counting):
        return None
    first, other = (
        Factor(
            name="samples learned from",
            value=prod(ledger.factor(name) for name in counting),
            kind=weakest(*(f.kind for f in ledger.factors if f.name in counting)),
            source="; ".join(f.source for f in ledger.factors if f.name in counting),
        )
        for ledger in (a, b)
    )
    orders, drawn = (sum(values[name] for name in counting) for values in (at, spread))
    return _share(first, other, float(orders), drawn)


def _share(factor: Factor, other: Factor, orders: float, spread: Any) -> Share:
    low, high = _interval(spread, orders)
    return Share(
        factor=factor.name,
        a=factor.value,
        b=other.value,
        ratio=10**orders,
        orders=orders,
        low=low,
        high=high,
        kind=weakest(factor.kind, other.kind),
        source_a=factor.source,
        source_b=other.source,
    )


def _split(a: Balance, b: Balance) -> Values:
    """Each factor's orders; the phases' factors are numbers, or arrays of draws."""
    a_totals = {name: product(phase) for name, phase in a.phases.items()}
    b_totals = {name: product(phase) for name, phase in b.phases.items()}
    a_sum, b_sum = sum(a_totals.values()), sum(b_totals.values())
    names = list(next(iter(a.phases.values())))
    same = a.phases.keys() == b.phases.keys()
    cells = [(name, name) for name in a.phases] if same else list(pairs(a.phases, b.phases))
    orders: Values = dict.fromkeys(names, 0.0)
    for i, j in cells:
        a_share, b_share = (1.0, 1.0) if same else (a_totals[i] / a_sum, b_totals[j] / b_sum)
        weight = _log_mean(a_totals[i] * b_share, b_totals[j] * a_share)
        weight = weight / _log_mean(a_sum, b_sum)
        for name in names:
            orders[name] = orders[name] + weight * np.log10(b.phases[j][name] / a.phases[i][name])
        orders[names[-1]] = orders[names[-1]] + weight * np.log10(a_share / b_share)
    return orders | {name: np.log10(b.whole[name] / a.whole[name]) for name in a.whole}


def _log_mean(x: Any, y: Any) -> Any:
    """(x - y) / (ln x - ln y), and x where they are equal."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    r = np.log(x / y)
    # expm1 keeps the digits that x - y loses where x and y are close
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.abs(r) < 1e-12, x, y * np.expm1(r) / r)


def _interval(orders: Any, point: float) -> tuple[float, float]:
    if np.ndim(orders) == 0 or np.ptp(orders) == 0:
        return point, point
    low, high = np.percentile(orders, [5, 95])
    # many facts that can only be larger put the value itself below the 5th percentile
    return min(float(low), point), max(float(high), point)


def _alone(a: Ledger, b: Ledger, draws: dict[FactKey, np.ndarray]) -> dict[str, float]:
    """The variance of the ratio's orders if only this fact varied, by the facts' names."""
    variances: dict[str, float] = {}
    for drawn, name in {key.drawn_as: f"{key.key} of {key.owner}" for key in draws}.items():
        # what is drawn once varies together, in both runs
        only = {key: draw for key, draw in draws.items() if key.drawn_as == drawn}
        ratio = _split(a.balance(only), b.balance(only))
        # two phases may give one key different values: the wider one speaks for the name
        variances[name] = max(variances.get(name, 0.0), float(np.var(sum(ratio.values()))))
    return variances


def _widest(variances: dict[str, float]) -> str | None:
    name = max(variances, key=lambda n: variances[n], default=None)
    return name if name is not None and variances[name] > 1e-18 else None
