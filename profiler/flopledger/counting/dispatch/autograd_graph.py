"""The backward pass's second counter: autograd's graph, read before it runs.

A node is named after the operator that made it, and leads to the nodes of those arguments that want
a gradient; each knows the shape of what flows into it. That tells the products, without running
anything and without the formulas of what reaches the dispatcher.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from flopledger.errors import FlopledgerError


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the graph says.

    Attributes:
        macs: of the backward pass, by the path of the module that made each node; what is computed
            again (checkpointing, a fused kernel's scores) is left out.
        unknown: why it cannot tell; "" where it can.
    """

    macs: dict[str, int] = field(default_factory=dict)
    unknown: str = ""


SPARSE = Reading(unknown="autograd's graph does not say how much a sparse tensor stores")


class Unknown(FlopledgerError):
    """The graph does not show what a node does."""


def read(
    roots: Sequence[Tensor], where: Callable[[Any], str], transposed: Collection[Any] = ()
) -> Reading:
    """Read the graph from these results down.

    Args:
        roots: each gets a gradient.
        where: of a node, the module that made it.
        transposed: nodes of products of elements that are gradients of a counted product.
    """
    macs: dict[str, int] = {}
    try:
        for node in _nodes(roots):
            if products := _by_elements(node) if node in transposed else products_of(node):
                path = where(node)
                macs[path] = macs.get(path, 0) + products
    except Unknown as unknown:
        return Reading(unknown=str(unknown))
    return Reading(macs=macs)


def _nodes(roots: Sequence[Tensor]) -> Iterator[Any]:
    met: set[Any] = set()
    waiting = [root.grad_fn for root in roots]
    while waiting:
        node = waiting.pop()
        if node is None or node in met:
            continue
        met.add(node)
        yield node
        waiting += [following for following, _ in node.next_functions]


def multiplies(node: Any) -> bool:
    """Whether its gradients take products, as far as its name tells; code of others may."""
    kind = node.name().rstrip("0123456789").removesuffix("Backward")
    opaque = kind.startswith(_OPAQUE) and kind not in _ELEMENTS
    return kind in _RULES or opaque or hides(node)


def hides(node: Any) -> bool:
    """Whether what it computes is code of others, a part of another node, or a second gradient."""
    kind = node.name().rstrip("0123456789").removesuffix("Backward")
    of_a_gradient = kind.removesuffix("Backward") in _RULES and kind not in _RULES
    of_others = isinstance(node, BackwardCFunction) or kind.endswith(_SCRIPTED)
    return of_others or kind.startswith(_HIDDEN) or of_a_gradient


def products_of(node: Any) -> int:
    """MACs of a node's gradients, of those arguments that want one.

    Raises:
        Unknown: the graph does not tell.
    """
    name = node.name()
    kind = name.rstrip("0123456789").removesuffix("Backward")
    if kind in _RULES:
        macs = _RULES[kind](node)
        return 4 * macs if node._input_metadata[0].dtype.is_complex else macs
    if isinstance(node, BackwardCFunction):
        raise Unknown(f"{name} is code of its own, which autograd's graph does not show")
    if kind.endswith(_SCRIPTED):
        raise Unknown("TorchScript takes gradients in pieces, which autograd's graph does not show")
    again = kind.removesuffix("Backward")  # of the gradient of a gradient
    if (kind.startswith(_OPAQUE) and kind not in _ELEMENTS) or (again != kind and again in _RULES):
        raise Unknown(f"autograd's graph does not tell the products of {name}")
    return 0


def _by_elements(node: Any) -> int:
    """Of an outer product: [m, n] times either side, if it wants a gradient."""
    macs = prod(_out(node)) * _number(_wanted(node, 0), _wanted(node, 1))
    return 4 * macs if node._input_metadata[0].dtype.is_complex else macs


def _out(node: Any, index: int = 0) -> Sequence[int]:
    shape: Sequence[int] = node._input_metadata[index].shape
    return shape


def _wanted(node: Any, place: int) -> Sequence[int] | None:
    """The shape of that argument if it wants a gradient, else None."""
    following, index = node.next_functions[place]
    if following is None:
        return None
    variable = getattr(following, "variable", None)  # of a leaf
    if variable is not None and variable.layout is not torch.strided:
        raise Unknown(SPARSE.unknown)
    return _out(following, index)


def _shape(node: Any, place: int, name: str) -> Sequence[int]:
    """That of an argument which wants no gradient itself, and is kept for another's."""
    following, index = getattr(node, "edges", node.next_functions)[place]
    if following is not None:  # it does, though this pass does not ask for it
        return _out(following, index)
    if hasattr(node, "saved_tensors"):  # of a torch.autograd.Function, flex_attention's
        saved: Tensor = node.saved_tensors[place]
    else:
        saved = getattr(node, f"_saved_{name}")
    return saved.shape


def _matrices(left: int, right: int) -> Callable[[Any], int]:
    """[.., m, k] x [.., k, n]: m x k x n for each of the two that wants a gradient."""

    def rule(node: Any) -> int:
        a, b = _wanted(node, left), _wanted(node, right)
        if a is not None:
            length = a[-1]
        elif b is not None:
            length = b[-2] if len(b) > 1 else b[-1]
        else:
            return 0
        return prod(_out(node)) * length * _number(a, b)

    return rule


def _number(*wanted: Any) -> int:
    return sum(shape is not None for shape in wanted)


def _summed_batch(node: Any) -> int:
    """[b, m, k] x [b, k, n], added up over b."""
    a, b = _wanted(node, 1), _wanted(node, 2)
    if a is not None:
        return prod(a) * _out(node)[-1] * _number(a, b)
    return prod(b) * _out(node)[-2] if b is not None else 0


def _grouped(node: Any) -> int:
    """[rows, k] x [groups, k, n]: every row meets one matrix."""
    rows = _wanted(node, 0)
    if len(_out(node)) != 2 or len(rows or (1, 1)) != 2:
        raise Unknown("autograd's graph tells a grouped product only where rows are in groups")
    return _matrices(0, 1)(node)


def _dot(node: Any) -> int:
    """A number times a vector, for each vector that wants a gradient."""
    wanted = [shape for place in (0, 1) if (shape := _wanted(node, place)) is not None]
    return sum(map(prod, wanted))


def _outer(node: Any) -> int:
    """Of a bias plus column x row: [m, n] x [n] and [m] x [m, n]."""
    return prod(_out(node)) * _number(_wanted(node, 1), _wanted(node, 2))


def _convolution(node: Any) -> int:
    """Each term input x weight once for either's gradient."""
    x, weight = _wanted(node, 0), _wanted(node, 1)
    kernel = _shape(node, 1, "weight") if weight is None else weight
    spread = _out(node)
    if node._saved_transposed:
        spread = _shape(node, 0, "input") if x is None else x
    return prod(spread) * prod(kernel[1:]) * _number(x, weight)


def _attention(node: Any) -> int:
    """Of every score the gradients of value, weight, query and key, whichever are wanted.

    The first two are as long as a value is wide, the others as a query.
    """
    query, key, value = (_wanted(node, place) for place in range(3))
    made = _out(node)
    source = key or value or _shape(node, 1, "key")
    wide = (query or key or made)[-1] * _number(query, key)
    values = made[-1] * (_number(value) + (query is not None or key is not None))
    return prod(made[:-1]) * source[-2] * (wide + values)


def _recurrent(node: Any) -> int:
    """One layer in one direction: every step goes back to the one before, and to its input."""
    x, w_input, w_hidden = (_wanted(node, place) for place in range(3))
    steps, batch = _out(node)[:2]
    of_input = prod(_shape(node, 1, "weight0") if w_input is None else w_input)
    of_hidden = prod(_shape(node, 2, "weight1") if w_hidden is None else w_hidden)
    first = _wanted(node, 5) is not None
    total = steps * _number(x, w_input) * of_input
    total += (steps * _number(w_hidden) + steps - 1 + first) * of_hidden
    return batch * total


def _bilinear(node: Any) -> int:
    """[n, i] x [o, i, j] x [n, j], two at a time from the left, the wanted one's place taken."""
    first, second = _shape(node, 0, "i1"), _shape(node, 2, "i3")
    samples, rows, columns = first[0], first[-1], second[-1]
    results = _out(node)[-1]
    if len(first) != 2 or len(_out(node)) != 2:
        raise Unknown("autograd's graph tells of trilinear forms a bilinear layer's alone")
    whole = samples * results * rows * columns
    parts = samples * rows * columns, whole, samples * results * columns
    starts = whole, samples * results * rows, whole
    return sum(
        start + part
        for place, (start, part) in enumerate(zip(starts, parts, strict=True))
        if _wanted(node, place) is not None
    )


def _affine_grid(node: Any) -> int:
    """Of each of the grid's coordinates one product with each of a point's, and with 1."""
    return prod(_out(node)) * (_out(node)[-1] + 1) * _number(_wanted(node, 0))


def _distances(node: Any) -> int:
    """Ratios [.., m, n] times the points of either side; both are made."""
    points = _wanted(node, 0) or _wanted(node, 1)
    return 2 * prod(_out(node)) * points[-1] if points is not None else 0


_RULES: dict[str, Callable[[Any], int]] = {
    "Mm": _matrices(0, 1),
    "Bmm": _matrices(0, 1),
    "Mv": _matrices(0, 1),
    "Addmm": _matrices(1, 2),
    "Baddbmm": _matrices(1, 2),
    "Addmv": _matrices(1, 2),
    "Addbmm": _summed_batch,
    "GroupedMm": _grouped,
    "Dot": _dot,
    "Vdot": _dot,
    "Addr": _outer,
    "Convolution": _convolution,
    "MkldnnRnnLayer": _recurrent,
    "Trilinear": _bilinear,
    "EuclideanDist": _distances,
    "AffineGridGenerator": _affine_grid,
    "FlexAttentionAutogradOp": _attention,
    **{
        f"ScaledDotProduct{kernel}": _attention
        for kernel in (
            "FlashAttention", "FlashAttentionForCpu", "EfficientAttention", "CudnnAttention",
            "FusedAttentionOverrideable",
        )
    },
}  # fmt: skip

_SCRIPTED = "DifferentiableGraph"  # what the node of a piece of TorchScript is called

# whose gradients take products that this module has no rule for
_OPAQUE = (
    "Linalg", "Linear", "Cholesky", "LuSolve", "Triangular", "Ormqr", "Householder", "Matrix",
    "Sparse", "Smm", "Sspaddmm", "Hspmm", "ScaledGroupedMm", "CudnnRnn", "Miopen",
    "ConvTbc", "SlowConv", "ConvDepthwise", "DeformConv", "Nested", "Transformer", "FlashAttention",
    "EfficientAttention",
)  # fmt: skip
_HIDDEN = "torch::autograd::CppNode", "torch::autograd::CopySlices"  # code of others
_ELEMENTS = ("LinalgVectorNorm", "LinalgCross")  # multiply no matrices
