"""A meter beside torch.compile: its hooks are never compiled, nor is a call while it is watched."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch

_OURS = "flopledger.metering", "flopledger.counting"  # what hooks run


def leave_out_hooks() -> None:
    """See that PyTorch's compiler, if it is loaded, runs hooks as they are where it meets them."""
    rules: Any = sys.modules.get("torch._dynamo.trace_rules")
    if rules is not None and not getattr(rules, "_flopledger_left_out", False):
        for package in _OURS:
            rules.add(package)
        rules._flopledger_left_out = True


def suspend() -> Any:
    """Compile no more of what this thread is in.

    Returns:
        What `resume` goes on with; None where nothing was being compiled.
    """
    from torch._C._dynamo.eval_frame import set_eval_frame

    return set_eval_frame(None)


def resume(suspended: Any) -> None:
    """Go on where it was suspended, in that same call."""
    from torch._C._dynamo.eval_frame import set_eval_frame

    set_eval_frame(suspended)


_lock = Lock()
_eager: list[Any] = []  # how it was entered, once for each who asks for it; by the first


@contextmanager
def run_as_written() -> Iterator[None]:
    """In the body all that is compiled runs as it was written.

    PyTorch has one stance for all threads, which each would leave as it came upon it: the first
    sets it here, and the last sets it back.
    """
    with _lock:
        _eager.append(None if _eager else torch.compiler.set_stance("force_eager"))
    try:
        yield
    finally:
        with _lock:
            first = _eager[0]
            _eager.pop()
            if not _eager:
                first.__exit__(None, None, None)
