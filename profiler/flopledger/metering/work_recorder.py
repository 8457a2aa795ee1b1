"""What reaches the dispatcher while a metered call computes, added up as it comes by."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.counting.dispatch.product_dtypes import add_product
from flopledger.counting.dispatch.recorder import Recorder
from flopledger.counting.formulas.every import work
from flopledger.counting.shapes.operators import Operator, operator_of
from flopledger.counting.structure.shared_objects import ATOMS
from flopledger.counting.structure.wrapped import shape_of

_PLAIN = frozenset({Tensor, nn.Parameter})  # of a strided layout: their shapes are all there is
_current_node = torch._C._current_autograd_node
_hooks = torch._C._autograd._top_saved_tensors_default_hooks


class WorkRecorder(Recorder):
    """Adds up operator calls; writes down those alone whose tensors' shapes do not say it all.

    Attributes:
        worked: whether any operator was called.
        keeps_by_hooks: whether one was where what is kept for its backward pass goes through hooks.
    """

    def __init__(self, backward: bool = False) -> None:
        super().__init__(lambda: "", {}, computed=True, backward=backward)
        self._macs = self._other = 0
        self._unknown: set[str] = set()
        self.worked = self.keeps_by_hooks = False

    @property
    def macs(self) -> int:
        """Of all calls."""
        return self._macs + sum([call.macs for call in self.calls]) if self.calls else self._macs

    @property
    def other_flops(self) -> int:
        """Of all calls."""
        return self._other + sum([call.other_flops for call in self.calls])

    @property
    def recomputed_macs(self) -> int:
        """Those of macs that are forward work, done again in a backward pass."""
        return sum([call.macs for call in self.calls if call.recomputed])

    @property
    def uncounted(self) -> set[str]:
        """Operators without a formula."""
        return self._unknown.union([call.op for call in self.calls if not call.counted])

    def _count(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        self.worked, operator = True, operator_of(func)
        self.keeps_by_hooks = self.keeps_by_hooks or _hooks(True) is not None
        if operator.free:
            return func(*args, **kwargs)
        given: list[Tensor] = []
        taken = None
        if not (self._backward or operator.sparse) and _current_node() is None:
            taken = _taken(args, kwargs, given)
        if taken is None:
            return super()._count(func, args, kwargs)
        out = func(*args, **kwargs)
        try:
            self._add(operator, taken, kwargs, given, out)
        except Exception:  # a fault of ours is no fault of the network
            self._unknown.add(operator.name)
        return out

    def _add(
        self,
        operator: Operator,
        taken: list[Any],
        kwargs: dict[str, Any],
        given: list[Tensor],
        out: Any,
    ) -> None:
        made = [out] if isinstance(out, Tensor) else [t for t in out if isinstance(t, Tensor)]
        shapes = [shape_of(tensor) for tensor in made]
        result = shapes[0] if made and made[0] is out else tuple(shapes)
        try:
            cost = _known(operator.name, tuple(taken), tuple(kwargs.items()), result)
        except TypeError:  # a list of numbers is no key
            cost = work(operator.name, taken, kwargs, result)
        if cost is None:
            self._unknown.add(operator.name)
            return
        macs, other = cost
        if macs:
            if any(tensor.is_complex() for tensor in given):
                macs *= 4  # (a + ib)(c + id) is four real products
            self._macs += macs
            add_product(self.products, operator.name, given, macs)
        if other and any(t.is_floating_point() or t.is_complex() for t in made):
            self._other += other  # integer arithmetic is no FLOP


@lru_cache(maxsize=4096)
def _known(op: str, taken: Any, kwargs: Any, result: Any) -> tuple[int, int] | None:
    return work(op, taken, dict(kwargs), result)


def _taken(args: Any, kwargs: dict[str, Any], given: list[Tensor]) -> list[Any] | None:
    """The arguments, every tensor replaced by its shape; None where one is of another sort.

    Args:
        args: by place.
        kwargs: by name; none is a tensor.
        given: is told of the tensors.
    """
    taken: list[Any] = []
    for value in args:
        kind = type(value)
        if kind in _PLAIN:
            if value.layout is not torch.strided or value.is_nested:
                return None
            given.append(value)
            taken.append(tuple(value.shape))
        elif kind in ATOMS or (kind is list and all(type(item) in ATOMS for item in value)):
            taken.append(value)
        else:
            return None
    return None if any(type(value) not in ATOMS for value in kwargs.values()) else taken
