"""Sparse tensors: what they store, which their shapes do not tell."""

from typing import Any

import torch
from torch import Tensor

from flopledger.errors import FlopledgerError

_DENSE = (torch.strided, torch.jagged)


class SparseMeta(FlopledgerError, RuntimeError):
    """A sparse tensor was to go without its values."""

    def __init__(self) -> None:
        super().__init__("how much a sparse product does depends on the values that are there")


def is_sparse(leaf: Any) -> bool:
    """Whether it is a tensor of a sparse layout."""
    return isinstance(leaf, Tensor) and leaf.layout not in _DENSE


def stored_elements(tensor: Tensor) -> int:
    """Elements that a sparse tensor stores; of blocks all, zeros in them too."""
    return _values(tensor).numel()


def stored_bytes(tensor: Tensor) -> int:
    """Bytes of a tensor's numbers; of a sparse one with where they stand."""
    if not is_sparse(tensor):
        return tensor.numel() * tensor.element_size()
    if tensor.layout is torch.sparse_coo:
        places = [tensor._indices()]
    elif tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        places = [tensor.crow_indices(), tensor.col_indices()]
    else:
        places = [tensor.ccol_indices(), tensor.row_indices()]
    return sum(part.numel() * part.element_size() for part in (_values(tensor), *places))


def _values(tensor: Tensor) -> Tensor:
    return tensor._values() if tensor.layout is torch.sparse_coo else tensor.values()
