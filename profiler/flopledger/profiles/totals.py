"""Totals: what the operator calls and layers of one pass add up to."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Literal

from flopledger.calls import Layer, OpCall

Optimiser = Literal[
    "sgd", "momentum", "adam", "adamw", "adam8bit", "adamw8bit", "lion", "rmsprop", "adagrad",
    "adafactor", "adafactor-momentum",
]  # fmt: skip

# FLOPs a parameter, from the algorithms in the documentation of torch.optim, without weight decay:
# SGD's p - lr g; momentum's m = mu m + g before it; Adam's two averages (3 and 4), the root, its
# correction and epsilon (3), quotient, step and difference (3); AdamW's decay, one more; RMSprop's
# average (4), root and epsilon (2), quotient, step and difference (3); Adagrad's sum (2) and the
# same; Lion's (Chen et al. 2023) two averages (3 each), sign, step and difference (3). None where
# they depend on shapes, or on how a kernel looks codes up
OPTIMISERS: dict[str, int | None] = {
    "sgd": 2, "momentum": 4, "adam": 13, "adamw": 14, "adam8bit": None, "adamw8bit": None,
    "lion": 9, "rmsprop": 9, "adagrad": 7, "adafactor": None, "adafactor-momentum": None,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Totals:
    """One forward pass. Of an incomplete profile, counts of work are lower bounds.

    Attributes:
        params: elements of all parameters, shared ones once.
        trainable_params: those of them that require a gradient.
        active_params: those that one token meets: fewer than params in a mixture of experts.
        macs: multiply-accumulates of the matrix-multiply class.
        masked_macs: those of them that attention's masks throw away.
        flops: 2 x macs.
        other_flops: FLOPs of every other kind.
        flops_per_param: flops of one sample over trainable_params; None where there are none.
        activations: elements of the results of the layers that do MACs.
    """

    params: int
    trainable_params: int
    active_params: int
    macs: int
    masked_macs: int
    flops: int
    other_flops: int
    flops_per_param: float | None
    activations: int

    def __getitem__(self, name: str) -> float | None:
        """The figure of that name, as JSON and tables call it.

        Raises:
            KeyError: there is none.
        """
        figure: float | None = asdict(self)[name]
        return figure


@dataclass(frozen=True, kw_only=True)
class BackwardTotals:
    """One backward pass.

    Attributes:
        macs: multiply-accumulates of the matrix-multiply class.
        flops: 2 x macs.
        other_flops: FLOPs of every other kind.
        recomputed_macs: those of macs that are the forward pass's, done again by checkpointing.
        rescored_macs: of attention's scores that fused kernels compute again; not among macs.
        ratio_to_forward: macs over the forward pass's; None where that has none.
    """

    macs: int
    flops: int
    other_flops: int
    recomputed_macs: int
    rescored_macs: int
    ratio_to_forward: float | None

    def __getitem__(self, name: str) -> float | None:
        """The figure of that name, as JSON and tables call it.

        Raises:
            KeyError: there is none.
        """
        figure: float | None = asdict(self)[name]
        return figure


@dataclass(frozen=True, kw_only=True)
class TrainingStep:
    """One step of training: forward and backward passes, then the optimiser.

    Attributes:
        macs: of all passes.
        flops: 2 x macs.
        recomputed_macs: those of macs that are the forward pass's, done again by checkpointing.
        other_flops: of all passes and of the optimiser; None where the optimiser's are not known.
        optimiser_flops: the optimiser's alone, of every parameter that requires a gradient; None
            where they are not known.
    """

    macs: int
    flops: int
    recomputed_macs: int
    other_flops: int | None
    optimiser_flops: int | None


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How much of a pass has a formula.

    Attributes:
        calls: the share of operator calls that have one.
        arithmetic: the estimated share of the FLOPs that they do, where a call without one is taken
            for a matrix product of its two largest arguments, and for 1 FLOP an element if it has
            but one or all are of one shape; None where the counter did not see its shapes, or
            there are no elements.
    """

    calls: float
    arithmetic: float | None


def totals_of(
    calls: Sequence[OpCall], layers: Sequence[Layer], samples: int, active_params: int | None
) -> Totals:
    """Of one forward pass over that many samples."""
    macs_at: dict[str, int] = {}
    for call in calls:
        macs_at[call.path] = macs_at.get(call.path, 0) + call.macs
    macs = sum(macs_at.values())
    params = sum(layer.params for layer in layers)
    trainable = sum(layer.trainable for layer in layers)
    return Totals(
        params=params,
        trainable_params=trainable,
        active_params=params if active_params is None else active_params,
        macs=macs,
        masked_macs=sum(call.masked_macs for call in calls),
        flops=2 * macs,
        other_flops=sum(call.other_flops for call in calls),
        flops_per_param=2 * macs / samples / trainable if trainable and samples else None,
        activations=sum(layer.output_elements for layer in layers if macs_at.get(layer.path)),
    )


def backward_totals(calls: Iterable[OpCall], forward_macs: int) -> BackwardTotals:
    """Of one backward pass, beside the forward pass's MACs."""
    calls = list(calls)
    macs = sum(call.macs for call in calls)
    return BackwardTotals(
        macs=macs,
        flops=2 * macs,
        other_flops=sum(call.other_flops for call in calls),
        recomputed_macs=sum(call.macs for call in calls if call.recomputed),
        rescored_macs=sum(call.rescored_macs for call in calls),
        ratio_to_forward=macs / forward_macs if forward_macs else None,
    )


def step_of(
    calls: Sequence[OpCall], trainable_params: int, optimiser: Optimiser, accumulate: int
) -> TrainingStep:
    """Of a step of training whose passes, forward and backward, each are those calls."""
    macs = accumulate * sum(call.macs for call in calls)
    each = OPTIMISERS[optimiser]
    step = None if each is None else each * trainable_params
    passes = accumulate * sum(call.other_flops for call in calls)
    return TrainingStep(
        macs=macs,
        flops=2 * macs,
        recomputed_macs=accumulate * sum(call.macs for call in calls if call.recomputed),
        other_flops=None if step is None else passes + step,
        optimiser_flops=step,
    )


def coverage_of(calls: Sequence[OpCall]) -> Coverage:
    """How much of those calls has a formula."""
    unknown = [call for call in calls if not call.counted]
    if not unknown:
        return Coverage(calls=1.0, arithmetic=1.0)
    done = sum(2 * call.macs + call.other_flops for call in calls)
    shapes = all(call.inputs and call.outputs for call in unknown)
    missing = sum(map(_guess, unknown)) if shapes else None
    return Coverage(
        calls=1 - len(unknown) / len(calls),
        arithmetic=done / (done + missing) if missing is not None and done + missing else None,
    )


def _guess(call: OpCall) -> float:
    sizes = sorted(map(prod, call.inputs), reverse=True)
    if len(sizes) < 2 or len({*call.inputs, *call.outputs}) == 1:
        return float(max(*map(prod, call.outputs), *sizes))
    # of [i, k] x [k, j] -> [i, j] the three sizes' product is the square of i * k * j
    return float(2 * (sizes[0] * sizes[1] * max(map(prod, call.outputs))) ** 0.5)
