"""Which parameters one token meets: in a mixture of experts, a part of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from flopledger.calls import OpCall
from flopledger.counting import dispatch_counter
from flopledger.zoo.inputs import Inputs


def active_params_of(module: nn.Module, inputs: Inputs, calls: Iterable[OpCall]) -> int | None:
    """Of a network that routes, the parameters that one token meets; None for any other.

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

    try:
        of_a_token = dispatch_counter.count(module, *tree_map(first_token, inputs))
    except Exception:  # it takes no single token
        return None
    return active_params(of_a_token, {name: p.numel() for name, p in module.named_parameters()})


def _are_ids(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.dtype is torch.int64 and leaf.dim() == 2


def active_params(calls: Iterable[OpCall], sizes: Mapping[str, int]) -> int:
    """Parameters met by the one token that the calls were counted on.

    A token meets each weight of a matrix product in one MAC, so that a product with the k experts
    it is sent to does as many MACs as those experts have weights. An embedding counts whole, as
    published figures have it, and so does whatever is not multiplied.

    Args:
        calls: of a forward pass over one token.
        sizes: the elements of each parameter, by name.
    """
    macs: dict[str, int] = {}
    whole: set[str] = set()
    for call in calls:
        for name in call.params:
            if call.macs:
                macs[name] = macs.get(name, 0) + call.macs
            elif call.other_flops or call.op == "aten::embedding":
                whole.add(name)
            else:  # moved: a view, or an expert's row
                macs.setdefault(name, 0)
    return sum(
        sizes[name] if name in whole else min(sizes[name], macs[name])
        for name in macs.keys() | whole
    )
