"""What devices do at most: facts/devices.csv."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from flopledger.storage.facts import Table, Url, facts_folder, read_rows

# makers' words before the name of a device, which tell none from another
_MAKERS = frozenset({"nvidia", "tesla", "geforce", "amd", "instinct", "google", "cloud", "gpu"})
# "MIG 1g.5gb", "MIG 1c.3g.20gb+me": a part of a GPU, and one of its compute units
_SLICE = re.compile(r"\s+MIG (?:([1-9]\d*)c\.)?([1-9]\d*)g\.\d+gb\S*$", re.IGNORECASE)


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

    A row of the table is a device's if each word of its name stands in the device's, and every
    other word there is its maker's or one of the row's `also`: a device that is not in the table
    has no peak, however much its name is like another's. Of several rows the one with most words
    is taken. A slice of a GPU (MIG) has its share of the GPU's multiprocessors.

    Args:
        device: as its maker or PyTorch calls it ("NVIDIA A100-SXM4-80GB").
        dtype: of the products: "float32", "tf32", "bfloat16", "float8_e4m3fn", "int8", ...

    Raises:
        BadFacts: the table cannot be used.
    """
    part = _SLICE.search(device)
    whole = device[: part.start()] if part else device
    row = row_of(whole, lambda row: dtype in row.dtype.split() and row.sparse == "no")
    if row is None or row.tflops is None:
        return Peak(None, f"{device} at {dtype} is not in facts/devices.csv")
    if part is None:
        return Peak(row.tflops * 1e12, row.source, row.url, row.retrieved)
    slices = row_of(whole, lambda row: row.slices is not None)
    if slices is None or slices.slices is None:
        return Peak(None, f"how many slices {whole} has is not in facts/devices.csv")
    share = Fraction(int(part[1] or part[2]), slices.slices)
    if share > 1:
        return Peak(None, f"{device} is not in facts/devices.csv: {slices.slices} slices at most")
    return Peak(row.tflops * 1e12 * float(share), f"{share} of: {row.source}", row.url,
                row.retrieved)  # fmt: skip


class Row(Table):
    """A row of facts/devices.csv: a device's peak at some dtypes, or its memory or power."""

    name: str
    also: str = ""  # words, between spaces
    dtype: str = ""  # or several, between spaces; none in a row that tells of the memory
    sparse: Literal["yes", "no"] | None = None
    tflops: PositiveFloat | None = None
    bandwidth_gb_s: PositiveFloat | None = None
    memory_gb: PositiveFloat | None = None
    slices: PositiveInt | None = None  # into which MIG cuts it at most
    watts: PositiveFloat | None = None  # its thermal design power
    source: str
    url: Url | None = None
    retrieved: date | None = None


def row_of(device: str, told: Callable[[Row], object]) -> Row | None:
    """Of the device's rows that tell it the one with most words; None if there is none."""
    fitting = [row for row in rows_of(device) if told(row)]
    return max(fitting, key=lambda row: len(_words(row.name))) if fitting else None


def rows_of(device: str | None = None) -> list[Row]:
    """The device's rows, as `peak_of` finds them; all there are if none is named."""
    if device is None:
        return list(_rows())
    words = _words(device)
    return [
        row for row in _rows() if (name := _words(row.name)) <= words <= name | _words(row.also)
    ]


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w.]+", name.lower())) - _MAKERS


@cache
def _rows() -> tuple[Row, ...]:
    return tuple(read_rows(facts_folder("devices.csv"), Row))
