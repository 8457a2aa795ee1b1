"""The tensors among what goes into a network and what comes out."""

from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves


def tensors_within(tree: Any) -> list[Tensor]:
    """Those in lists, tuples, dicts, what else PyTorch looks into, and dataclasses; in their order.

    What an object of another class holds (a cache of keys and values) is its state, not given.
    """
    found: list[Tensor] = []
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Tensor):
            found.append(leaf)
        elif is_dataclass(leaf) and not isinstance(leaf, type):
            members = (getattr(leaf, field.name, None) for field in fields(leaf))
            found += tensors_within(list(members))
    return found
