"""Roofline: one pass of a network on devices that are named, at most."""

from dataclasses import dataclass
from math import isnan
from typing import Any

from flopledger.rooflines.device_bounds import DeviceBounds
from flopledger.storage.json_text import json_text
from flopledger.storage.visible import visible_lines


@dataclass(frozen=True, kw_only=True, repr=False)
class Roofline:
    """What devices can do at most with one pass, or one step of training.

    Attributes:
        model: what the network is called.
        dtype: of weights, activations and products: "bfloat16".
        fused: whether a layer is one kernel; if not, each of its operators reads and writes memory.
        optimiser: of a training step; None where it is a forward pass.
        devices: in the order asked for.
        notes: what had to be assumed, a line each.
        complete: whether every operator's FLOPs and bytes are known; if not, the times are still
            lower bounds.
    """

    model: str
    dtype: str
    fused: bool
    optimiser: str | None
    devices: tuple[DeviceBounds, ...]
    notes: tuple[str, ...]
    complete: bool

    def as_object(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; what is not known or defined is None."""
        return {
            "model": self.model,
            "dtype": self.dtype,
            "fused": self.fused,
            "optimiser": self.optimiser,
            "complete": self.complete,
            "notes": list(self.notes),
            "devices": [_device(bounds) for bounds in self.devices],
        }

    def to_json(self) -> str:
        """As `flopledger profile MODEL --on DEVICE --format json` has it in "roofline"."""
        return json_text(self.as_object())

    def __repr__(self) -> str:
        from flopledger.reports.roofline import lines_of

        parts = [
            "\n".join([*lines_of(self, bounds), bounds.by_layer().to_string(index=False)])
            for bounds in self.devices
        ]
        return visible_lines("\n".join(parts))

    def _repr_html_(self) -> str:
        from flopledger.reports.roofline import html

        return html(self)


def _device(bounds: DeviceBounds) -> dict[str, Any]:
    rows = bounds.by_layer().to_dict("records")
    return {
        "device": bounds.device.as_object(),
        "utilisation": bounds.utilisation,
        "flops": bounds.flops,
        "bytes": bounds.bytes,
        "fixed_bytes": bounds.fixed_bytes,
        "samples": bounds.samples,
        "tokens": bounds.tokens,
        "arithmetic_seconds": bounds.arithmetic_seconds,
        "memory_seconds": bounds.memory_seconds,
        "least_seconds": bounds.least_seconds,
        "layers_seconds": bounds.layers_seconds,
        "bound": bounds.bound,
        "samples_per_second_at_most": bounds.samples_per_second,
        "tokens_per_second_at_most": bounds.tokens_per_second,
        "turns_at_samples": bounds.turns_at,
        "held_bytes": bounds.held_bytes,
        "fits": bounds.fits,
        "layers": [{str(key): _defined(cell) for key, cell in row.items()} for row in rows],
    }


def _defined(cell: Any) -> Any:
    return None if isinstance(cell, float) and isnan(cell) else cell
