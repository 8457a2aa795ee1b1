"""Point, what is to be counted, and Row, what came of it."""

from dataclasses import asdict, dataclass
from typing import Any

from flopledger.calls import Counter

Key = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network at one size.

    Attributes:
        model: as `flopledger.zoo.sources.find` takes it.
        sizes: by letter.
        inputs: as --input takes them, without letters.
        kwargs: as --kwargs takes them.
        counter: whose count is shown; the other one checks it.
    """

    model: str
    sizes: dict[str, int]
    inputs: tuple[str, ...]
    kwargs: tuple[str, ...] = ()
    counter: Counter = "auto"

    @property
    def key(self) -> Key:
        """What no other point of the sweep has."""
        return (self.model, *sorted(self.sizes.items()))

    @property
    def size(self) -> str:
        """N=128, B=2."""
        return ", ".join(f"{letter}={size}" for letter, size in self.sizes.items())


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one network does at one size, or why that is not known.

    Attributes:
        model: as in `Point`.
        sizes: as in `Point`.
        input: the tensors that went in ("1x3x128x128 float32").
        error: why there are no figures, one line; None where there are.
        samples: that the inputs hold; macs, flops, other_flops and activations are of them all.
        flops_per_param: forward FLOPs of one sample over trainable parameters.
        counter: whose figures these are; None without figures.
        agrees: whether the second counter confirms them; None where it cannot count the network.
        uncounted: operators without a formula; if there are any, the figures are lower bounds.
        notes: what had to be assumed, and where the counters disagree.
    """

    model: str
    sizes: dict[str, int]
    input: str = ""
    samples: int | None = None
    params: int | None = None
    trainable_params: int | None = None
    macs: int | None = None
    flops: int | None = None
    other_flops: int | None = None
    activations: int | None = None
    flops_per_param: float | None = None
    counter: str | None = None
    agrees: bool | None = None
    uncounted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None

    @property
    def key(self) -> Key:
        """As the point's."""
        return (self.model, *sorted(self.sizes.items()))

    def as_object(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings."""
        return asdict(self) | {"uncounted": list(self.uncounted), "notes": list(self.notes)}


def failed(point: Point, error: str) -> Row:
    """The row of a point that could not be counted, and why: its first line."""
    line = (error.strip().splitlines() or ["no reason was given"])[0]
    return Row(model=point.model, sizes=point.sizes, error=line)
