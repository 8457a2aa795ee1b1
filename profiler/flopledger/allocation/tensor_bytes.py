"""The bytes of tensors' storages, and the tensors that a backward pass starts from."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from flopledger.counting.structure.leaves import roots_of
from flopledger.errors import WrongOption


def stored(tensors: Iterable[Any]) -> int:
    """The bytes of the tensors' storages, each once."""
    storages = [t.untyped_storage() for t in tensors if isinstance(t, Tensor)]
    return sum({storage._cdata: storage.nbytes() for storage in storages}.values())


def outputs_of(out: Any) -> list[Tensor]:
    """The tensors of a forward pass's result from which a backward pass can start.

    Raises:
        WrongOption: there are none.
    """
    roots = roots_of(out)
    if not roots:
        raise WrongOption(
            "no output requires a gradient, so there is no training step; unfreeze a parameter, "
            "or say backward=False"
        )
    return roots
