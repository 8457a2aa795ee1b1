"""Which of a node's gradients the backward pass under way asks for."""

from collections.abc import Iterable
from typing import Any

import torch

_goes_on_to = torch._C._will_engine_execute_node
runs_all = torch.autograd.Variable._execution_engine.is_checkpoint_valid  # of the pass under way


class Asked:
    """A node whose arguments want a gradient only where the pass under way asks for it.

    Attributes:
        edges: to those that would be asked for theirs by another pass.
    """

    __slots__ = ("_node", "edges", "next_functions")

    def __init__(self, node: Any, edges: Any, asked: Iterable[bool | None]) -> None:
        self._node, self.edges = node, edges
        self.next_functions = [
            edge if wanted else (None, 0) for edge, wanted in zip(edges, asked, strict=True)
        ]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)


def all_asked(edges: Any) -> tuple[bool | None, ...]:
    """Which of a node's arguments the pass under way asks a gradient for; None wants none ever."""
    return tuple([node and asks_for(node) for node, _ in edges])


def asks_for(node: Any) -> bool:
    """Whether the pass under way asks for a gradient towards that node."""
    try:
        return _goes_on_to(node)
    except RuntimeError:  # a leaf, whose gradient is what was asked for
        return True
