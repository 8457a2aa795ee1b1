"""Whether torch.jit's tracer writes down what runs: switched on and off for a while."""

from typing import Any

import torch

_TRACER = torch._C._dispatch_key_parse("Tracer")
_exclude = torch._C._dispatch_tls_set_dispatch_key_excluded
_excluded = torch._C._dispatch_tls_is_dispatch_key_excluded


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
