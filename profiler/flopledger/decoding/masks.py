"""What attention's masks throw away of a prompt's products, where only its cache tells them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from torch import nn

from flopledger.calls import OpCall
from flopledger.decoding.cache_tensors import cached_layers

_SOFTMAX = ("aten::_softmax", "aten::_safe_softmax")


def needed_macs(calls: Iterable[OpCall], module: nn.Module, out: Any, tokens: int) -> int | None:
    """The MACs of a prompt without those that causal masks and windows throw away.

    A mask that attention is given as flags says what it throws away. One that is added as numbers
    does not: there, a layer's window is that of its part of the cache.

    Args:
        calls: those of the pass.
        module: the model.
        out: what forward returned.
        tokens: of the prompt, a sequence.

    Returns:
        The MACs; None where a mask is added as numbers, and no window is known.
    """
    by_path: dict[str, list[OpCall]] = defaultdict(list)
    for call in calls:
        by_path[call.path].append(call)
    layers, thrown = cached_layers(out), 0
    for path, own in by_path.items():
        told = sum(call.masked_macs for call in own)
        thrown += told
        if told or tokens == 1 or not any(_scores(call, tokens) for call in own):
            continue
        index = getattr(module.get_submodule(path), "layer_idx", None)
        if not isinstance(index, int) or index >= len(layers):
            return None
        square = sum(call.macs for call in own if _of_square(call, tokens))
        thrown += square - square * _met(tokens, layers[index]) // tokens**2
    return sum(call.macs for own in by_path.values() for call in own) - thrown


def _met(tokens: int, layer: Any) -> int:
    """Pairs of a token and one that it attends to: those before it, itself, and no more."""
    window = getattr(layer, "sliding_window", None) or tokens
    return sum(min(place, window) for place in range(1, tokens + 1))


def _scores(call: OpCall, tokens: int) -> bool:
    """Whether it makes shares of each token's attention to every other (and to a sink)."""
    return call.op in _SOFTMAX and any(
        len(shape) > 2 and shape[-2] == tokens <= shape[-1] for shape in call.outputs
    )


def _of_square(call: OpCall, tokens: int) -> bool:
    return bool(call.macs) and any(
        shape[-2:] == (tokens, tokens) for shape in (*call.inputs, *call.outputs)
    )
