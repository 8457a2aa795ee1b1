"""What torch's functions are given, and what they say, where tensors are shapes."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from flopledger.counting.overwritten import Overwritten

_CPU = torch.device("cpu")
_ANSWERS: dict[Any, Callable[[Tensor], Any]] = {
    Tensor.device.__get__: lambda _: _CPU,
    Tensor.is_cpu.__get__: lambda _: True,  # type: ignore[attr-defined]
    Tensor.is_meta.__get__: lambda _: False,  # type: ignore[attr-defined]
    Tensor.type: lambda x: x.type().replace("meta.", ""),
}
_READS = frozenset((Tensor.tolist, Tensor.numpy, Tensor.__array__))  # past the dispatcher

# made of operators that take floating tensors of two devices, these look at the devices first;
_TOGETHER = frozenset(
    (torch.meshgrid, torch.cartesian_prod, torch.cdist, torch.inner, Tensor.inner,
     torch.chain_matmul, torch.linalg.multi_dot, torch.linalg.matrix_rank, torch.quantile,
     Tensor.quantile, torch.nanquantile, Tensor.nanquantile, F.scaled_dot_product_attention,
     F.cosine_similarity, torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu, torch.lstm_cell,
     torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell, torch.autograd.grad)
)  # fmt: skip
# and these at those of the positions, too
_AT_POSITIONS = frozenset((torch.take_along_dim, Tensor.take_along_dim))

# a trace finds no operator for their last argument where it is True or False; 1 and 0 do as well
_WITH_FLAGS = frozenset(
    getattr(home, name)
    for name in (
        "scatter scatter_ masked_fill masked_fill_ index_fill index_fill_ fill_ eq ne gt lt ge le "
        "__eq__ __ne__ __gt__ __lt__ __ge__ __le__"
    ).split()
    for home in (torch, Tensor)
    if hasattr(home, name)
)


class OnShapes(TorchFunctionMode):
    """While it is on, a tensor on meta says that it is on the CPU.

    Code that picks its way by the device then goes the way it goes with numbers, and functions that
    want all tensors on one device get them all on meta.

    Args:
        overwritten: tensors on the CPU whose numbers are no longer known, and not to be read.
        asked: is told when integers are read.
    """

    def __init__(self, overwritten: Overwritten, asked: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._overwritten = overwritten
        self._asked = asked

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _ANSWERS and len(args) == 1 and not kwargs and args[0].is_meta:
            return _ANSWERS[func](args[0])
        if func in _TOGETHER or func in _AT_POSITIONS:
            args, kwargs = _together(func, args, kwargs)
        elif func in _READS:
            if self._overwritten.holds(args):
                raise NotImplementedError("numbers are read that are not known")
            self._asked()
        elif func in _WITH_FLAGS and args and isinstance(args[-1], bool):
            args = (*args[:-1], int(args[-1]))
        return func(*args, **kwargs)


def _together(func: Any, *trees: Any) -> Any:
    """The trees with every floating tensor on meta, if one is; a position's values are real."""
    floats = [leaf for leaf in tree_leaves(trees) if _is_floating(leaf)]
    if func not in _AT_POSITIONS and len({t.is_meta for t in floats}) < 2:
        return trees
    return tree_map(
        lambda leaf: _shape(leaf) if func in _AT_POSITIONS or _is_floating(leaf) else leaf, trees
    )


def _is_floating(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex())


def _shape(leaf: Any) -> Any:
    if not isinstance(leaf, Tensor) or leaf.is_meta:
        return leaf
    # to("meta") would be answered by a counter: what is known stays known
    return torch.empty_strided(leaf.shape, leaf.stride(), dtype=leaf.dtype, device="meta")
