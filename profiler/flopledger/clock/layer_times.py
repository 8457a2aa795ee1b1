"""Timing: the seconds of a forward pass, layer by layer, beside what the device could do."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from math import isnan, nan
from typing import Any

import pandas as pd

from flopledger.clock.peaks import Peaks
from flopledger.storage.json_text import json_text
from flopledger.storage.visible import visible_lines

BOUNDS = ("arithmetic", "memory", "overhead")
NOT_KNOWN = "not known"
_OVERHEAD = 10  # times the seconds that the peaks allow


@dataclass(frozen=True, kw_only=True)
class LayerTime:
    """One layer's part of a pass: what it does itself, no module inside it.

    Attributes:
        path: its first name in the network, dotted; "" is the network itself.
        kind: "conv", "linear", "norm", ... or its class.
        calls: how often it ran in a pass.
        seconds: of a pass with hooks, all its calls together: the median of the repeats.
        low: the quickest of them, in seconds.
        high: the slowest, in seconds.
        macs: as counted.
        other_flops: as counted.
        bytes: that its operators read and write, run one by one (`Traffic`); None if not known.
    """

    path: str
    kind: str
    calls: int
    seconds: float
    low: float
    high: float
    macs: int
    other_flops: int
    bytes: int | None

    @property
    def flops(self) -> int:
        """All of them, of either class."""
        return 2 * self.macs + self.other_flops

    def bound(self, peaks: Peaks) -> str:
        """What keeps it from being quicker: one of `BOUNDS`; see `Timing.by_layer`.

        "not known" where its bytes are not.
        """
        if self.bytes is None:
            return NOT_KNOWN
        arithmetic = self.flops / peaks.flops_per_second
        memory = self.bytes / peaks.bytes_per_second
        if self.seconds > _OVERHEAD * max(arithmetic, memory):
            return "overhead"
        return "arithmetic" if arithmetic >= memory else "memory"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one forward pass took.

    Attributes:
        device: what its maker calls it.
        threads: of torch on the CPU.
        repeats: passes without hooks, and as many with them, one after the other in turns.
        seconds: of a pass without hooks: the median of the repeats.
        low: the quickest of them, in seconds.
        high: the slowest, in seconds.
        hooked_seconds: of a pass with hooks on every module: the median of the repeats.
        peaks: what the device does at most.
        layers: every layer that ran or has work, in the network's order; their seconds, before
            medians are taken, sum to those of the pass with hooks.
        complete: whether every operator has a formula; if not, MACs and FLOPs are lower bounds.
    """

    device: str
    threads: int
    repeats: int
    seconds: float
    low: float
    high: float
    hooked_seconds: float
    peaks: Peaks
    layers: tuple[LayerTime, ...]
    complete: bool

    @property
    def overhead_seconds(self) -> float:
        """What the hooks add to a pass; below 0 where that is less than the passes vary."""
        return self.hooked_seconds - self.seconds

    @property
    def flops_per_second(self) -> float:
        """2 x MACs of a pass over the seconds of one without hooks."""
        return 2 * sum(layer.macs for layer in self.layers) / self.seconds

    @property
    def utilisation(self) -> float:
        """The share of the device's FLOPs a second that the pass reaches."""
        return self.flops_per_second / self.peaks.flops_per_second

    def shares(self) -> dict[str, float]:
        """The share of the layers' seconds spent in layers of each of `BOUNDS`; they sum to 1.

        "not known" is one more where the bytes of layers are not.
        """
        seconds = Counter[str]()
        for layer in self.layers:
            seconds[layer.bound(self.peaks)] += layer.seconds  # type: ignore[assignment]
        whole = sum(seconds.values())
        bounds = (*BOUNDS, NOT_KNOWN) if NOT_KNOWN in seconds else BOUNDS
        return {bound: seconds[bound] / whole if whole else nan for bound in bounds}

    def folded(self, depth: int) -> "Timing":
        """With layers whose path is longer added to the module of that many path parts.

        Seconds are added as they stand: medians to medians, the quickest to the quickest.
        """
        groups: dict[str, list[LayerTime]] = {}
        for layer in self.layers:
            parts = layer.path.split(".") if layer.path else []
            groups.setdefault(".".join(parts[:depth]), []).append(layer)
        whole = {layer.path: layer for layer in self.layers}
        return replace(
            self,
            layers=tuple(_together(path, whole.get(path), group) for path, group in groups.items()),
        )

    def by_layer(self) -> pd.DataFrame:
        """One row a layer, in the network's order.

        Returns:
            layer, kind, calls, seconds (the median), seconds_low (the quickest), seconds_high (the
            slowest), share (of all layers' seconds), macs, flops_per_second (2 x MACs; NaN without
            MACs), bytes (None if not known), intensity (FLOPs of both classes a byte; NaN without
            bytes), bound and utilisation (flops_per_second over the device's peak). bound is "not
            known" where bytes are not; "overhead" where a layer takes more than 10 times what the
            peaks allow for its FLOPs and bytes; else "arithmetic" where its FLOPs at the peak take
            longer than its bytes at theirs (its intensity is at or above the ridge), and "memory"
            where its bytes do. Bytes are taken to come from memory each time: a layer whose tensors
            lie in a cache can be quicker.
        """
        whole = sum(layer.seconds for layer in self.layers)
        rows = []
        for layer in self.layers:
            timed = layer.macs and layer.seconds
            rate = 2 * layer.macs / layer.seconds if timed else nan
            rows.append(
                {
                    "layer": layer.path,
                    "kind": layer.kind,
                    "calls": layer.calls,
                    "seconds": layer.seconds,
                    "seconds_low": layer.low,
                    "seconds_high": layer.high,
                    "share": layer.seconds / whole if whole else nan,
                    "macs": layer.macs,
                    "flops_per_second": rate,
                    "bytes": layer.bytes,
                    "intensity": layer.flops / layer.bytes if layer.bytes else nan,
                    "bound": layer.bound(self.peaks),
                    "utilisation": rate / self.peaks.flops_per_second,
                }
            )
        return pd.DataFrame(rows)

    def as_object(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; what is not defined is None."""
        rows = self.by_layer().to_dict("records")
        return {
            "device": self.device,
            "threads": self.threads,
            "repeats": self.repeats,
            "seconds": {"median": self.seconds, "low": self.low, "high": self.high},
            "hooked_seconds": self.hooked_seconds,
            "flops_per_second": self.flops_per_second,
            "utilisation": self.utilisation,
            "complete": self.complete,
            "peaks": asdict(self.peaks),
            "bounds": {bound: _defined(share) for bound, share in self.shares().items()},
            "layers": [{str(name): _defined(v) for name, v in row.items()} for row in rows],
        }

    def to_json(self) -> str:
        """What `flopledger profile MODEL --time --format json` writes under "time"."""
        return json_text(self.as_object())

    def __repr__(self) -> str:
        return visible_lines(f"{self._heading()}\n{self.by_layer().to_string(index=False)}")

    def _repr_html_(self) -> str:
        from flopledger.reports.timing import html

        return html(self)

    def _heading(self) -> str:
        least = "" if self.complete else "at least "
        return (
            f"{self.seconds:.3g} s a pass ({self.low:.3g} to {self.high:.3g}, {self.repeats} "
            f"repeats) on {self.device}: {least}{self.flops_per_second:.4g} FLOP/s, "
            f"{least}{self.utilisation:.1%} of the measured peak"
        )


def _defined(value: Any) -> Any:
    return None if isinstance(value, float) and isnan(value) else value


def _together(path: str, own: LayerTime | None, group: list[LayerTime]) -> LayerTime:
    def total(quantity: str) -> Any:
        return sum(getattr(layer, quantity) for layer in group)

    return LayerTime(
        path=path,
        kind=own.kind if own else "",
        calls=own.calls if own else 0,
        seconds=total("seconds"),
        low=total("low"),
        high=total("high"),
        macs=total("macs"),
        other_flops=total("other_flops"),
        bytes=None if any(layer.bytes is None for layer in group) else total("bytes"),
    )
