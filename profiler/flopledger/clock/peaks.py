"""Peaks: the most that a device was seen to do."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Peaks:
    """The most that a device was seen to do.

    Attributes:
        flops_per_second: of matrix products or convolutions, 2 FLOPs a MAC.
        bytes_per_second: to and from memory, read and written together.
    """

    flops_per_second: float
    bytes_per_second: float

    def or_more(self, other: "Peaks") -> "Peaks":
        """The larger of each: what was in the way of one measurement was not of the other."""
        return Peaks(
            flops_per_second=max(self.flops_per_second, other.flops_per_second),
            bytes_per_second=max(self.bytes_per_second, other.bytes_per_second),
        )

    @property
    def ridge(self) -> float:
        """FLOPs a byte from which arithmetic, no longer memory, sets the limit."""
        return self.flops_per_second / self.bytes_per_second
