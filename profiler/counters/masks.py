"""How much of attention's full square a mask throws away."""

from math import prod

import torch
from torch import Tensor


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
