"""What devices do at most: facts/devices.csv."""

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Peak:
    """FLOPs a second of dense products, and where the figure comes from; None if unknown."""

    flops_per_second: float | None
    source: str

    def __str__(self) -> str:
        if self.flops_per_second is None:
            return "an unknown peak"
        return f"{self.flops_per_second / 1e12:.4g} TFLOP/s ({self.source})"


def peak_of(device: str, dtype: str) -> Peak:
    """The dense peak of a device at a dtype.

    Args:
        device: as its maker calls it ("NVIDIA A100-SXM4-80GB"); the longest name of the table that
            stands in it is taken.
        dtype: "float32", "bfloat16", ...
    """
    rows = [
        row
        for row in _rows()
        if row["name"].lower() in device.lower()
        and dtype in row["dtype"].split()
        and row["sparse"] == "no"
    ]
    if not rows:
        return Peak(None, f"{device} at {dtype} is not in facts/devices.csv")
    row = max(rows, key=lambda one: len(one["name"]))
    return Peak(float(row["tflops"]) * 1e12, row["source"])


def _rows() -> list[dict[str, str]]:
    text = (files("flopledger.facts") / "devices.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
