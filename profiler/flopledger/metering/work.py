"""What metered calls come to: of a unit of work, and of all that a meter saw."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from flopledger.errors import FlopledgerError


class UnknownFigure(FlopledgerError, LookupError):
    """A figure that could not be counted was asked for; the message says of what."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Work:
    """Calls of metered modules; those inside another metered call are its part.

    Attributes:
        passes: calls that returned.
        samples: of them all.
        macs: None where a call was of a signature none of whose calls could be watched.
        flops: 2 x macs.
        other_flops: FLOPs of every other kind; None as macs.
        backward_passes: that reached the results.
        backward_flops: 2 x their MACs; None where the MACs of one cannot be counted.
    """

    passes: int
    samples: int
    macs: float | None
    flops: float | None
    other_flops: float | None
    backward_passes: int
    backward_flops: float | None


@dataclass(frozen=True, kw_only=True)
class MeterTotals:
    """All calls from `attach` to `detach` or to the reading.

    Attributes:
        passes: as in `Work`, and so samples, macs, flops, other_flops, backward_passes and
            backward_flops.
        failed: calls that raised.
        seconds: of wall time.
        flops_per_second: flops and backward_flops over the seconds; None where one is unknown.
        mfu: flops_per_second over the device's peak; None where one is unknown.
    """

    passes: int
    samples: int
    macs: float | None
    flops: float | None
    other_flops: float | None
    backward_passes: int
    backward_flops: float | None
    failed: int
    seconds: float
    flops_per_second: float | None
    mfu: float | None

    def known(self, figure: Literal["macs", "flops", "other_flops", "backward_flops"]) -> float:
        """That figure, which a sum rests on.

        Raises:
            UnknownFigure: it could not be counted.
        """
        value: float | None = getattr(self, figure)
        if value is None:
            raise UnknownFigure(
                f"the {figure} of {self.passes:,} metered passes are unknown: they could not be "
                "counted; see the reading's by_signature()"
            )
        return value


def total_of(parts: Iterable[float | None]) -> float | None:
    """Their sum; None where one is unknown.

    >>> total_of([1.0, 2.0]), total_of([1.0, None]), total_of([])
    (3.0, None, 0.0)
    """
    known: list[float] = []
    for part in parts:
        if part is None:
            return None
        known.append(part)
    return float(sum(known))


def times(each: float | None, number: int) -> float | None:
    """So many of them; none is 0, also of what is unknown."""
    if not number:
        return 0.0
    return None if each is None else each * number
