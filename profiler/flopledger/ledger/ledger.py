"""Ledger: a run's compute per parameter, or its hours, as a product of factors."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import reduce
from operator import mul
from typing import Any

from flopledger.errors import WrongOption
from flopledger.ledger.methods import (
    Accounting,
    Values,
)
from flopledger.ledger.quantity import Choice, Kind, Quantity

COMPUTE = "training FLOP per parameter"

Phases = dict[str, Values]  # factors by the phases' names


@dataclass(frozen=True)
class FactKey:
    """A fact of a run, or its choice of networks; what has equal draws has an equal `drawn_as`.

    Attributes:
        owner: the run's name, or the name under which several runs share the fact.
        key: "games"; "model" for the choice.
        fact: the quantity, or the choice.
        shared: whether other runs' facts of this owner and key are uncertain together with it.
    """

    owner: str
    key: str
    fact: Quantity | Choice
    shared: bool

    @property
    def drawn_as(self) -> tuple[object, ...]:
        """What is drawn once: the fact, or the shared name of several."""
        return (self.owner, self.key) if self.shared else (self.owner, self.key, self.fact)


Given = Mapping[FactKey, Any]  # values, or arrays of draws, in place of the facts' own


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One factor of a ledger.

    Attributes:
        name: one of the identity's.
        value: over all phases; the factors' product is the total.
        kind: the weakest of the kinds of what it is made of.
        source: where its facts come from.
    """

    name: str
    value: float
    kind: Kind
    source: str


@dataclass(frozen=True, kw_only=True)
class PublishedTotal:
    """A total that somebody printed, in the ledger's quantity.

    Attributes:
        source: who, and where.
        value: FLOP per parameter.
        accounting: whether it holds data generation, or gradient steps only.
        as_of: the day it was published, or its table was downloaded.
        url: where it stands; None if it is from memory.
        retrieved: the day it was read again; None if it was not.
    """

    source: str
    value: float
    accounting: Accounting
    as_of: date | None
    url: str | None
    retrieved: date | None

    def as_object(self) -> dict[str, Any]:
        """Plain values; days as texts."""
        days = {"as_of": self.as_of, "retrieved": self.retrieved}
        return asdict(self) | {name: day.isoformat() if day else None for name, day in days.items()}


@dataclass(frozen=True, kw_only=True)
class RestsOn:
    """A fact that a ledger rests on, and where it stands.

    Attributes:
        run: the run's name.
        fact: its key: "games".
        value: in the key's unit.
        kind: measured, cited, derived or assumed.
        source: paper and section, or how or why.
        url: where it stands; None if it is from memory, or no citation.
        retrieved: the day it was read there again.
    """

    run: str
    fact: str
    value: float
    kind: Kind
    source: str
    url: str | None
    retrieved: date | None

    def as_object(self) -> dict[str, Any]:
        """Plain values; the day as text."""
        return asdict(self) | {"retrieved": self.retrieved.isoformat() if self.retrieved else None}


@dataclass(frozen=True, kw_only=True)
class Balance:
    """A ledger's factors for given values of its facts.

    Attributes:
        phases: each phase's own factors; their products add up.
        whole: factors of the whole run, which multiply that sum.
    """

    phases: Phases
    whole: Values

    @property
    def total(self) -> Any:
        """The sum of the phases' products, times the whole run's factors."""
        return sum(map(product, self.phases.values())) * product(self.whole)

    @property
    def factors(self) -> Values:
        """One set of factors whose product is the total."""
        return aggregate(self.phases.values()) | self.whole


@dataclass(frozen=True, kw_only=True, repr=False)
class Ledger:
    """A run's training compute per parameter, in FLOP, or its hours, by factors and phases.

    Attributes:
        run: the run's name.
        quantity: what `total` is.
        accounting: of FLOP: all of them, or those of gradient steps only.
        params: parameters of the networks that the run ended with; None where they are not known.
        factors: in the identity's order; they multiply to `total`. None where the run's gradient
            steps are not known.
        generating: FLOP per parameter that made data, under either accounting.
        outcomes: distinct labels that losses were computed from, those of each phase by itself;
            None where not known.
        facts: the facts that are uncertain.
        published: totals somebody printed that follow this accounting.
        rests_on: its facts, with where they stand; of hours none.
        balance: the factors for given values of facts.
    """

    run: str
    quantity: str
    accounting: Accounting = "all"
    params: int | None
    factors: tuple[Factor, ...]
    generating: float = 0.0
    outcomes: float | None = None
    facts: tuple[FactKey, ...] = ()
    published: tuple[PublishedTotal, ...] = ()
    rests_on: tuple[RestsOn, ...] = ()
    balance: Callable[[Given], Balance]

    def __repr__(self) -> str:
        if self.total is None:
            return f"{self.run}: at least {self.generating:.4g} {self.quantity}, not split"
        factors = "\n".join(f"  {factor.value:.4g}  {factor.name}" for factor in self.factors)
        return f"{self.run}: {self.total:.4g} {self.quantity} =\n{factors}"

    @property
    def split(self) -> bool:
        """Whether it has factors: not where a run's gradient steps are unknown."""
        return bool(self.factors)

    @property
    def total(self) -> float | None:
        """FLOP per parameter, or hours; None where the gradient steps are not known.

        Under "all" an unknown run still has `generating`, which is the least that it took.
        """
        return float(self.balance({}).total) if self.split else None

    @property
    def total_flops(self) -> float | None:
        """FLOP of the whole run, where the quantity is FLOP per parameter; None as `total`.

        Raises:
            WrongOption: the quantity is another one.
        """
        if self.quantity != COMPUTE or self.params is None:
            raise WrongOption(
                f"{self.run} has no FLOP in a ledger of {self.quantity}; use ledger_of"
            )
        return None if self.total is None else self.total * self.params

    @property
    def phases(self) -> Phases:
        """Each phase's factors of learning, by its name."""
        return self.balance({}).phases if self.split else {}

    def factor(self, name: str) -> float:
        """A factor's value.

        Raises:
            KeyError: it has none of that name.
        """
        return {factor.name: factor.value for factor in self.factors}[name]


def product(factors: Values) -> Any:
    """Of a set of factors; 1 of none."""
    return reduce(mul, factors.values(), 1.0)


def aggregate(phases: Iterable[Values]) -> Values:
    """The phases' factors as one set whose product is the sum of the phases' products.

    The last factor (outcomes) is summed; each other one is the mean over what the later ones count.
    """
    phases = list(phases)
    names = list(phases[0])
    values, below = {}, 1.0
    for index in range(len(names) - 1, -1, -1):
        here = sum(reduce(mul, (phase[name] for name in names[index:])) for phase in phases)
        values[names[index]] = here / below
        below = here
    return {name: values[name] for name in names}
