"""Which layer is running: now, in the forward pass, or when a node of the backward was made."""

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from flopledger.counting.dispatch.threads import HandOver, followed, is_followed
from flopledger.counting.structure.hooks import Hook
from flopledger.counting.structure.module_calls import on_calls


class RunningLayer(threading.local):
    """The layers that are running in this thread, the innermost last.

    Args:
        noting: whether it will be asked for the layer of a node of the backward.
    """

    def __init__(self, noting: bool = True) -> None:
        self._noting = noting
        self._stack = [""]
        # (autograd's sequence number, the module that runs from there on)
        self._changes: list[tuple[int, str]] = [(0, "")]
        self._guest = ExitStack()  # what a thread that is not followed runs a layer in

    def now(self) -> str:
        """Its path."""
        return self._stack[-1]

    def of_node(self) -> str:
        """The path of that which made the node that runs."""
        node = torch._C._current_autograd_node()
        if node is None or len(self._stack) > 1:  # a forward pass inside it: checkpointing
            return self._stack[-1]
        return self.of(node)

    def of(self, node: Any) -> str:
        """The path of that which made the node."""
        index = bisect_right(self._changes, node._sequence_nr(), key=lambda change: change[0])
        return self._changes[index - 1][1]

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        """In the body, this thread works for that layer, which runs in another."""
        before, self._stack = self._stack, [path]
        try:
            yield
        finally:
            self._stack = before

    @contextmanager
    def followed(
        self, modules: Sequence[tuple[str, nn.Module]], hand_over: HandOver | None = None
    ) -> Iterator[None]:
        """In the body, follow these layers, by their paths; and what they hand to other threads.

        One of them that runs in a thread which was there before runs in a hand-over as well.
        """

        def enter(path: str) -> Hook:
            def begin(*_: object) -> None:
                if hand_over is not None and len(self._stack) == 1 and not is_followed():
                    self._guest.enter_context(hand_over()())
                self._stack.append(path)
                self._note()

            return begin

        def leave(path: str) -> Hook:
            def end(*_: object) -> None:
                if self._stack[-1] != path or len(self._stack) == 1:
                    return  # a hook of its own raised before it began
                self._stack.pop()
                self._note()
                if len(self._stack) == 1:
                    self._guest.close()

            return end

        with on_calls(modules, enter, leave):
            if hand_over is None:
                yield
            else:
                with followed(hand_over):
                    yield

    def _note(self) -> None:
        if self._noting:
            self._changes.append((torch._C._autograd._get_sequence_nr(), self._stack[-1]))
