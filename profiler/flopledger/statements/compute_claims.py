"""Measures: what claims are held against, one plain function over profiles and ledgers each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log10
from statistics import median

from flopledger.ledger.ledger import EPISODES, FLOPS_PER_PARAM, PASSES, POSITIONS, Ledger
from flopledger.profiles.tables import Profile
from flopledger.statements.evidence import Evidence

# the published versions of AlphaZero, which the claims do not tell apart
VERSIONS = ("alphazero-chess", "alphazero-shogi", "alphazero-go-preprint", "alphazero-go-science")


@dataclass(frozen=True)
class Measurement:
    """What a measure found.

    Attributes:
        value: in the claim's unit; None where it cannot be known.
        reason: one line with the figures it rests on.
        otherwise: what another convention, named, would give.
    """

    value: float | None
    reason: str
    otherwise: Mapping[str, float] = field(default_factory=dict)


Measure = Callable[[Evidence], Measurement]
measures: dict[str, Measure] = {}


def measure(function: Measure) -> Measure:
    """Register the decorated function as a measure that claims may name."""
    measures[function.__name__] = function
    return function


def _factor_of(ledger: Ledger, name: str) -> float:
    return next(factor.value for factor in ledger.factors if factor.name == name)


def _versions(evidence: Evidence, orders: Callable[[Ledger], float]) -> dict[str, float]:
    return {name: orders(evidence.ledgers[name]) for name in VERSIONS}


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name.removeprefix('alphazero-')} {v:.2f}" for name, v in values.items())


def _per_param(profile: Profile) -> tuple[float, float]:
    """FLOPs and MACs per parameter."""
    flops = profile.totals.flops_per_param
    assert flops is not None  # every network of a claim has trainable parameters
    return flops, flops / 2


@measure
def alphazero_over_alexnet(evidence: Evidence) -> Measurement:
    """Orders of training compute per parameter: the median of AlphaZero's published versions."""
    alexnet = evidence.ledgers["alexnet"].total
    found = _versions(evidence, lambda ledger: log10(ledger.total / alexnet))
    return Measurement(
        value=median(found.values()), reason=f"the median of four versions: {_listed(found)}"
    )


@measure
def horizon_orders(evidence: Evidence) -> Measurement:
    """Orders of positions that share one outcome, over AlexNet's one image a label."""
    alexnet = _factor_of(evidence.ledgers["alexnet"], POSITIONS)
    found = _versions(evidence, lambda ledger: log10(_factor_of(ledger, POSITIONS) / alexnet))
    return Measurement(
        value=median(found.values()),
        reason=f"positions that share one outcome, in orders: {_listed(found)}",
    )


@measure
def alexnet_flops_per_param(evidence: Evidence) -> Measurement:
    """AlexNet's forward FLOPs per parameter, and its MACs."""
    flops, macs = _per_param(evidence.profiles["alexnet"])
    return Measurement(
        value=flops,
        reason=f"{flops:.2f} FLOP are {macs:.2f} MAC per parameter",
        otherwise={"MACs called FLOPs": macs},
    )


@measure
def alexnet_small_layers_share(evidence: Evidence) -> Measurement:
    """The share of parameters in linear layers and in convolutions with at most 5 x 5 weights."""
    profile = evidence.profiles["alexnet"]
    whole = profile.totals.params
    linear = conv = 0.0
    kernels = {call.path: call.inputs[1][2:] for call in profile.calls if "convolution" in call.op}
    for layer in profile.modules:
        if layer.kind == "linear":
            linear += layer.params
        elif layer.path in kernels and max(kernels[layer.path]) <= 5:
            conv += layer.params
    return Measurement(
        value=(linear + conv) / whole,
        reason=f"{linear / whole:.1%} in linear layers (2 FLOP per parameter), {conv / whole:.1%} "
        "in convolutions of 5 x 5 and 3 x 3",
    )


@measure
def alphazero_go_flops_per_param(evidence: Evidence) -> Measurement:
    """FLOPs per parameter of the 19 x 19 network, and what chess's has instead."""
    flops, macs = _per_param(evidence.profiles["alphazero-go"])
    chess, _ = _per_param(evidence.profiles["alphazero-chess"])
    return Measurement(
        value=flops,
        reason=f"{flops:.0f} FLOP (2 x 361 if every weight were a 3 x 3 kernel's) are {macs:.0f} "
        f"MAC on Go's {_board(evidence, 'alphazero-go')} board; chess has {chess:.0f} FLOP on "
        f"{_board(evidence, 'alphazero-chess')}",
        otherwise={"MACs": macs},
    )


@measure
def flops_per_param_ratio(evidence: Evidence) -> Measurement:
    """AlphaZero's FLOPs per parameter over AlexNet's, in one unit, on Go's board."""
    go, _ = _per_param(evidence.profiles["alphazero-go"])
    chess, _ = _per_param(evidence.profiles["alphazero-chess"])
    flops, macs = _per_param(evidence.profiles["alexnet"])
    return Measurement(
        value=go / flops,
        reason=f"{go:.0f} / {flops:.2f} FLOP for Go, {chess:.0f} / {flops:.2f} for chess "
        f"({chess / flops:.1f})",
        otherwise={f"Go's FLOPs over AlexNet's MACs ({go / macs:.0f})": go / macs},
    )


@measure
def convolutions_and_game_length(evidence: Evidence) -> Measurement:
    """Orders of FLOPs per parameter times positions per episode, over AlexNet's."""
    alexnet = _factor_of(evidence.ledgers["alexnet"], FLOPS_PER_PARAM)
    found = _versions(
        evidence,
        lambda one: log10(_factor_of(one, FLOPS_PER_PARAM) / alexnet * _factor_of(one, POSITIONS)),
    )
    return Measurement(
        value=median(found.values()),
        reason=f"orders by version: {_listed(found)}",
        otherwise={name.removeprefix("alphazero-"): value for name, value in found.items()},
    )


@measure
def alexnet_images(evidence: Evidence) -> Measurement:
    """Images times epochs."""
    facts = evidence.facts["alexnet"]
    images, epochs = facts["images"], facts["epochs"]
    return Measurement(
        value=images * epochs, reason=f"{epochs:.0f} epochs of {images / 1e6:.1f} million images"
    )


@measure
def alphazero_chess_games(evidence: Evidence) -> Measurement:
    """Games of self-play, and the board they were played on."""
    chess, _ = _per_param(evidence.profiles["alphazero-chess"])
    games = {name: evidence.facts[name]["games"] for name in VERSIONS}
    go = ", ".join(f"{games[name] / 1e6:.0f}M" for name in VERSIONS if "-go-" in name)
    return Measurement(
        value=games["alphazero-chess"],
        reason=f"on a board of {_board(evidence, 'alphazero-chess')}, at {chess:.0f} FLOP per "
        f"parameter; Go, on {_board(evidence, 'alphazero-go')}, was {go}",
    )


@measure
def games_per_image(evidence: Evidence) -> Measurement:
    """AlphaZero's games of chess for each image that AlexNet saw."""
    games = _factor_of(evidence.ledgers["alphazero-chess"], EPISODES)
    images = _factor_of(evidence.ledgers["alexnet"], EPISODES)
    return Measurement(
        value=games / images,
        reason=f"{games / 1e6:.0f} million games, {images / 1e6:.0f} million images seen",
    )


@measure
def passes_per_game(evidence: Evidence) -> Measurement:
    """Forward-equivalent passes of one game of chess."""
    ledger = evidence.ledgers["alphazero-chess"]
    move, moves = _factor_of(ledger, PASSES), _factor_of(ledger, POSITIONS)
    alexnet = _factor_of(evidence.ledgers["alexnet"], PASSES)
    each = next(one.fact for one in ledger.facts if one.key == "evaluations_per_simulation")
    simulations = evidence.facts["alphazero-chess"]["simulations_per_move"]
    return Measurement(
        value=move * moves,
        reason=f"{move:.0f} a move and {moves:.0f} moves a game; {simulations:.0f} simulations ask "
        f"for {each.value:.3f} evaluations each ({each.kind}; {each.low} to {each.high}); beside "
        f"AlexNet's {alexnet:.1f} passes an image that is {log10(move / alexnet):.1f} orders",
    )


@measure
def alphago_over_the_rest(evidence: Evidence) -> Measurement:
    """AlphaGo Zero's training compute over the largest of a system that plays no Go."""
    go = max((s for s in evidence.systems if s.family == "alphago"), key=lambda s: s.flops)
    rest = max((s for s in evidence.systems if s.family != "alphago"), key=lambda s: s.flops)
    return Measurement(
        value=go.flops / rest.flops,
        reason=f"{go.name} {go.flops:.2e} FLOP, next {rest.name} {rest.flops:.2e}, of the systems "
        "of AI and Compute",
    )


def _board(evidence: Evidence, model: str) -> str:
    return " x ".join(map(str, evidence.profiles[model].inputs[0].shape[2:]))
