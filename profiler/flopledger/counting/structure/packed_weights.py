"""Quantised layers keep their weights packed, or as buffers: neither are parameters."""

from collections.abc import Iterator
from math import prod
from typing import Any

import torch
from torch import nn

from flopledger.calls import Shape
from flopledger.counting.structure.network_parts import modules_of

# modules that do nothing but hold a quantised layer's weights
_HOLDERS = frozenset(("LinearPackedParams", "EmbeddingPackedParams", "PackedParameter"))

_EIGHT_BITS = (torch.int8, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz,
               torch.float8_e5m2fnuz)  # fmt: skip


def packed_shapes(packed: torch.ScriptObject) -> list[Shape]:
    """The shapes of the weights and biases in it, [] where it holds none."""
    if hasattr(packed, "unpack"):
        held = packed.unpack()
        tensors = held if isinstance(held, list | tuple) else (held,)
        return [tuple(t.shape) for t in tensors if isinstance(t, torch.Tensor)]
    if "CellParams" in str(packed._type()):  # a recurrent layer's, each of which holds two others
        state: Any = packed.__getstate__()
        lists = [part for part in state[0] if isinstance(part, list)]
        inner = [item for part in lists for item in part if isinstance(item, torch.ScriptObject)]
        return [shape for each in inner for shape in packed_shapes(each)]
    return []


def packed_params(module: nn.Module) -> dict[str, int]:
    """Elements of packed weights and biases, by the path of the layer that multiplies by them."""
    elements_of: dict[str, int] = {}
    met: set[int] = set()
    for path, child in modules_of(module):
        for packed in _packed(child):
            if id(packed) in met:
                continue
            met.add(id(packed))
            owner = path
            if type(child).__name__ in _HOLDERS:
                owner = path.partition("._all_weight_values")[0].removesuffix("._packed_params")
            elements = sum(map(prod, packed_shapes(packed)))
            elements_of[owner] = elements_of.get(owner, 0) + elements
    return elements_of


def _packed(child: nn.Module) -> Iterator[Any]:
    if isinstance(child, torch.jit.ScriptModule):
        return
    for value in vars(child).values():
        if isinstance(value, torch.ScriptObject):
            yield value


def low_precision_buffers(module: nn.Module, products: set[str]) -> list[str]:
    """A note on 8-bit weights that are buffers, and so no parameters; none where none are.

    Args:
        module: the network.
        products: the paths of the layers that multiply matrices themselves.
    """
    buffers = [
        (f"{path}.{key}" if path else key, buffer.numel())
        for path, child in modules_of(module)
        for key, buffer in child._buffers.items()
        if path in products and buffer is not None and buffer.dtype in _EIGHT_BITS
    ]
    if not buffers:
        return []
    more = f" and {len(buffers) - 1} more" if len(buffers) > 1 else ""
    elements = sum(number for _, number in buffers)
    return [
        f"{buffers[0][0]}{more}: {elements:,} weights are buffers, and not among the parameters"
    ]
