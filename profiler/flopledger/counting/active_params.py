"""Which parameters one token meets: in a mixture of experts, a part of them."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from flopledger.calls import OpCall
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.dispatch.dispatch_counter import Findings
from flopledger.zoo.inputs import Inputs


def active_params_of(module: nn.Module, inputs: Inputs, calls: Iterable[OpCall]) -> int | None:
    """Of a network that routes, the parameters that one token meets; None for any other.

    A token meets the weights that its products multiply: of k experts, in one product or one by
    one, theirs alone. So it does the elements that are gathered for it (the biases of k experts),
    and an embedding whole, as published figures have it. Casting, gathering and joining with others
    is no meeting yet: the arithmetic on what is made of them is.

    Args:
        module: the network.
        inputs: its forward's arguments, token ids [batch, length] among them.
        calls: the dispatch counter's of that pass.
    """
    if not any(call.evenly for call in calls):
        return None
    ids = next((leaf for leaf in tree_leaves(inputs) if _are_ids(leaf)), None)
    if ids is None:
        return None
    length = ids.shape[1]

    def first_token(leaf: Any) -> Any:
        if isinstance(leaf, Tensor) and leaf.dim() > 1 and leaf.shape[1] == length:
            return leaf[:1, :1]
        return leaf

    findings = Findings()
    args, kwargs = tree_map(first_token, inputs)
    try:
        dispatch_counter.count(module, args, kwargs, findings=findings)
    except Exception:  # it takes no single token
        return None
    sizes = {name: param.numel() for name, param in module.named_parameters()}
    return sum(min(sizes[name], elements) for name, elements in findings.met.items())


def _are_ids(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.dtype is torch.int64 and leaf.dim() == 2
