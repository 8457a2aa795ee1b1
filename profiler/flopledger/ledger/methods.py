"""What a phase of training costs by its method: learning as a product, making data as a sum.

A *sample* is what one loss term is computed from, an *outcome* one distinct label that losses are
computed from: an image's, a token's, a game's result. docs/method.md has the table of both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

FLOPS_PER_PARAM = "forward FLOPs per parameter"
BACKWARD = "1 + backward ratio"
SAMPLES = "samples per position"
POSITIONS = "positions per outcome"
OUTCOMES = "outcomes"
GENERATING = "1 + generating / learning"

Accounting = Literal["all", "training"]
MethodName = Literal[
    "supervised", "self-play", "policy gradient", "generation", "fine-tuning", "distillation"
]
Values = dict[str, Any]  # numbers, or arrays of draws, by the names of factors or facts

# every fact's unit; a run's facts are these and no others
UNITS = {
    "images": "images",
    "examples": "examples",
    "tokens": "tokens",
    "sequences": "sequences",
    "tokens_per_sequence": "tokens per sequence",
    "masked_share": "share of the tokens",
    "epochs": "epochs",
    "games": "games",
    "plies_per_game": "plies per game",
    "simulations_per_move": "simulations per move",
    "evaluations_per_simulation": "evaluations per simulation",
    "root_evaluations": "evaluations per move",
    "actor_steps": "steps of actors",
    "rewards": "rewards",
    "steps_per_episode": "steps per episode",
    "reuse": "samples per actor step",
    "steps": "steps",
    "batch_size": "samples per step",
    "unroll": "positions per sample",
    "samples": "samples",
}
# those that count things: whole where somebody counted, while a derived one may be a mean
COUNTS = frozenset(
    {
        "images",
        "examples",
        "tokens",
        "sequences",
        "games",
        "actor_steps",
        "rewards",
        "steps",
        "samples",
    }
)
AT_LEAST_ONE = COUNTS | {
    "tokens_per_sequence", "plies_per_game", "steps_per_episode", "batch_size", "unroll",
    "simulations_per_move",
}  # fmt: skip
SHARES = frozenset({"masked_share"})
_STEPS = {"steps", "batch_size", "samples"}
_DATA = {
    "images",
    "examples",
    "tokens",
    "sequences",
    "tokens_per_sequence",
    "masked_share",
    "epochs",
}
_SEARCH = {
    "games",
    "plies_per_game",
    "simulations_per_move",
    "evaluations_per_simulation",
    "root_evaluations",
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """What was counted of a network; the numbers, or arrays of draws where networks are open.

    Attributes:
        params: parameters.
        forward_flops: of one sample as the network takes it: an image, a position, a sequence.
        backward_ratio: the backward pass's FLOPs over the forward's.
        tokens: of one such sample, where it is a sequence; 1 elsewhere.
    """

    params: Any
    forward_flops: Any
    backward_ratio: Any
    tokens: Any = 1


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a phase costs, in FLOP per parameter of its run.

    Attributes:
        learning: the factors of its gradient steps, whose product is their cost; None where it has
            none (it only generates), or where they are not known.
        known: whether its gradient steps are known; a phase that only generates knows it has none.
        generating: the cost of making its data.
    """

    learning: Values | None
    known: bool
    generating: Any


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to train.

    Attributes:
        needed: sets of facts, one of which a phase must have.
        allowed: facts that it may have.
        work: its cost, from the network, the run's parameters, the facts and, for distillation, the
            teacher.
        uses: the facts that each factor is made of.
    """

    needed: tuple[frozenset[str], ...]
    allowed: frozenset[str]
    work: Callable[[Network, Any, Values, Network | None], Work]
    uses: Mapping[str, tuple[str, ...]]


def trained_samples(fact: Values) -> Any | None:
    """Samples that gradients were computed from; None where the facts do not say."""
    if "samples" in fact:
        return fact["samples"]
    if "steps" in fact and "batch_size" in fact:
        return fact["steps"] * fact["batch_size"] * fact.get("unroll", 1.0)
    return None


def examples(fact: Values, network: Network) -> Any | None:
    """Distinct samples of a data set: images, or tokens; None where the facts do not say."""
    if "images" in fact or "examples" in fact:
        return fact["images"] if "images" in fact else fact["examples"]
    if "tokens" in fact:
        return fact["tokens"]
    if "sequences" in fact:
        return fact["sequences"] * fact.get("tokens_per_sequence", network.tokens)
    return None


def supervised(network: Network, params: Any, fact: Values, teacher: Network | None = None) -> Work:
    """A data set, epoch after epoch; a teacher's forward pass a sample is generating."""
    forward = network.forward_flops
    if _is_text(fact, network):
        forward = forward / fact.get("tokens_per_sequence", network.tokens)
    distinct, seen = examples(fact, network), trained_samples(fact)
    if distinct is None:  # without epochs, too, as if nothing was seen twice
        distinct = seen / fact.get("epochs", 1.0)
    epochs = fact["epochs"] if "epochs" in fact else seen / distinct
    masked = fact.get("masked_share", 1.0)
    learning = {
        FLOPS_PER_PARAM: forward / params,
        BACKWARD: 1 + network.backward_ratio,
        SAMPLES: epochs,
        POSITIONS: 1 / masked,
        OUTCOMES: distinct * masked,
    }
    generating = teacher.forward_flops * epochs * distinct / params if teacher else 0.0
    return Work(learning=learning, known=True, generating=generating)


def self_play(network: Network, params: Any, fact: Values, teacher: Network | None = None) -> Work:
    """Games of a network with its search against itself, and gradient steps on their positions."""
    forward, positions = network.forward_flops / params, fact["games"] * fact["plies_per_game"]
    search = fact["simulations_per_move"] * fact["evaluations_per_simulation"]
    generating = forward * positions * (search + fact.get("root_evaluations", 0.0))
    samples = trained_samples(fact)
    if samples is None:
        return Work(learning=None, known=False, generating=generating)
    learning = {
        FLOPS_PER_PARAM: forward,
        BACKWARD: 1 + network.backward_ratio,
        SAMPLES: samples / positions,
        POSITIONS: fact["plies_per_game"],
        OUTCOMES: fact["games"],
    }
    return Work(learning=learning, known=True, generating=generating)


def policy_gradient(
    network: Network, params: Any, fact: Values, teacher: Network | None = None
) -> Work:
    """Steps of actors, a forward pass each, and gradient steps on what they saw.

    An outcome is an episode's return, or a reward where rewards are counted. Without actor_steps
    the samples and their reuse say how many there were; where rewards say it, what acting costs
    stands in phases of its own.
    """
    forward, samples = network.forward_flops / params, trained_samples(fact)
    seen = _positions(fact, samples)
    if samples is None:
        samples = seen * fact["reuse"] if "reuse" in fact else None
    acting = 0.0 if "rewards" in fact and "actor_steps" not in fact else forward * seen
    if samples is None:
        return Work(learning=None, known=False, generating=acting)
    learning = {
        FLOPS_PER_PARAM: forward,
        BACKWARD: 1 + network.backward_ratio,
        SAMPLES: samples / seen,
        POSITIONS: fact["steps_per_episode"],
        OUTCOMES: seen / fact["steps_per_episode"],
    }
    return Work(learning=learning, known=True, generating=acting)


def _positions(fact: Values, samples: Any | None) -> Any:
    """The positions that actors were in."""
    if "actor_steps" in fact:
        return fact["actor_steps"]
    if "rewards" in fact:
        return fact["rewards"] * fact["steps_per_episode"]
    return samples / fact["reuse"]


def generation(network: Network, params: Any, fact: Values, teacher: Network | None = None) -> Work:
    """Data that another phase learns from: games, or one forward pass a sample."""
    if "games" in fact:
        played = self_play(network, params, fact)
        return Work(learning=None, known=True, generating=played.generating)
    forward = network.forward_flops / params
    return Work(learning=None, known=True, generating=forward * fact["samples"])


def _is_text(fact: Values, network: Network) -> bool:
    """Whether a sample is a token: of networks that take sequences, but of examples."""
    if "images" in fact or "examples" in fact:
        return False
    return "tokens" in fact or "sequences" in fact or bool(np.max(network.tokens) > 1)


_COUNTED = tuple(
    frozenset(facts)
    for facts in (
        {"images", "epochs"}, {"examples", "epochs"}, {"tokens", "epochs"},
        {"sequences", "epochs"}, {"samples"}, {"steps", "batch_size"},
    )
)  # fmt: skip
_SUPERVISED = Method(
    needed=_COUNTED,
    allowed=frozenset(_DATA | _STEPS),
    work=supervised,
    uses={
        SAMPLES: ("epochs",),
        POSITIONS: ("masked_share",),
        OUTCOMES: ("images", "examples", "tokens", "sequences", "tokens_per_sequence", "samples",
                   "steps", "batch_size"),
    },
)  # fmt: skip
METHODS: dict[MethodName, Method] = {
    "supervised": _SUPERVISED,
    "fine-tuning": _SUPERVISED,
    "distillation": _SUPERVISED,
    "self-play": Method(
        needed=(frozenset(_SEARCH - {"root_evaluations"}),),
        allowed=frozenset(_SEARCH | _STEPS | {"unroll"}),
        work=self_play,
        uses={
            SAMPLES: ("steps", "batch_size", "unroll", "samples"),
            POSITIONS: ("plies_per_game",),
            OUTCOMES: ("games",),
            GENERATING: ("simulations_per_move", "evaluations_per_simulation", "root_evaluations"),
        },
    ),
    "policy gradient": Method(
        needed=(
            frozenset({"actor_steps", "steps_per_episode"}),
            frozenset({"rewards", "steps_per_episode"}),
            frozenset({"reuse", "samples", "steps_per_episode"}),
            frozenset({"reuse", "steps", "batch_size", "steps_per_episode"}),
        ),
        allowed=frozenset(
            {"actor_steps", "rewards", "steps_per_episode", "reuse", "unroll"} | _STEPS
        ),
        work=policy_gradient,
        uses={
            SAMPLES: ("reuse", "steps", "batch_size", "unroll", "samples"),
            POSITIONS: ("steps_per_episode",),
            OUTCOMES: ("rewards", "actor_steps", "samples", "steps", "batch_size", "reuse"),
            GENERATING: ("actor_steps",),
        },
    ),
    "generation": Method(
        needed=(frozenset(_SEARCH - {"root_evaluations"}), frozenset({"samples"})),
        allowed=frozenset(_SEARCH | {"samples"}),
        work=generation,
        uses={GENERATING: (*sorted(_SEARCH), "samples")},
    ),
}
