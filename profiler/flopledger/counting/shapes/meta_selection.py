"""What floats select (the top k, a maximum's place) where floats have no values: spread evenly.

A router sends each token to the experts with the highest scores. On the meta device there are no
scores, and which experts they would favour does not change how much work they do in all; so that
the code behind it can run, the positions are made up: each takes its turn.
"""

from typing import Any

import torch
from torch import Tensor

# operator -> where its axis stands among its arguments, and the axis where it is left out
_SELECTIONS: dict[str, tuple[int, int | None]] = {
    "aten::topk": (2, -1),
    "aten::sort": (1, -1),
    "aten::argsort": (1, -1),
    "aten::argmax": (1, None),
    "aten::argmin": (1, None),
    "aten::max": (1, -1),
    "aten::min": (1, -1),
    "aten::kthvalue": (2, -1),
    "aten::median": (1, -1),
    "aten::mode": (1, -1),
    "aten::multinomial": (3, -1),
}

# their results' shapes, or the numbers they return, follow from values
_ASK = frozenset(
    f"aten::{name}"
    for name in (
        "item _local_scalar_dense nonzero unique unique_dim _unique _unique2 unique_consecutive "
        "bincount histc masked_select repeat_interleave _grouped_mm equal is_nonzero"
    ).split()
)


def selects(op: str) -> bool:
    """Whether the operator's integers are positions that floats decide."""
    return op in _SELECTIONS


def asks(op: str) -> bool:
    """Whether the operator's result depends on values of what it is given."""
    return op in _ASK


def evenly(op: str, args: Any, kwargs: dict[str, Any], out: Any) -> Any:
    """The operator's results with integers on meta replaced by real ones, evenly spread."""
    place, default = _SELECTIONS[op]
    axis = kwargs.get("dim", args[place] if len(args) > place else default)
    x = args[0]
    choices = x.numel() if axis is None or not x.dim() else x.shape[axis]

    def real(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or leaf.device.type != "meta" or leaf.is_floating_point():
            return leaf
        if op in ("aten::sort", "aten::argsort") and x.dim():
            side = [1] * x.dim()
            side[axis or 0] = choices
            return torch.arange(choices).view(side).expand(leaf.shape)
        return torch.arange(leaf.numel()).remainder(max(choices, 1)).view(leaf.shape)

    return tuple(map(real, out)) if isinstance(out, tuple) else real(out)
