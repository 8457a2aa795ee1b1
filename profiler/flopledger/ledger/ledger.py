"""Ledger: a run's compute per parameter as a product of factors; compare() splits two of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import mul
from typing import Any

from flopledger.errors import WrongOption
from flopledger.ledger.quantity import Kind, Quantity, weakest
from flopledger.ledger.training_run import Phase, TrainingRun
from flopledger.storage.facts import BadFacts

COMPUTE = "training FLOP per parameter"

FLOPS_PER_PARAM = "forward FLOPs per parameter"
PASSES = "passes per position"
POSITIONS = "positions per episode"
EPISODES = "episodes"

Values = dict[str, Any]  # a factor's value, or an array of its draws, by its name
Phases = dict[str, Values]  # by the phases' names


@dataclass(frozen=True)
class FactKey:
    """A fact of a run; what has equal draws has an equal `drawn_as`.

    Attributes:
        owner: the run's name, or the name under which several runs share the fact.
        key: "games".
        fact: the quantity itself.
        shared: whether other runs' facts of this owner and key are uncertain together with it.
    """

    owner: str
    key: str
    fact: Quantity
    shared: bool

    @property
    def drawn_as(self) -> tuple[object, ...]:
        """What is drawn once: the fact, or the shared name of several."""
        return (self.owner, self.key) if self.shared else (self.owner, self.key, self.fact)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the profiler measured of a network.

    Attributes:
        model: its name in the zoo.
        params: trainable parameters.
        forward_flops: of one sample.
        backward_ratio: the backward pass's FLOPs over the forward's.
    """

    model: str
    params: int
    forward_flops: float
    backward_ratio: float


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One factor of a ledger.

    Attributes:
        name: one of the four of the identity.
        value: over all phases; the factors' product is the total.
        kind: the weakest of the kinds of what it is made of.
        source: where its facts come from.
    """

    name: str
    value: float
    kind: Kind
    source: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Ledger:
    """A run's training compute per parameter, in FLOP, or its hours, by factors and phases.

    Attributes:
        run: the run's name.
        quantity: what `total` is.
        params: parameters of the networks that the run ended with; None where they are not known.
        factors: in the identity's order; they multiply to `total`.
        phases: each phase's factors by name; their products add up to `total`.
        facts: the facts that have an interval.
        published: (source, FLOP per parameter) of each published total.
        evaluate: the phases' factors for given values of facts.
    """

    run: str
    quantity: str
    params: int | None
    factors: tuple[Factor, ...]
    phases: Phases
    facts: tuple[FactKey, ...]
    published: tuple[tuple[str, float], ...]
    evaluate: Callable[[Mapping[FactKey, Any]], Phases]

    def __repr__(self) -> str:
        factors = "\n".join(f"  {factor.value:.4g}  {factor.name}" for factor in self.factors)
        return f"{self.run}: {self.total:.4g} {self.quantity} =\n{factors}"

    @property
    def total(self) -> float:
        """Of the quantity: FLOP per parameter, or hours."""
        return float(sum(prod(phase.values()) for phase in self.phases.values()))

    @property
    def total_flops(self) -> float:
        """FLOP of the whole run, where the quantity is FLOP per parameter.

        Raises:
            WrongOption: the quantity is another one.
        """
        if self.quantity != COMPUTE or self.params is None:
            raise WrongOption(
                f"{self.run} has no FLOP in a ledger of {self.quantity}; use ledger_of"
            )
        return self.total * self.params


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """A run's phases' factors for given values of its facts; unlike a closure, it pickles."""

    run: TrainingRun
    measurements: Mapping[str, Measured]
    params: int

    def __call__(self, given: Mapping[FactKey, Any]) -> Phases:
        return {
            phase.name: _phase_values(
                phase,
                self.measurements[phase.network],
                self.params,
                _facts(self.run, phase, given),
            )
            for phase in self.run.phases
        }


def build_ledger(run: TrainingRun, measurements: Mapping[str, Measured]) -> Ledger:
    """The identity of a run, with what was measured of its networks.

    compute per parameter = (forward FLOPs per parameter and pass) x (forward-equivalent passes per
    position) x (positions per episode) x (episodes), summed over the run's phases.

    Supervised: an episode is one image or sequence, its passes are the forward and the measured
    backward. Self-play: an episode is a game; a position's passes are the search's evaluations
    (simulations x evaluations per simulation, and the root's), and its share of the gradient steps.

    Args:
        run: its facts.
        measurements: of the networks that `run.networks` and its phases' `network` name.

    Raises:
        BadFacts: a network of the run was not measured.
    """
    _check_measured(run, measurements)
    params = sum(measurements[network].params for network in run.networks)

    needed = (*run.networks, *(phase.network for phase in run.phases))
    evaluate = _Identity(
        run=run,
        measurements={network: measurements[network] for network in needed},
        params=params,
    )
    phases = evaluate({})
    uncertain = dict.fromkeys(
        _fact_key(run, phase, key)
        for phase in run.phases
        for key, fact in phase.facts.items()
        if fact.low is not None
    )
    return Ledger(
        run=run.name,
        quantity=COMPUTE,
        params=params,
        factors=_factors(run, measurements, phases),
        phases=phases,
        facts=tuple(uncertain),
        published=tuple((total.source, total.value / params) for total in run.published),
        evaluate=evaluate,
    )


def _check_measured(run: TrainingRun, measurements: Mapping[str, Measured]) -> None:
    known = {name.partition(" ")[0] for name in measurements}
    for model in run.needed_models:
        if model not in known:
            key = "model" if model in run.models else "phases.model"
            raise BadFacts(
                f"{run.file}: [{key}] no model of the zoo is called {model!r}; "
                "flopledger profile --list shows the names"
            )
    for network in (*run.networks, *(phase.network for phase in run.phases)):
        if network not in measurements:
            raise BadFacts(
                f"{run.file}: [phases.input] {network} was not measured; measure it there"
            )


def _facts(run: TrainingRun, phase: Phase, given: Mapping[FactKey, Any]) -> Values:
    return {
        key: given.get(_fact_key(run, phase, key), fact.value) for key, fact in phase.facts.items()
    }


def _fact_key(run: TrainingRun, phase: Phase, key: str) -> FactKey:
    owner = phase.shared.get(key, run.name)
    return FactKey(owner, key, phase.facts[key], shared=key in phase.shared)


def _phase_values(phase: Phase, network: Measured, params: int, fact: Values) -> Values:
    """One phase's factors; `fact` holds numbers or arrays of draws, and so do the factors."""
    training = 1 + network.backward_ratio  # a forward and its backward, in forward passes
    episodes = reduce(mul, (fact[key] for key in _episode_keys(phase)))
    if phase.method == "supervised":
        passes, positions = training, 1.0
    else:
        positions = fact["plies_per_game"]
        evaluations = fact["simulations_per_move"] * fact["evaluations_per_simulation"]
        gradient = fact.get("steps", 0.0) * fact.get("batch_size", 0.0) * training
        passes = fact.get("root_evaluations", 0.0) + evaluations + gradient / positions / episodes
    return {
        FLOPS_PER_PARAM: network.forward_flops / params,
        PASSES: passes,
        POSITIONS: positions,
        EPISODES: episodes,
    }


def _episode_keys(phase: Phase) -> tuple[str, ...]:
    """The facts whose product counts the phase's episodes."""
    if phase.method == "self-play":
        return ("games",)
    counted = [(what, "epochs") for what in ("images", "sequences") if what in phase.facts]
    return counted[0] if counted and "epochs" in phase.facts else ("samples",)


def _used(phase: Phase) -> dict[str, tuple[str, ...]]:
    """The facts that each factor of a phase is made of."""
    if phase.method == "supervised":  # its steps only say its samples a second way
        return {EPISODES: _episode_keys(phase)}
    search = ("simulations_per_move", "evaluations_per_simulation", "root_evaluations")
    # the gradient steps are shared out over the positions of all games
    gradient = ("steps", "batch_size")
    return {
        PASSES: search + gradient,
        POSITIONS: ("plies_per_game",),
        EPISODES: _episode_keys(phase),
    }


def _factors(
    run: TrainingRun, measurements: Mapping[str, Measured], phases: Phases
) -> tuple[Factor, ...]:
    values = aggregate(phases.values())
    models = dict.fromkeys(phase.network for phase in run.phases)
    made_of: dict[str, list[tuple[Kind, str]]] = {
        FLOPS_PER_PARAM: [("measured", f"profile of {model}") for model in models],
        PASSES: [("measured", f"backward pass of {model}") for model in models],
    }
    for phase in run.phases:
        for name, keys in _used(phase).items():
            facts = [phase.facts[key] for key in keys if key in phase.facts]
            made_of.setdefault(name, []).extend((fact.kind, fact.source) for fact in facts)
    # a supervised example is one position by definition
    made_of.setdefault(POSITIONS, [("derived", "an example is one position")])
    return tuple(
        Factor(
            name=name,
            value=float(value),
            kind=weakest(*(kind for kind, _ in made_of[name])),
            source="; ".join(dict.fromkeys(source for _, source in made_of[name])),
        )
        for name, value in values.items()
    )


def aggregate(phases: Iterable[Values]) -> Values:
    """The phases' factors as one set whose product is the sum of the phases' products.

    The last factor (episodes) is summed; each other one is the mean over what the later ones count.
    """
    phases = list(phases)
    names = list(phases[0])
    values, below = {}, 1.0
    for index in range(len(names) - 1, -1, -1):
        here = sum(reduce(mul, (phase[name] for name in names[index:])) for phase in phases)
        values[names[index]] = here / below
        below = here
    return {name: values[name] for name in names}
