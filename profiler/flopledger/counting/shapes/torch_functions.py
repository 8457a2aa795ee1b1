"""What functions of torch say that the operators they are made of do not."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from flopledger.calls import OpCall
from flopledger.counting.shapes.einsum_over_one import sum_over_one
from flopledger.counting.structure.network_parts import modules_of

# what says something
SPEAKING = frozenset((torch.einsum, F.scaled_dot_product_attention))


class Functions(TorchFunctionMode):
    """While it is on, writes down what functions say.

    Attention reaches the dispatcher in pieces, among which its mask is no longer told from others:
    here its MACs that a mask throws away are written down. An einsum whose sums are over axes of
    length 1 reaches it as a product of elements: here it stays the matrix product that its letters
    say, as one over any other length is.

    Args:
        where: the path of the layer that runs.
        calls: what is written down goes there.
    """

    def __init__(self, where: Callable[[], str], calls: list[OpCall]) -> None:
        super().__init__()
        self._calls = calls
        self._where = where

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        return self.result(func, args, kwargs) if func in SPEAKING else func(*args, **kwargs)

    def result(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """The result of a call of a function that speaks, having listened."""
        if func is torch.einsum and (summed := sum_over_one(*args)) is not None:
            return summed
        if func is F.scaled_dot_product_attention:
            return self._attention(*args, **kwargs)
        return func(*args, **kwargs)

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        **others: Any,
    ) -> Tensor:
        """Torch's own; what it makes of is_causal is a constant, whose square would be computed."""
        mask, causal = attn_mask, is_causal
        if causal and mask is None and query.is_meta and not query.is_nested:
            mask = query.new_empty(query.shape[-2], key.shape[-2], dtype=torch.bool)
            causal = False
        out = F.scaled_dot_product_attention(query, key, value, mask, dropout_p, causal, **others)
        if masked := masked_macs(query, key, value, attn_mask, is_causal):
            op = "aten::scaled_dot_product_attention"
            call = OpCall(path=self._where(), op=op, inputs=(), outputs=(), masked_macs=masked)
            self._calls.append(call)
        return out


class _Unfused(TorchFunctionMode):
    """Changes nothing, and is seen by PyTorch's modules."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return func(*args, **kwargs or {})


def unfused(module: nn.Module) -> AbstractContextManager[Any]:
    """In the body, attention is no one kernel, which would leave padding out, and is opaque.

    The modules that have such a fast path leave it where a mode is on, in this thread alone; the
    switch of torch.backends is every thread's.
    """
    fast = (nn.MultiheadAttention, nn.TransformerEncoder, nn.TransformerEncoderLayer)
    return _Unfused() if any(isinstance(m, fast) for _, m in modules_of(module)) else nullcontext()


def masked_macs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
) -> int:
    """Of the MACs of torch's scaled_dot_product_attention, those that a kernel could skip.

    Args:
        query: [.., length, width]; of a nested one, none are known.
        key: [.., source, width].
        value: [.., source, value width].
        attn_mask: False where a score is thrown away, broadcast to [.., length, source]. One of
            floats, or on the meta device, has no known values: 0.
        is_causal: query i meets the keys up to i, counted from the first of both.
    """
    if query.is_nested:
        return 0
    (length, width), source, out = query.shape[-2:], key.shape[-2], value.shape[-1]
    squares = prod(query.shape[:-2])
    if is_causal:
        square = min(length, source)
        met = square * (square + 1) // 2 + (length - square) * source
        scores = squares * (length * source - met)
    elif attn_mask is not None and attn_mask.dtype is torch.bool and not attn_mask.is_meta:
        share = squares * length * source // max(attn_mask.numel(), 1)
        scores = (attn_mask.numel() - int(attn_mask.sum())) * share
    else:
        return 0
    return scores * (width + out)
