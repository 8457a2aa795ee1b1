"""True and False where torch takes a number: a trace finds no operator for them."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

NO_OPERATOR = "We don't have an op for"  # what the tracer says of a call with one


def _functions(words: str) -> frozenset[Any]:
    homes = (torch, Tensor)
    return frozenset(getattr(h, word) for word in words.split() for h in homes if hasattr(h, word))


# whether they are given True or 1 changes no result
_FILLS = _functions(
    "scatter scatter_ masked_fill masked_fill_ index_fill index_fill_ fill_ full full_like new_full"
)
# the result's dtype may hang on it: they are given a tensor of it
_MEETS = _functions(
    "eq ne gt lt ge le __eq__ __ne__ __gt__ __lt__ __ge__ __le__ where __setitem__ mul mul_ add "
    "add_ sub sub_ __mul__ __rmul__ __imul__ __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ "
    "__or__ __ror__ __ior__ __and__ __rand__ __iand__ __xor__ __rxor__ __ixor__ bitwise_or "
    "bitwise_and bitwise_xor bitwise_or_ bitwise_and_ bitwise_xor_ clamp clamp_min clamp_max"
)


class FlagsAsNumbers(TorchFunctionMode):
    """While it is on, such functions are given numbers for True and False."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _FILLS:
            flags = [a for a in (*args[1:], kwargs.get("fill_value")) if isinstance(a, bool)]
            if func is torch.full and flags:
                kwargs = {"dtype": torch.bool, **kwargs}
            args = tuple(int(a) if isinstance(a, bool) else a for a in args)
            if isinstance(kwargs.get("fill_value"), bool):
                kwargs = {**kwargs, "fill_value": int(kwargs["fill_value"])}
        elif func in _MEETS:
            args = tuple(torch.tensor(a) if isinstance(a, bool) else a for a in args)
        return func(*args, **kwargs)
