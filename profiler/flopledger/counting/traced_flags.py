"""True and False where torch takes a number: a trace finds no operator for them."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

NO_OPERATOR = "We don't have an op for"  # what the tracer says of a call with one

# their last argument is a number; that it is 1 or 0 changes no result
_WITH_NUMBERS = frozenset(
    getattr(home, name)
    for name in (
        "scatter scatter_ masked_fill masked_fill_ index_fill index_fill_ fill_ full full_like "
        "new_full eq ne gt lt ge le __eq__ __ne__ __gt__ __lt__ __ge__ __le__"
    ).split()
    for home in (torch, Tensor)
    if hasattr(home, name)
)


class FlagsAsNumbers(TorchFunctionMode):
    """While it is on, such functions are given 1 and 0 for True and False."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _WITH_NUMBERS and args and isinstance(args[-1], bool):
            args = (*args[:-1], int(args[-1]))
            if func is torch.full:
                kwargs = {"dtype": torch.bool, **kwargs}
        return func(*args, **kwargs)
