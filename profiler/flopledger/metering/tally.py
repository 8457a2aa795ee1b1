"""Tally: what metered calls came to, as numbers that add up."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import add, attrgetter, sub
from typing import Any


@dataclass(kw_only=True, slots=True)
class Tally:
    """Sums over calls; those inside another metered call are its part.

    Attributes:
        passes: calls that returned; what is computed again (checkpointing) is none.
        samples: of them.
        tokens: positions in their token ids.
        padding: positions among these that a mask leaves out.
        untold: passes that were given no token ids.
        failed: calls that raised.
        macs: of the passes.
        other_flops: of the passes, of every other kind.
        unwatched: passes of which no MACs are known.
        backward_passes: runs of the backward pass that reached a call.
        backward_macs: of what these ran of the calls' graphs.
        unknown_backwards: parts of these whose MACs are not known.
        recomputed_macs: of forward work that was done again during a backward pass.
    """

    passes: int = 0
    samples: int = 0
    tokens: int = 0
    padding: Any = 0  # a number, or one that a device still works out
    untold: int = 0
    failed: int = 0
    macs: float = 0
    other_flops: float = 0
    unwatched: int = 0
    backward_passes: int = 0
    backward_macs: float = 0
    unknown_backwards: int = 0
    recomputed_macs: float = 0

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return _tally(map(add, _numbers(self), _numbers(other)))

    def less(self, before: "Tally") -> "Tally":
        """What came since."""
        return _tally(map(sub, _numbers(self), _numbers(before)))

    def to_dict(self) -> dict[str, float]:
        """Its fields, to be saved; the padding is waited for."""
        return {name: getattr(self, name) for name in NAMES} | {"padding": int(self.padding)}


NAMES = tuple(field.name for field in fields(Tally))
_numbers = attrgetter(*NAMES)


def _tally(numbers: Iterable[Any]) -> Tally:
    return Tally(**dict(zip(NAMES, numbers, strict=True)))
