"""A meter beside torch.compile: its hooks are never compiled, nor is a call while it is watched."""

import sys
from typing import Any

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
