"""flex_attention: one operator of a higher order, whose score function no formula looks into."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from threading import get_ident
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.dispatch.fused_backward import wanted_macs
from flopledger.counting.dispatch.threads import is_followed

_HOME = "torch.nn.attention.flex_attention"


class _InAPass:
    """True in the threads of a pass, which alone are to go another way.

    Args:
        own: the thread that the pass began in.
        otherwise: what is true in the others.
    """

    def __init__(self, own: int, otherwise: bool) -> None:
        self._own, self._otherwise = own, otherwise

    def __bool__(self) -> bool:
        return is_followed() or get_ident() == self._own or self._otherwise


@contextmanager
def uncompiled() -> Iterator[None]:
    """In the body it reaches the dispatcher as it is, on any device.

    It is neither compiled, which would take the mode along, nor refused: no kernel of it runs here.
    """
    home: Any = sys.modules.get(_HOME)
    if home is None:  # nobody uses it
        yield
        return
    eager, validate = home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG, home._validate_device
    here = _InAPass(get_ident(), eager)
    home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG = here
    home._validate_device = lambda *args: None if here else validate(*args)
    try:
        yield
    finally:
        home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG = eager
        home._validate_device = validate


def attend(name: str, args: Any) -> tuple[Any, int, int, int]:
    """What the operator returns (its values are not computed), its MACs, those it may skip.

    The full square is counted, as of any attention: each score once over the query's width and once
    over the value's, and in the backward pass four products of gradients, of which those count
    that the pass wants. What it may skip are the
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
        macs = wanted_macs(name, [t.shape for t in (query, key, value)])
        return (*grads, ()), scores * 2 * (width + out) if macs is None else macs, 0, scores * width
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
