"""What torch.jit's tracer meets when nothing is computed: shapes."""

from typing import Any

import torch

from flopledger.counting.dispatch_mode import DispatchMode
from flopledger.counting.kernel_checks import refuse
from flopledger.counting.meta_devices import on_one_device
from flopledger.counting.meta_layouts import blank
from flopledger.counting.meta_selection import evenly, selects
from flopledger.counting.meta_shapes import infer
from flopledger.counting.overwritten import Overwritten

aten = torch.ops.aten

_META = torch.device("meta")
_TRACER = torch._C._dispatch_key_parse("Tracer")
_exclude = torch._C._dispatch_tls_set_dispatch_key_excluded
_excluded = torch._C._dispatch_tls_is_dispatch_key_excluded


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
        op = func._schema.name
        if self._overwritten.writes(op, args, kwargs):
            return args[0]
        args, kwargs = self._overwritten.shapes_of(op, args, kwargs)
        refuse(op, args)
        args, kwargs = on_one_device(op, args, kwargs, self._zeros_known)
        out = infer(op, func._schema.overload_name, args, kwargs)
        if out is NotImplemented:
            out = func(*args, **kwargs)
        return evenly(op, args, kwargs, out) if selects(op) and args[0].is_meta else out


class tracer:  # a generator would take twice the time, at every call
    """The tracer in that state, its dispatch key excluded or not; then as it was.

    The key is mostly, not always, excluded where the state is None: what was found is put back, or
    every later trace of the process would fail.
    """

    __slots__ = ("_before", "_inside")

    def __init__(self, state: Any, excluded: bool) -> None:
        self._inside = state, excluded

    def __enter__(self) -> None:
        self._before = torch._C._get_tracing_state(), _excluded(_TRACER)
        set_tracer(*self._inside)

    def __exit__(self, *_: object) -> None:
        set_tracer(*self._before)


def set_tracer(state: Any, excluded: bool) -> None:
    """The tracer in that state, its dispatch key excluded or not."""
    _exclude(_TRACER, False)  # PyTorch asserts it whenever the state is set
    torch._C._set_tracing_state(state)  # type: ignore[attr-defined]
    _exclude(_TRACER, excluded)
