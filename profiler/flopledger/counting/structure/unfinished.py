"""A forward that returns before it has done its work: a generator, a coroutine."""

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

from torch.utils._pytree import tree_leaves

from flopledger.errors import FlopledgerError


class Unfinished(FlopledgerError, RuntimeError):
    """What a forward returned has yet to run; the message says what to count instead."""


def refuse_unfinished(out: Any) -> None:
    """Nothing, if what a forward returned is done.

    Raises:
        Unfinished: a generator or another iterator, or a coroutine or another awaitable is among
            it.
    """
    for leaf in tree_leaves(out):
        kind = type(leaf).__name__
        if isinstance(leaf, Coroutine):
            leaf.close()  # else Python complains that nobody awaited it
        if hasattr(leaf, "__await__"):
            how = "def forward(self, *args): return asyncio.run(self.network(*args))"
        elif isinstance(leaf, Iterator | AsyncIterator):
            how = "def forward(self, *args): return list(self.network(*args))"
        else:
            continue
        raise Unfinished(
            f"its forward returns a {kind}, whose work is done when somebody asks for it: count a "
            f"module that does, with {how}"
        )
