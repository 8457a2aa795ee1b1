"""What torch's functions are given, and what they say, where tensors are shapes."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from flopledger.counting.shapes.overwritten import Overwritten
from flopledger.counting.shapes.torch_functions import SPEAKING

_CPU = torch.device("cpu")
_ANSWERS: dict[Any, Callable[[Tensor], Any]] = {
    Tensor.device.__get__: lambda _: _CPU,
    Tensor.is_cpu.__get__: lambda _: True,  # type: ignore[attr-defined]
    Tensor.is_meta.__get__: lambda _: False,  # type: ignore[attr-defined]
    Tensor.data_ptr: lambda x: x.untyped_storage()._cdata,  # some address, and no other's
    Tensor.type: lambda x: x.type().replace("meta.", ""),
}
_READS = frozenset((Tensor.tolist, Tensor.numpy, Tensor.__array__))  # past the dispatcher

_ZEROS_LIKE = frozenset((torch.zeros_like, Tensor.new_zeros))

# made of operators that take floating tensors of two devices, these look at the devices first;
_TOGETHER = frozenset(
    (torch.meshgrid, torch.cartesian_prod, torch.cdist, torch.inner, Tensor.inner,
     torch.chain_matmul, torch.linalg.multi_dot, torch.linalg.matrix_rank, torch.quantile,
     Tensor.quantile, torch.nanquantile, Tensor.nanquantile, F.scaled_dot_product_attention,
     F.cosine_similarity, torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu, torch.lstm_cell,
     torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell, torch.autograd.grad,
     torch.stft, Tensor.stft)
)  # fmt: skip
# and these at those of the positions, too
_AT_POSITIONS = frozenset((torch.take_along_dim, Tensor.take_along_dim))


_OTHERWISE = frozenset(_ANSWERS) | _READS | _ZEROS_LIKE | _TOGETHER | _AT_POSITIONS | SPEAKING


class OnShapes(TorchFunctionMode):
    """While it is on, a tensor on meta says that it is on the CPU.

    Code that picks its way by the device then goes the way it goes with numbers, and functions that
    want all tensors on one device get them all on meta.

    Args:
        overwritten: tensors on the CPU whose numbers are no longer known, and not to be read.
        asked: is told when integers are read.
        zeros_known: whether zeros are made for real, those like a tensor on meta as well.
        refused: is told of each exception for want of numbers, which the network may catch.
        speaking: calls a function that speaks, and listens; if left out, none is listened to.
    """

    def __init__(
        self,
        overwritten: Overwritten,
        asked: Callable[[], None] = lambda: None,
        zeros_known: bool = False,
        refused: Callable[[Exception], object] = lambda _: None,
        speaking: Callable[[Any, Any, dict[str, Any]], Any] | None = None,
    ) -> None:
        super().__init__()
        self._speaking = speaking
        self._refused = refused
        self._zeros_known = zeros_known
        self._overwritten = overwritten
        self._asked = asked

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        try:
            if func not in _OTHERWISE:
                return func(*args, **kwargs)
            if func in _ANSWERS and len(args) == 1 and not kwargs and args[0].is_meta:
                return _ANSWERS[func](args[0])
            return self._on_shapes(func, args, kwargs)
        except Exception as error:
            if _wants_numbers(func, error):
                self._refused(error)
            raise

    def _on_shapes(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if func in _ZEROS_LIKE and self._zeros_known and _plain(args):
            size = args[0].shape if func is torch.zeros_like else args[1:]
            kept = {key: kwargs[key] for key in kwargs.keys() - {"memory_format"}}
            return torch.zeros(*size, **{"dtype": args[0].dtype, **kept})
        if func in _TOGETHER or func in _AT_POSITIONS:
            args, kwargs = _together(func, args, kwargs)
        elif func in _READS:
            if self._overwritten.holds(args):
                raise NotImplementedError("numbers are read that are not known")
            self._asked()
        if func in SPEAKING and self._speaking is not None:
            return self._speaking(func, args, kwargs)
        return func(*args, **kwargs)


def _plain(args: Any) -> bool:
    """Whether they are a tensor's that no gradient and no transform of torch.func is taken of."""
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    return isinstance(args[0], Tensor) and not torch.is_grad_enabled() and not wrapped(args[0])


def _wants_numbers(func: Any, error: Exception) -> bool:
    """Whether no tensor with numbers would have raised it: mostly PyTorch names the device."""
    if func in _READS or func is Tensor.__format__:
        return True
    return isinstance(error, NotImplementedError) or "meta" in str(error).lower()


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
    if torch._C._functorch.is_functorch_wrapped_tensor(leaf):
        # what vmap maps over is hidden from its shape, and has to stay in it
        nothing = torch.empty((), dtype=leaf.dtype, device="meta")
        return torch.where(torch.tensor(True), leaf, nothing)
    # to("meta") would be answered by a counter: what is known stays known
    return torch.empty_strided(leaf.shape, leaf.stride(), dtype=leaf.dtype, device="meta")
