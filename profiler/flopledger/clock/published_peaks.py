"""What devices do at most: facts/devices.csv."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from pydantic import PositiveFloat

from flopledger.storage.facts import Table, Url, facts_folder, read_rows


@dataclass(frozen=True)
class Peak:
    """What a device does at most.

    Attributes:
        flops_per_second: of dense products; None if it is not known.
        source: where the figure comes from, or why there is none.
        url: where it stands; None if it is given, derived or from memory.
        retrieved: the day it was read there.
    """

    flops_per_second: float | None
    source: str
    url: str | None = None
    retrieved: date | None = None

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

    Raises:
        BadFacts: the table cannot be used.
    """
    rows = [
        row
        for row in _rows()
        if row.name.lower() in device.lower() and dtype in row.dtype.split() and row.sparse == "no"
    ]
    if not rows:
        return Peak(None, f"{device} at {dtype} is not in facts/devices.csv")
    row = max(rows, key=lambda row: len(row.name))
    return Peak(row.tflops * 1e12, row.source, row.url, row.retrieved)


class _Row(Table):
    name: str
    dtype: str  # or several, between spaces
    sparse: Literal["yes", "no"]
    tflops: PositiveFloat
    source: str
    url: Url | None = None
    retrieved: date | None = None


@cache
def _rows() -> tuple[_Row, ...]:
    return tuple(read_rows(facts_folder("devices.csv"), _Row))
