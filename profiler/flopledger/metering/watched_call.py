"""One call of a metered module, watched while it really computes."""

import sys
from contextlib import ExitStack
from typing import Any

from torch.utils._python_dispatch import (
    _get_current_dispatch_mode_stack,
    _pop_mode,
    _push_mode,
)

from flopledger.counting.dispatch.threads import followed
from flopledger.metering.uncompiled import leave_out_hooks, resume, run_as_written, suspend
from flopledger.metering.work_recorder import WorkRecorder


class WatchedCall:
    """Adds up the operator calls of one call of a module.

    Args:
        follows: whether those that it makes in other threads are looked for.

    Attributes:
        macs: of all products; this and the others once the call has ended.
        other_flops: FLOPs of every other kind.
        products: MACs by the dtype of what was multiplied.
        uncounted: operators without a formula.
        elsewhere: whether part of it was done in other threads.
        keeps_by_hooks: whether what it keeps for the backward pass goes through hooks.
    """

    __slots__ = (
        "_modes", "_recorders", "_suspended", "elsewhere", "keeps_by_hooks", "macs", "other_flops",
        "products", "uncounted",
    )  # fmt: skip

    def __init__(self, follows: bool) -> None:
        self._recorders: list[WorkRecorder] = []
        self.macs = self.other_flops = 0
        self.products = dict[str, int]()
        self.uncounted = set[str]()
        self.elsewhere = self.keeps_by_hooks = False
        self._modes: ExitStack | None = None
        self._suspended: Any = None
        compiles = "torch._dynamo" in sys.modules
        if follows or compiles:
            with ExitStack() as modes:
                if compiles:
                    # compiled code hides its operators: what it was compiled from runs, here and
                    # in what is compiled within the call
                    leave_out_hooks()  # it may have been loaded since the meter was attached
                    self._suspended = suspend()
                    modes.enter_context(run_as_written())
                if follows:
                    modes.enter_context(followed(lambda: self._recorder))
                self._modes = modes.pop_all()
        self._recorder().__enter__()  # type: ignore[no-untyped-call]

    def _recorder(self) -> WorkRecorder:
        self._recorders.append(WorkRecorder())
        return self._recorders[-1]

    def break_off(self) -> None:
        """End, where it was not told at its time: modes may have been entered or left since."""
        recorder, above = self._recorders[0], list[Any]()
        if any(mode is recorder for mode in _get_current_dispatch_mode_stack()):
            while (mode := _pop_mode()) is not recorder:
                above.append(mode)
            _push_mode(recorder)
            recorder.__exit__(None, None, None)
            while above:
                _push_mode(above.pop())
        if self._modes is not None:
            self._modes.close()

    def end(self) -> None:
        """Watch no longer."""
        self._recorders[0].__exit__(None, None, None)  # type: ignore[no-untyped-call]
        if self._modes is not None:
            self._modes.close()
        if self._suspended is not None:
            resume(self._suspended)
        for recorder in self._recorders:
            self.macs += recorder.macs
            self.other_flops += recorder.other_flops
            self.uncounted |= recorder.uncounted
            for dtype, macs in recorder.products.items():
                self.products[dtype] = self.products.get(dtype, 0) + macs
        self.elsewhere = any(recorder.worked for recorder in self._recorders[1:])
        self.keeps_by_hooks = any(recorder.keeps_by_hooks for recorder in self._recorders)
