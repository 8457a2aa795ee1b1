"""The tensors that a cache holds, whatever class it is of, and which of them grow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from flopledger.counting.structure.met_params import key_of

# of each storage that a pass returns as it got it, by its key, the elements read and written
Kept = Mapping[int, tuple[int, int]]

# what transformers' forward calls its cache, and its result likewise
CACHES = ("past_key_values", "cache_params")

_ENDS = (str, bytes, int, float, bool, complex, type(None), type)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What one more token adds to a cache.

    Attributes:
        token_bytes: of one token in every layer, until a layer's window is full.
        state_bytes: of what is as large after one token as after many: a state-space model's.
        rewritten_bytes: of these, what a step writes: all that it makes anew, and of what it keeps
            (an encoder's keys, slots reserved for tokens) what it writes there.
        growing: how many tensors grow.
    """

    token_bytes: int
    state_bytes: int
    rewritten_bytes: int
    growing: int


def tensors_reached(held: Any) -> list[Tensor]:
    """Each tensor that is reached from it once, in its order."""
    return list(_reached(held, set()))


def cached_layers(out: Any) -> list[Any]:
    """The layers of transformers' cache in what forward returned; none where there is none."""
    for name in CACHES:
        layers = getattr(part_of(out, name), "layers", None)
        if isinstance(layers, list):
            return layers
    return []


def part_of(out: Any, name: str) -> Any:
    """What a result has under that name; None where it has not."""
    return out.get(name) if isinstance(out, Mapping) else getattr(out, name, None)


def size_of(tensors: Sequence[Tensor]) -> int:
    """Their bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def grown(before: Sequence[Tensor], after: Sequence[Tensor], kept: Kept) -> Growth:
    """What grew between two caches, one token apart."""
    token = state = rewritten = growing = 0
    for old, new in zip(before, after, strict=True):
        if old.shape == new.shape:
            state += size_of([new])
            rewritten += _part(old, kept, 1)
        else:
            token += size_of([new]) - size_of([old])
            growing += 1
    return Growth(token_bytes=token, state_bytes=state, rewritten_bytes=rewritten, growing=growing)


def read_of(cache: Sequence[Tensor], kept: Kept) -> int:
    """The bytes of a cache that a step reads: all, but of what it keeps as it is what it reads."""
    return sum(_part(tensor, kept, 0) for tensor in cache)


def _part(tensor: Tensor, kept: Kept, which: int) -> int:
    most = tensor.numel()
    return min(most, kept.get(key_of(tensor), (most, most))[which]) * tensor.element_size()


def _reached(held: Any, met: set[int]) -> Iterator[Tensor]:
    if isinstance(held, _ENDS) or id(held) in met:
        return
    met.add(id(held))
    if isinstance(held, Tensor):
        yield held
    elif isinstance(held, Mapping):
        for value in held.values():
            yield from _reached(value, met)
    elif isinstance(held, list | tuple):
        for value in held:
            yield from _reached(value, met)
    else:
        for value in getattr(held, "__dict__", {}).values():
            yield from _reached(value, met)
