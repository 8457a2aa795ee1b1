"""What torch.jit's tracer meets when nothing is computed: shapes."""

from typing import Any

import torch

from flopledger.counting.shapes.answered_calls import answered
from flopledger.counting.shapes.dispatch_mode import DispatchMode
from flopledger.counting.shapes.meta_layouts import blank
from flopledger.counting.shapes.meta_selection import evenly
from flopledger.counting.shapes.operators import operator_of
from flopledger.counting.shapes.overwritten import Overwritten
from flopledger.counting.structure.tracer_state import tracer

aten = torch.ops.aten

_META = torch.device("meta")


class ShapesOnly(DispatchMode):
    """Answers every operator with its result's shape: floats on meta, integers real.

    The tracer writes an operator down before the dispatcher reaches this mode, and writes its
    result down afterwards, whoever made it.
    """

    def __init__(self, overwritten: Overwritten, zeros_known: bool) -> None:
        super().__init__()
        self._zeros_known = zeros_known
        self._overwritten = overwritten

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        with torch._C.DisableTorchFunction():  # else this code, too, is told that meta is the CPU
            return self._answer(func, args, kwargs or {})

    def _answer(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        state = torch._C._get_tracing_state()
        if state is None:  # inside a traced operator
            # attention's causal mask: a square that nobody reads
            if func is aten.ones.default and kwargs.get("device") == _META:
                return func(*args, **kwargs)
            if func is aten.tril.default and args[0].is_meta:
                return blank(args[0], args[0].shape)  # PyTorch's own rule would import sympy
            return self._shape(func, args, kwargs)
        if func is aten.convolution.default:
            # the tracer writes down the aten::_convolution that this one's kernel would call
            with tracer(state, excluded=False), self:
                return aten._convolution.default(*args, False, False, False, False)
        # PyTorch's rules in Python would be traced: their sizes would be tensors
        with tracer(None, excluded=True):
            return self._shape(func, args, kwargs)

    def _shape(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if func is aten._convolution.default:  # has no rule on meta
            func, args = aten.convolution.default, args[:9]
        operator = operator_of(func)
        args, kwargs, _, out = answered(
            func, operator, args, kwargs, self._overwritten, self._zeros_known
        )
        if operator.selects and args[0].is_meta:
            return evenly(operator.name, args, kwargs, out)
        return out
