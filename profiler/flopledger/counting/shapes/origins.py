"""Where tensors on meta come from: one that no operator was seen to make shows unseen work."""

from typing import Any

from torch import Tensor, nn

from flopledger.counting.shapes.meta_devices import tensors_in


class Origins:
    """The tensors on meta of which it is known where they come from.

    Args:
        tensors: those that are there at first.
    """

    def __init__(self, tensors: list[Tensor]) -> None:
        # storages, kept so that no other takes their address
        self._storages: dict[int, Any] = {}
        self.add(tensors)

    def add(self, tensors: list[Tensor]) -> None:
        """These are known from now on."""
        for tensor in tensors:
            if _has_no_values(tensor):
                storage = tensor.untyped_storage()
                self._storages[storage._cdata] = storage

    def known(self, args: Any, kwargs: dict[str, Any]) -> bool:
        """Whether all that an operator is given is known; from now on, it is."""
        given = [t for t in tensors_in(*args, *kwargs.values()) if _has_no_values(t)]
        known = all(t.untyped_storage()._cdata in self._storages for t in given)
        if not known:
            self.add(given)
        return known


def _has_no_values(tensor: Tensor) -> bool:
    return tensor.is_meta and type(tensor) in (Tensor, nn.Parameter)
