"""Signature: calls of one module that should cost the same."""

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.counting.attempts import by_dispatch
from flopledger.counting.copying import Copier
from flopledger.counting.doubles import doubled
from flopledger.counting.leaves import tensors_within

_AGAIN = frozenset(2 * 4**k for k in range(20))  # calls that are watched again, ever fewer


class Signature:
    """Calls of one module with inputs of the same shapes and dtypes, in the same mode.

    Attributes:
        calls: how many there were, failed ones left out.
        counts: (MACs, other FLOPs) of those that were watched.
        backwards: backward passes that reached the result of one of them.
    """

    __slots__ = (
        "args", "backward_macs", "backwards", "calls", "counts", "failed", "grad", "inside",
        "kwargs", "module", "name", "samples", "seconds", "shapes", "started", "training",
        "uncounted",
    )  # fmt: skip

    def __init__(self, name: str, module: nn.Module, args: Any, kwargs: Any, inside: bool) -> None:
        tensors = tensors_within((args, kwargs))
        self.name, self.module, self.inside = name, module, inside
        self.training, self.grad = module.training, torch.is_grad_enabled()
        self.shapes = tuple((tuple(t.shape), str(t.dtype).removeprefix("torch.")) for t in tensors)
        self.samples = tensors[0].shape[0] if tensors and tensors[0].dim() else 1
        # as they are now: a cache among them may grow in the call
        given = Copier(_shape_alone)((args, kwargs)) if self.grad and not inside else ((), {})
        self.args, self.kwargs = given
        self.calls = self.started = self.failed = self.backwards = 0
        self.seconds = 0.0
        self.counts: list[tuple[int, int]] = []
        self.uncounted: set[str] = set()
        self.backward_macs: int | None = None

    @property
    def varies(self) -> bool:
        """Whether calls of it were seen to cost differently: then each one is watched."""
        return len(set(self.counts)) > 1

    def due(self, recount: int) -> bool:
        """Whether the call that has just started is to be watched."""
        n = self.started
        return n == 1 or n in _AGAIN or n % recount == 0 or self.varies


def _shape_alone(leaf: Tensor) -> Tensor:
    if leaf.is_floating_point() or leaf.is_complex():
        bare = torch.empty(leaf.shape, dtype=leaf.dtype, device="meta")
        return bare.requires_grad_(leaf.requires_grad)
    return leaf.detach().clone()


def key_of(value: Any) -> Hashable:
    """What of an argument decides how much work a call is."""
    if isinstance(value, Tensor):
        return value.shape, value.dtype, value.requires_grad
    if isinstance(value, list | tuple):
        return tuple(map(key_of, value))
    if isinstance(value, dict):
        return tuple((key, key_of(item)) for key, item in value.items())
    try:
        hash(value)
    except Exception:  # a container's own hash may be anybody's code
        return str(type(value))
    return value  # type: ignore[no-any-return]


def backward_macs(signature: Signature) -> int | None:
    """Of one backward pass from every result: counted without values; None where that fails."""
    inputs = (signature.args, signature.kwargs)
    with doubled(signature.module, inputs, lambda tensor: tensor) as double:
        double.module.training = signature.training
        calls = by_dispatch(double.module, inputs, backward=True).calls
    if calls is None:
        return None
    return sum(call.macs for call in calls if call.backward)
