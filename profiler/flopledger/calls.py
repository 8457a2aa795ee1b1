"""OpCall, one operator call, the one type that both counters return; and Layer, whose calls."""

from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, ...]

# which counter is asked; "auto" leaves it to what the network allows
Counter = Literal["auto", "fvcore", "dispatch"]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpCall:
    """One call of one operator.

    Attributes:
        path: the innermost module that was running, dotted ("features.0"); "" is the root.
        op: the operator's name in the counter's own view, such as "aten::convolution".
        inputs: the shapes of its tensor arguments.
        outputs: the shapes of its results.
        macs: multiply-accumulates of the matrix-multiply class.
        other_flops: FLOPs of every other kind (elementwise, normalisation, pooling, softmax).
        counted: False where no formula knows the operator; both counts are then 0.
        backward: whether the call belongs to the backward pass.
        params: names of the module's parameters among the arguments.
        masked_macs: of its macs, those that a causal mask lets a kernel skip.
        evenly: whether floats without values would have decided its result, on which the shapes of
            later calls depend; it was taken as evenly spread.
        recomputed: whether it repeats the forward pass during the backward (checkpointing).
        rescored_macs: of attention's scores that a fused kernel's backward pass computes again; not
            among its macs.
    """

    path: str
    op: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    macs: int = 0
    other_flops: int = 0
    counted: bool = True
    backward: bool = False
    params: tuple[str, ...] = ()
    masked_macs: int = 0
    evenly: bool = False
    recomputed: bool = False
    rescored_macs: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A module as one pass showed it.

    Attributes:
        path: its first name in the network, dotted; "" is the network itself.
        kind: "conv", "linear", "norm", ... or, for a module of none of these kinds, its class.
        params: elements of its own parameters (no descendant's), those it shares with an earlier
            layer left out.
        trainable: those of them that require a gradient.
        shared: "its name = owner's name" for each parameter that an earlier layer owns.
        calls: how often it ran.
        output_shape: of its first result in its last call; () before any call.
        output_elements: of all its results in all calls.
        leaf: whether it has no modules inside.
    """

    path: str
    kind: str
    params: int
    trainable: int
    shared: tuple[str, ...]
    calls: int
    output_shape: Shape
    output_elements: int
    leaf: bool
