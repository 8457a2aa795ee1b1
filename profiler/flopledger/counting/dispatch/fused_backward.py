"""Kernels that take all gradients at once, wanted or not: what the wanted ones alone cost."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch


def wanted_macs(op: str, args: Sequence[Any]) -> int | None:
    """MACs of the gradients that the running node of autograd leads to; None for any other kernel.

    The same network costs the same whether its attention and LSTMs are computed, by a kernel that
    makes every gradient, or counted in pieces, of which those that nobody wants are not made.

    Args:
        op: "aten::mkldnn_rnn_layer_backward".
        args: its arguments, tensors replaced by shapes.
    """
    rule = _RULES.get(op)
    node = torch._C._current_autograd_node() if rule is not None else None
    if rule is None or node is None:
        return None
    return rule(args, [following is not None for following, _ in node.next_functions])


def _attention(args: Sequence[Any], wanted: Sequence[bool]) -> int:
    """Of every score: value's gradient and the weight's, as wide as a value; query's and key's."""
    query, key, value = args[:3]
    of_query, of_key, of_value = wanted[:3]
    width: int = (of_value + (of_query or of_key)) * value[-1] + (of_query + of_key) * query[-1]
    scores: int = prod(query[:-1]) * key[-2]
    return scores * width


def _attention_after_its_gradient(args: Sequence[Any], wanted: Sequence[bool]) -> int:
    return _attention(args[1:], wanted)


def _lstm(args: Sequence[Any], wanted: Sequence[bool]) -> int:
    """Both matrices' gradients, the input's, and a step's of the one before; the first has none."""
    x, w_input, w_hidden = args[:3]
    steps, batch = x[:2]
    back = steps if wanted[5] else steps - 1
    of_hidden = wanted[2] * steps + any(wanted) * back
    total: int = steps * (wanted[0] + wanted[1]) * prod(w_input) + of_hidden * prod(w_hidden)
    return total * int(batch)


_RULES: dict[str, Callable[[Sequence[Any], Sequence[bool]], int]] = {
    "aten::mkldnn_rnn_layer_backward": _lstm,
    "flex_attention_backward": _attention,
    **{
        f"aten::_scaled_dot_product_{kernel}_backward": _attention_after_its_gradient
        for kernel in (
            "flash_attention", "flash_attention_for_cpu", "efficient_attention",
            "cudnn_attention", "fused_attention_overrideable",
        )
    },
}  # fmt: skip
