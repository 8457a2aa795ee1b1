"""Numbers that were known until unknown ones were written over them."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from flopledger.counting.shapes.meta_devices import tensors_in

# these write no numbers, though they end in "_"
_RESHAPES = frozenset(
    f"aten::{name}_" for name in ("squeeze unsqueeze transpose t swapaxes swapdims detach "
                                  "as_strided resize set requires_grad").split()
)  # fmt: skip


def overwrites(op: str) -> bool:
    """Whether the operator ("aten::copy_") writes numbers over those of its first argument."""
    return op.endswith("_") and op not in _RESHAPES


class Overwritten:
    """Tensors on the CPU whose numbers are no longer known: only their shapes are looked at."""

    def __init__(self) -> None:
        # storages, kept so that no other takes their address
        self._storages: dict[int, Any] = {}

    def are_any(self) -> bool:
        """Whether there is one."""
        return bool(self._storages)

    def writes(self, op: str, args: Any, kwargs: dict[str, Any]) -> bool:
        """Whether the call leaves its first argument with numbers that are not known.

        What autograd has to go back through is not taken here: to it, a tensor that has once been
        on the CPU is there for good.

        Args:
            op: "aten::copy_".
            args: positional arguments.
            kwargs: keyword arguments.
        """
        if not overwrites(op) or not args:
            return False
        target = args[0]
        if not isinstance(target, Tensor) or target.is_meta:
            return False
        unknown = [t for t in tensors_in(*args, *kwargs.values()) if t.is_meta or self._holds(t)]
        if not unknown or (torch.is_grad_enabled() and any(t.requires_grad for t in unknown)):
            return False
        storage = target.untyped_storage()
        self._storages[storage._cdata] = storage
        return True

    def shapes_of(self, op: str, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The arguments, tensors on meta in place of those whose numbers are no longer known."""
        if not self._storages or op in _RESHAPES:
            return args, kwargs
        return tree_map(self._shape, args), tree_map(self._shape, kwargs)

    def holds(self, tree: Any) -> bool:
        """Whether one of these tensors is no longer known."""
        return bool(self._storages) and any(self._holds(t) for t in tensors_in(tree))

    def _holds(self, tensor: Tensor) -> bool:
        if not self._storages or tensor.is_meta or tensor.layout is not torch.strided:
            return False
        return tensor.untyped_storage()._cdata in self._storages

    def _shape(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or not self._holds(leaf):
            return leaf
        return torch.empty_strided(leaf.shape, leaf.stride(), dtype=leaf.dtype, device="meta")
