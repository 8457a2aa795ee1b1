"""The identity: a run's compute per parameter as learning's factors, and what made its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flopledger.ledger.ledger import (
    COMPUTE,
    Balance,
    FactKey,
    Factor,
    Given,
    Ledger,
    PublishedTotal,
    RestsOn,
    product,
)
from flopledger.ledger.methods import (
    BACKWARD,
    FLOPS_PER_PARAM,
    GENERATING,
    METHODS,
    OUTCOMES,
    POSITIONS,
    SAMPLES,
    Accounting,
    Network,
    Values,
    Work,
)
from flopledger.ledger.quantity import Kind, product_range, weakest
from flopledger.ledger.training_run import Phase, TrainingRun
from flopledger.storage.facts import BadFacts

# facts that count the tokens of sequences, and others that count the same
_SAME_TEXT = (
    (("sequences",), ("tokens",)),
    (("sequences", "epochs"), ("samples",)),
    (("sequences", "epochs"), ("steps", "batch_size")),
)
_ROUNDING = 1.05  # of printed numbers


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was counted of a network.

    Attributes:
        model: its name.
        params: trainable parameters.
        forward_flops: of one sample as the network takes it.
        backward_ratio: the backward pass's FLOPs over the forward's.
        tokens: of one such sample, where it is a sequence of tokens; 1 elsewhere.
        all_tokens: of such a sample's sequences together: an encoder's and a decoder's.
    """

    model: str
    params: int
    forward_flops: float
    backward_ratio: float
    tokens: int = 1
    all_tokens: int = 1


def build_ledger(
    run: TrainingRun, measurements: Mapping[str, Measured], accounting: Accounting = "all"
) -> Ledger:
    """The identity of a run, with what was counted of its networks.

    compute per parameter = (forward FLOPs per parameter and sample) x (1 + backward ratio) x
    (samples per position) x (positions per outcome) x (outcomes) x (1 + generating / learning)

    The first five are learning's; phases add up. Generating is all that made data, over all that
    learned from it; under the accounting "training" that factor is left out.

    Args:
        run: its facts.
        measurements: of the networks that `run.needed` names.
        accounting: "all" compute, or "training": gradient steps only.

    Raises:
        BadFacts: a network of the run was not measured.
    """
    _check_measured(run, measurements)
    _check_tokens(run, measurements)
    needed = {network: measurements[network] for network in run.needed}
    balance = _Identity(run=run, measurements=needed, accounting=accounting)
    works = _works(run, measurements, {})
    learning = [work.learning for work in works.values() if work.learning is not None]
    known = bool(learning) and all(work.known for work in works.values())
    at = balance({}) if known else None
    params = _params(run, measurements, _choice_of(run, {}))
    return Ledger(
        run=run.name,
        quantity=COMPUTE,
        accounting=accounting,
        params=int(params),
        factors=() if at is None else _factors(run, at),
        generating=float(sum(work.generating for work in works.values())),
        outcomes=float(sum(work[OUTCOMES] for work in learning)) if known else None,
        facts=_uncertain(run),
        published=tuple(
            PublishedTotal(
                source=total.quantity.source,
                value=float(total.quantity.value / params),
                accounting=total.accounting,
                as_of=total.as_of,
                url=total.quantity.url,
                retrieved=total.quantity.retrieved,
            )
            for total in run.published
            if total.accounting == accounting
        ),
        rests_on=_rests_on(run),
        balance=balance,
    )


def _rests_on(run: TrainingRun) -> tuple[RestsOn, ...]:
    """The facts of all phases, once where several share them."""
    facts = [
        RestsOn(
            run=run.name,
            fact=key,
            value=fact.value,
            kind=fact.kind,
            source=fact.source,
            url=fact.url,
            retrieved=fact.retrieved,
        )
        for phase in run.phases
        for key, fact in phase.facts.items()
    ]
    return tuple(dict.fromkeys(facts))


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """A run's balance for given values of its facts; unlike a closure, it pickles.

    Attributes:
        run: its facts.
        measurements: of the networks that it needs.
        accounting: whether generating is a factor.
    """

    run: TrainingRun
    measurements: dict[str, Measured]
    accounting: Accounting

    def __call__(self, given: Given) -> Balance:
        works = _works(self.run, self.measurements, given)
        phases = {name: work.learning for name, work in works.items() if work.learning is not None}
        if self.accounting == "training":
            return Balance(phases=phases, whole={})
        generating = sum(work.generating for work in works.values())
        learning = sum(map(product, phases.values()))
        return Balance(phases=phases, whole={GENERATING: 1 + generating / learning})


def _works(run: TrainingRun, measurements: Mapping[str, Measured], given: Given) -> dict[str, Work]:
    choice = _choice_of(run, given)
    params = _params(run, measurements, choice)
    return {
        phase.name: METHODS[phase.method].work(
            _network([measurements[name] for name in run.networks_of(phase)], choice),
            params,
            _facts(run, phase, given),
            _network([measurements[phase.teacher]], 0) if phase.teacher else None,
        )
        for phase in run.phases
    }


def _choice_key(run: TrainingRun) -> FactKey | None:
    if run.choice is None:
        return None
    return FactKey(run.choice_shared or run.name, "model", run.choice, bool(run.choice_shared))


def _choice_of(run: TrainingRun, given: Given) -> Any:
    """Which of the alternatives a run trained: a place, or an array of places."""
    key = _choice_key(run)
    return 0 if key is None else given.get(key, key.fact.value)


def _params(run: TrainingRun, measurements: Mapping[str, Measured], choice: Any) -> Any:
    sums = [sum(measurements[name].params for name in names) for names in run.networks]
    return np.asarray(sums, dtype=float)[choice]


def _network(measured: list[Measured], choice: Any) -> Network:
    """What was counted of the chosen one; of a phase's own network there is no choice."""
    place = choice if len(measured) > 1 else 0
    return Network(
        params=np.asarray([network.params for network in measured], dtype=float)[place],
        forward_flops=np.asarray([network.forward_flops for network in measured])[place],
        backward_ratio=np.asarray([network.backward_ratio for network in measured])[place],
        tokens=np.asarray([network.tokens for network in measured])[place],
    )


def _check_measured(run: TrainingRun, measurements: Mapping[str, Measured]) -> None:
    for network in run.needed:
        if network not in measurements:
            raise BadFacts(f"{run.file}: {network} was not measured; measure it there")


def _check_tokens(run: TrainingRun, measurements: Mapping[str, Measured]) -> None:
    """What is said of a text must agree with the length of the sequences that were counted."""
    for phase in run.phases:
        facts, network = phase.facts, measurements[run.networks_of(phase)[0]]
        length = facts.get("tokens_per_sequence")
        if length is not None and network.tokens > 1:
            most = max(network.tokens, network.all_tokens)
            if length.ends[1] * _ROUNDING < network.tokens or length.ends[0] > most * _ROUNDING:
                raise BadFacts(
                    f"{run.file}: [tokens_per_sequence] is {length.value:g}, but the network is "
                    f"counted at {network.tokens} tokens; give input, of the length it trained at"
                )
        each = network.tokens if length is None else length.value
        for ours, theirs in _SAME_TEXT:
            if {*ours, *theirs} <= facts.keys():
                low, value, high = product_range(facts[key] for key in ours)
                other_low, other, other_high = product_range(facts[key] for key in theirs)
                if max(low * each / other_high, other_low / (high * each)) > _ROUNDING:
                    raise BadFacts(
                        f"{run.file}: [{'] x ['.join(theirs)}] is {other:g}, but the "
                        f"{' x '.join(ours)} of {each:g} tokens are {value * each:g}; mend the "
                        "wrong one"
                    )


def _facts(run: TrainingRun, phase: Phase, given: Given) -> Values:
    return {
        key: given.get(_fact_key(run, phase, key), fact.value) for key, fact in phase.facts.items()
    }


def _fact_key(run: TrainingRun, phase: Phase, key: str) -> FactKey:
    owner = phase.shared.get(key, run.name)
    return FactKey(owner, key, phase.facts[key], shared=key in phase.shared)


def _uncertain(run: TrainingRun) -> tuple[FactKey, ...]:
    keys = [
        _fact_key(run, phase, key)
        for phase in run.phases
        for key, fact in phase.facts.items()
        if fact.uncertain
    ]
    choice = _choice_key(run)
    return tuple(dict.fromkeys([*keys, *([choice] if choice else [])]))


def _factors(run: TrainingRun, balance: Balance) -> tuple[Factor, ...]:
    made_of = _made_of(run)
    return tuple(
        Factor(
            name=name,
            value=float(value),
            kind=weakest(*(kind for kind, _ in made_of[name])),
            source="; ".join(dict.fromkeys(source for _, source in made_of[name])),
        )
        for name, value in balance.factors.items()
    )


def _made_of(run: TrainingRun) -> dict[str, list[tuple[Kind, str]]]:
    """What each factor rests on: kinds and sources."""
    counted = list(dict.fromkeys(name for p in run.phases for name in run.networks_of(p)))
    made_of: dict[str, list[tuple[Kind, str]]] = {
        FLOPS_PER_PARAM: [("measured", f"profile of {name}") for name in counted],
        BACKWARD: [("measured", f"backward pass of {name}") for name in counted],
    }
    if run.choice is not None:
        made_of[FLOPS_PER_PARAM].append((run.choice.kind, run.choice.source))
    for phase in run.phases:
        for name, keys in METHODS[phase.method].uses.items():
            facts = [phase.facts[key] for key in keys if key in phase.facts]
            made_of.setdefault(name, []).extend((fact.kind, fact.source) for fact in facts)
    defaults: dict[str, tuple[Kind, str]] = {
        SAMPLES: ("derived", "as if nothing was seen twice"),
        POSITIONS: ("derived", "an example is one position"),
        GENERATING: ("derived", "nothing generates data"),
    }
    for name, default in defaults.items():
        if not made_of.get(name):
            made_of[name] = [default]
    return made_of
