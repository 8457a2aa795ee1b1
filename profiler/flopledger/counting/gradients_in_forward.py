"""Networks whose forward pass takes gradients itself, as force fields and PINNs do."""

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def asks_for_gradients(error: BaseException) -> bool:
    """Whether it was raised because a pass that keeps nothing for gradients asks for one."""
    return isinstance(error, RuntimeError) and "not require grad" in str(error)


def without_gradients(run: Callable[[], T]) -> T:
    """What `run` returns where nothing is kept for gradients, unless it asks for one itself.

    Raises:
        Exception: whatever it raises.
    """
    try:
        with torch.no_grad():
            return run()
    except RuntimeError as error:
        if not asks_for_gradients(error):
            raise
    with torch.enable_grad():
        return run()
