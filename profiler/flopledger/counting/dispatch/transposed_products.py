"""Gradients of counted products that PyTorch makes as products of elements."""

from typing import Any

import torch
from torch import Tensor

from flopledger.counting.formulas.products import TRANSPOSED_BY_ELEMENTS


class Transposed:
    """Tells them from other products of elements, and so the gradients of these gradients."""

    def __init__(self) -> None:
        self._made: list[Tensor] = []
        self._nodes: set[Any] = set()

    def makes(self, op: str, given: int) -> bool:
        """Whether a call is one, by the node of autograd that runs.

        Args:
            op: "aten::mul".
            given: how many tensors it is given.
        """
        if op != "aten::mul" or given != 2:
            return False
        node = torch._C._current_autograd_node()
        return node is not None and (node.name() in TRANSPOSED_BY_ELEMENTS or node in self.nodes())

    def made(self, out: Tensor) -> None:
        """One gave that result, of which a gradient may be taken in turn."""
        if torch.is_grad_enabled():
            self._made.append(out)

    def nodes(self) -> set[Any]:
        """The nodes of their own gradients; autograd makes them after the call."""
        self._nodes.update(out.grad_fn for out in self._made if out.grad_fn is not None)
        self._made.clear()
        return self._nodes
