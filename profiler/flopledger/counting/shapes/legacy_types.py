"""torch.FloatTensor and its kin: types that look at where a tensor is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

_NAMES = ("HalfTensor", "BFloat16Tensor", "FloatTensor", "DoubleTensor")


class _Asks(type):
    """Of a class that stands for one of them: an instance is what says that it is of that type."""

    stands_for: Any

    def __instancecheck__(cls, leaf: Any) -> bool:
        return isinstance(leaf, Tensor) and leaf.type() == cls.__name__

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.stands_for(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(type.__getattribute__(cls, "stands_for"), name)


@contextmanager
def asked_by_name() -> Iterator[None]:
    """In the body isinstance(x, torch.FloatTensor) goes by what x.type() says.

    The types themselves, which take no tensor on meta for theirs, ask no mode.
    """
    own = {name: getattr(torch, name) for name in _NAMES}
    for name, kind in own.items():
        # the name is what Tensor.type takes from a class
        setattr(torch, name, _Asks(f"torch.{name}", (), {"stands_for": kind}))
    try:
        yield
    finally:
        for name, kind in own.items():
            setattr(torch, name, kind)
