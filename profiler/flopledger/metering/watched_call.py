"""One call of a metered module, watched while it really computes."""

import sys
from collections import Counter
from contextlib import ExitStack

import torch

from flopledger.calls import OpCall
from flopledger.counting.dispatch_counter import Recorder
from flopledger.counting.threads import followed


class WatchedCall:
    """Writes down the operator calls of one call of a module, in whatever thread it makes them."""

    def __init__(self) -> None:
        self._recorders: list[Recorder] = []
        with ExitStack() as modes:
            if "torch._dynamo" in sys.modules:
                # compiled code hides its operators: what it was compiled from runs
                modes.enter_context(torch.compiler.set_stance("force_eager"))
            modes.enter_context(followed(self._recorder))
            modes.enter_context(self._recorder())
            self._modes = modes.pop_all()

    def _recorder(self) -> Recorder:
        self._recorders.append(Recorder(lambda: "", {}, computed=True))
        return self._recorders[-1]

    @property
    def elsewhere(self) -> bool:
        """Whether part of it was done in other threads."""
        return any(recorder.calls for recorder in self._recorders[1:])

    def end(self) -> list[OpCall]:
        """The calls."""
        self._modes.close()
        return [call for recorder in self._recorders for call in recorder.calls]

    def products(self) -> Counter[str]:
        """MACs by the dtype of what was multiplied."""
        return sum((recorder.products for recorder in self._recorders), Counter[str]())
