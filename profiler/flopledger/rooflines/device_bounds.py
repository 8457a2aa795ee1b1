"""Bounds: the least seconds of a pass and of its layers on one device, from its peaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import pandas as pd

from flopledger.clock.named_devices import NamedDevice, turns_at

Bound = Literal["arithmetic", "memory"]


@dataclass(frozen=True, kw_only=True)
class LayerBound:
    """One layer's least time.

    Attributes:
        path: its first name in the network, dotted; "" is the network itself.
        kind: "conv", "linear", ... or its class.
        flops: 2 x MACs.
        bytes: that it moves.
        arithmetic_seconds: flops at the device's peak.
        memory_seconds: bytes at the device's bandwidth.
    """

    path: str
    kind: str
    flops: int
    bytes: int
    arithmetic_seconds: float
    memory_seconds: float

    @property
    def seconds(self) -> float:
        """The least that it can take: the longer of the two."""
        return max(self.arithmetic_seconds, self.memory_seconds)

    @property
    def bound(self) -> Bound:
        """Which of the two that is."""
        return "arithmetic" if self.arithmetic_seconds >= self.memory_seconds else "memory"


@dataclass(frozen=True, kw_only=True)
class DeviceBounds:
    """What one device can do at most, were its peaks reached.

    Attributes:
        device: its peaks, and where they are from.
        layers: the least time of each layer; of a training step the optimiser is one.
        flops: of the whole pass, what a causal mask lets kernels skip left out.
        bytes: of the whole pass as one kernel: no way of running it moves fewer.
        fixed_bytes: those of them that more samples do not add to: parameters, and of a training
            step their gradients and the optimiser's state.
        samples: of the pass.
        tokens: of the pass; None where it takes no sequences of tokens.
        held_bytes: that the pass holds at its peak; None where that is not known.
        utilisation: the share of its rates that the device is taken to reach; 1 is the bound.
    """

    device: NamedDevice
    layers: tuple[LayerBound, ...]
    flops: int
    bytes: int
    fixed_bytes: int
    samples: int
    tokens: int | None
    held_bytes: int | None
    utilisation: float

    @property
    def arithmetic_seconds(self) -> float:
        """The whole pass's FLOPs at the peak."""
        return self._seconds(self.flops, self.bytes)[0]

    @property
    def memory_seconds(self) -> float:
        """The whole pass's least bytes at the bandwidth."""
        return self._seconds(self.flops, self.bytes)[1]

    @property
    def least_seconds(self) -> float:
        """The longer of the two: no implementation of the pass takes less at these rates."""
        return max(self.arithmetic_seconds, self.memory_seconds)

    @property
    def bound(self) -> Bound:
        """Which of the two that is."""
        return "arithmetic" if self.arithmetic_seconds >= self.memory_seconds else "memory"

    @property
    def layers_seconds(self) -> float:
        """The layers' least times together: one after the other, nothing handed on in a cache."""
        return sum(layer.seconds for layer in self.layers)

    @property
    def samples_per_second(self) -> float:
        """At most."""
        return self.samples / self.least_seconds

    @property
    def tokens_per_second(self) -> float | None:
        """At most; None where there are no tokens."""
        return None if self.tokens is None else self.tokens / self.least_seconds

    @property
    def fits(self) -> bool | None:
        """Whether the device's memory holds the pass; None where either is not known."""
        return self.device.holds(self.held_bytes)

    @property
    def turns_at(self) -> float | None:
        """The number of samples from which arithmetic sets the limit; None where none does.

        What each sample adds, FLOPs and bytes, is taken to be the same for all.
        """
        added = self._seconds(self.flops, self.bytes - self.fixed_bytes)
        arithmetic, moved = (seconds / self.samples for seconds in added)
        return turns_at(self._seconds(0, self.fixed_bytes)[1], arithmetic, moved)

    def _seconds(self, flops: int, moved: int) -> tuple[float, float]:
        return self.device.least_seconds(flops, moved, self.utilisation)

    def by_layer(self) -> pd.DataFrame:
        """One row a layer, in the network's order.

        Returns:
            layer, kind, flops, bytes, intensity (FLOPs a byte; NaN without bytes),
            arithmetic_seconds, memory_seconds, least_seconds, share (of all layers' least seconds)
            and bound.
        """
        whole = self.layers_seconds
        return pd.DataFrame(
            {
                "layer": layer.path,
                "kind": layer.kind,
                "flops": layer.flops,
                "bytes": layer.bytes,
                "intensity": layer.flops / layer.bytes if layer.bytes else nan,
                "arithmetic_seconds": layer.arithmetic_seconds,
                "memory_seconds": layer.memory_seconds,
                "least_seconds": layer.seconds,
                "share": layer.seconds / whole if whole else nan,
                "bound": layer.bound,
            }
            for layer in self.layers
        )


def layer_bounds(
    work: Sequence[tuple[str, str, int, int]], device: NamedDevice, utilisation: float
) -> tuple[LayerBound, ...]:
    """The least times of layers, given as path, kind, FLOPs and bytes."""
    bounds = []
    for path, kind, flops, moved in work:
        arithmetic, memory = device.least_seconds(flops, moved, utilisation)
        bounds.append(
            LayerBound(
                path=path,
                kind=kind,
                flops=flops,
                bytes=moved,
                arithmetic_seconds=arithmetic,
                memory_seconds=memory,
            )
        )
    return tuple(bounds)
