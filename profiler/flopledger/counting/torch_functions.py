"""What functions of torch say that the operators they are made of do not."""

import re
from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from flopledger.calls import OpCall

_OUTER = (torch.outer, torch.ger, Tensor.outer, Tensor.ger)
_TWO = re.compile("([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)")


class Functions(TorchFunctionMode):
    """While it is on, writes down what functions say.

    Attention reaches the dispatcher in pieces, among which its mask is no longer told from others:
    here its MACs that a mask throws away are written down. An outer product reaches it as an
    elementwise one: here it becomes the matrix product that it is.
    """

    def __init__(self, where: Callable[[], str]) -> None:
        super().__init__()
        self.calls: list[OpCall] = []
        self._where = where

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _OUTER and len(args) == 2:
            dtype = torch.result_type(*args)  # an elementwise product mixes them, a matrix's not
            return torch.mm(args[0].to(dtype).unsqueeze(1), args[1].to(dtype).unsqueeze(0))
        if func is torch.einsum:
            return _einsum(*args)
        out = func(*args, **kwargs)
        if func is F.scaled_dot_product_attention and (masked := masked_macs(*args, **kwargs)):
            op = "aten::scaled_dot_product_attention"
            call = OpCall(path=self._where(), op=op, inputs=(), outputs=(), masked_macs=masked)
            self.calls.append(call)
        return out


def _einsum(equation: Any, *operands: Any) -> Tensor:
    """torch.einsum of two operands as the matrix product that it is, if one is summed over.

    PyTorch takes elements one by one where the sum is over an axis of length 1, or over none in an
    outer product.
    """
    match = _TWO.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
    a, b, wanted = match.groups() if match else ("", "", "")
    own, other = _letters(a, b, False), _letters(b, a, False)
    shared, summed = _letters(wanted, _letters(a, b, True), True), _letters(a, wanted, False)
    plain = all(len(set(word)) == len(word) for word in (a, b, wanted))
    if (
        not (plain and (summed or (own and other)))
        or sorted(wanted) != sorted(own + other + shared)
        or sorted(a) != sorted(shared + own + summed)
        or not _same_sides(a, b, *operands)
    ):
        return torch.einsum(equation, *operands)
    left = torch.einsum(f"{a}->{shared}{own}{summed}", operands[0])
    right = torch.einsum(f"{b}->{shared}{summed}{other}", operands[1])
    batch, length = left.shape[: len(shared)], left.shape[len(shared) + len(own) :]
    rows, columns = (
        left.shape[len(shared) : len(shared) + len(own)],
        right.shape[len(shared) + len(summed) :],
    )
    out = torch.bmm(
        left.reshape(prod(batch), prod(rows), prod(length)),
        right.reshape(prod(batch), prod(length), prod(columns)),
    )
    return torch.einsum(f"{shared}{own}{other}->{wanted}", out.reshape(*batch, *rows, *columns))


def _letters(word: str, of: str, among: bool) -> str:
    return "".join(c for c in word if (c in of) == among)


def _same_sides(a: str, b: str, first: Any, second: Any) -> bool:
    if len(a) != first.dim() or len(b) != second.dim():
        return False
    sides = dict(zip(a, first.shape, strict=True))
    return all(sides.get(c, n) == n for c, n in zip(b, second.shape, strict=True))


def masked_macs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **_: object,
) -> int:
    """Of the MACs of torch's scaled_dot_product_attention, those that a kernel could skip.

    Args:
        query: [.., length, width].
        key: [.., source, width].
        value: [.., source, value width].
        attn_mask: False where a score is thrown away, broadcast to [.., length, source]. One of
            floats, or on the meta device, has no known values: 0.
        dropout_p: not used.
        is_causal: query i meets the keys up to i, counted from the first of both.
    """
    (length, width), source, out = query.shape[-2:], key.shape[-2], value.shape[-1]
    squares = prod(query.shape[:-2])
    if is_causal:
        met = sum(min(i + 1, source) for i in range(length))
        scores = squares * (length * source - met)
    elif attn_mask is not None and attn_mask.dtype is torch.bool and not attn_mask.is_meta:
        share = squares * length * source // max(attn_mask.numel(), 1)
        scores = int((~attn_mask).sum()) * share
    else:
        return 0
    return scores * (width + out)
