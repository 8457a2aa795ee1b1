"""flex_attention: one operator of a higher order, whose score function no formula looks into."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import Tensor

_HOME = "torch.nn.attention.flex_attention"

# neither compiled, which would take the mode along, nor refused: no kernel of it runs here
_FREED: dict[str, Any] = {
    "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG": True,
    "_validate_device": lambda *_: None,
}


@contextmanager
def uncompiled() -> Iterator[None]:
    """In the body it reaches the dispatcher as it is, on any device."""
    home = sys.modules.get(_HOME)
    if home is None:  # nobody uses it
        yield
        return
    before = {name: getattr(home, name) for name in _FREED}
    vars(home).update(_FREED)
    try:
        yield
    finally:
        vars(home).update(before)


def attend(name: str, args: Any) -> tuple[Any, int, int, int]:
    """What the operator returns (its values are not computed), its MACs, those it may skip.

    The full square is counted, as of any attention: each score once over the query's width and once
    over the value's, and in the backward pass four products of gradients. What it may skip are the
    blocks that its block mask leaves out. Last the MACs of scores that it computes again.

    Args:
        name: "flex_attention" or "flex_attention_backward".
        args: query [batch, heads, length, width], key and value [batch, heads, source, ..], the
            score's function and the block mask's parts first; in the backward pass the result, two
            statistics, their gradients and two graphs stand between.
    """
    query, key, value = args[:3]
    (batch, heads, length, width), source, out = query.shape, key.shape[-2], value.shape[-1]
    scores = batch * heads * length * source
    if name.endswith("backward"):
        grads = tuple(t.new_zeros(t.shape) for t in (query, key, value))
        return (*grads, ()), scores * 2 * (width + out), 0, scores * width
    stat = query.new_zeros(query.shape[:-1], dtype=torch.float32)
    made = (query.new_zeros(*query.shape[:-1], out), stat, stat.clone())
    skipped = max(scores - batch * heads * _kept(args[4], batch * heads), 0)
    return made, scores * (width + out), skipped * (width + out), 0


def _kept(mask: Any, squares: int) -> int:
    """Scores in the blocks that a block mask keeps, of one square on average."""
    # both lengths; how many blocks a row keeps in part, and which; how many whole, and which
    _, _, partial, _, full = mask[:5]
    sides = [entry for entry in mask if isinstance(entry, int)]
    block = prod(sides[2:4])  # after the lengths, the two sides of a block
    kept = sum(int(part.sum()) * squares // prod(part.shape[:2])
               for part in (partial, full) if isinstance(part, Tensor))  # fmt: skip
    return kept * block // squares
