"""Which elements of a network's parameters take part in arithmetic, moved or as they are."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.structure.sparse_tensors import is_sparse

_STRIDED = torch.strided

Holding = list[tuple[Tensor, tuple[str, ...]]]


def key_of(tensor: Tensor) -> int:
    """What tells tensors apart; a view of a parameter is still that parameter.

    Computed ones all look into one block of zeros.
    """
    if tensor.is_meta and (tensor.layout is _STRIDED or not is_sparse(tensor)):
        address: int = tensor.untyped_storage()._cdata
        return address
    return id(tensor)


class Met:
    """Parameters followed through casts, gathers and joins to the arithmetic that meets them.

    Args:
        params: each parameter's name by its stand-in's key.

    Attributes:
        elements: by name, how many took part, once for each time.
    """

    def __init__(self, params: dict[int, str]) -> None:
        self.elements: dict[str, int] = {}
        self._params = params
        self._moved: dict[int, tuple[Any, tuple[str, ...]]] = {}

    def holders(self, tensors: Sequence[Tensor]) -> tuple[Holding, tuple[str, ...]]:
        """Those of the tensors that hold elements of parameters, each with their names.

        And the names of the parameters that are among the tensors themselves.
        """
        params, moved = self._params, self._moved
        held: Holding = []
        themselves: tuple[str, ...] = ()
        for tensor in tensors if params else ():
            key = key_of(tensor)
            if key in params:
                held.append((tensor, (params[key],)))
                themselves += (params[key],)
            elif key in moved and tensor.is_meta and (names := moved[key][1]):
                held.append((tensor, names))
        return held, themselves

    def moved(self, holding: Holding, made: Sequence[Tensor]) -> None:
        """Results hold the same: something was cast, gathered or joined."""
        names = tuple(dict.fromkeys(name for _, held in holding for name in held))
        for tensor in made:
            if (
                tensor.is_meta
                and not is_sparse(tensor)
                and (key := key_of(tensor)) not in self._params
            ):
                # the storage is kept, so that no other takes its address
                self._moved[key] = (tensor.untyped_storage(), names)

    def took_part(self, holding: Holding, macs: int) -> None:
        """Arithmetic was done on them: that many MACs, or with each element."""
        for tensor, names in holding:
            # of many experts in one product those that it does
            elements = min(tensor.numel(), macs or tensor.numel())
            for name in names:
                self.elements[name] = self.elements.get(name, 0) + elements
