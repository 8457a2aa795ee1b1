"""The tensors among what goes into a network and what comes out."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn
from torch.distributions import Distribution
from torch.utils._pytree import SUPPORTED_NODES, tree_leaves


def tensors_within(tree: Any) -> list[Tensor]:
    """Those in lists, tuples, dicts, what else PyTorch looks into, and dataclasses; in their order.

    What an object of another class holds (a cache of keys and values) is its state, not given.
    """
    tensors: list[Tensor] = []
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Tensor):
            tensors.append(leaf)
        elif is_dataclass(leaf) and not isinstance(leaf, type):
            members = (getattr(leaf, field.name, None) for field in fields(leaf))
            tensors += tensors_within(list(members))
    return tensors


def is_object(value: Any) -> bool:
    """Whether it is of a class that PyTorch does not look into, and so has no tensors within."""
    known = isinstance(value, list | tuple | dict) or type(value) in SUPPORTED_NODES
    return not (known or isinstance(value, Tensor) or is_dataclass(value))


def roots_of(out: Any) -> list[Tensor]:
    """What a backward pass starts from: a result's tensors that require a gradient.

    The parameters of a distribution are among them; what other objects hold, where nothing else is.
    """
    for kinds in (Distribution, object):
        roots = [tensor for tensor in _held(out, kinds, set()) if tensor.requires_grad]
        if roots:
            return roots
    return []


def _held(tree: Any, kinds: type, met: set[int]) -> Iterator[Tensor]:
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Tensor):
            yield leaf
        elif not isinstance(leaf, type | nn.Module) and id(leaf) not in met:
            met.add(id(leaf))
            if is_dataclass(leaf):
                yield from _held([getattr(leaf, f.name, None) for f in fields(leaf)], kinds, met)
            elif isinstance(leaf, kinds):
                members = getattr(leaf, "__dict__", {}).values()  # which may hold one tensor twice
                yield from _held(list({id(held): held for held in members}.values()), kinds, met)
