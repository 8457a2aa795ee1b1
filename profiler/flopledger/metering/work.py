"""What metered calls come to: of a unit of work, and of all that a meter saw."""

from dataclasses import asdict, dataclass
from math import nan
from typing import Literal

from flopledger.errors import FlopledgerError
from flopledger.metering.tally import Tally


class UnknownFigure(FlopledgerError, LookupError):
    """A figure that could not be counted was asked for; the message says of what."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Work:
    """Calls of metered modules; those inside another metered call are its part.

    Attributes:
        passes: calls that returned; what is computed again during a backward pass is none.
        samples: of them all.
        tokens: positions in their token ids, padding among them; None where a pass had none.
        macs: None where one of a call is not known.
        flops: 2 x macs.
        other_flops: FLOPs of every other kind; None as macs.
        backward_passes: runs of the backward pass that reached a call.
        backward_flops: 2 x the MACs that these ran; None where part of them is not known.
        recomputed_flops: 2 x the MACs of forward work that was done again during a backward pass
            (checkpointing); None as backward_flops.
        model_flops: flops + backward_flops: what the network costs, however it is run.
    """

    passes: int
    samples: int
    tokens: int | None
    macs: float | None
    flops: float | None
    other_flops: float | None
    backward_passes: int
    backward_flops: float | None
    recomputed_flops: float | None
    model_flops: float | None

    def __getitem__(self, name: str) -> float | None:
        """The figure of that name, as JSON and tables call it.

        Raises:
            KeyError: there is none.
        """
        figure: float | None = asdict(self)[name]
        return figure

    def to_dict(self) -> dict[str, float]:
        """By name; NaN where it is unknown."""
        return {name: nan if value is None else value for name, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True)
class MeterTotals(Work):
    """All calls from `attach` to `detach` or to the reading.

    Attributes:
        failed: calls that raised.
        real_tokens: tokens that no attention mask leaves out.
        seconds: of wall time.
        flops_per_second: model_flops over the seconds; None where one is unknown.
        mfu: model FLOPs utilisation, flops_per_second over the device's peak; None likewise.
        hfu: hardware FLOPs utilisation: with recomputed_flops.
    """

    failed: int
    real_tokens: int | None
    seconds: float
    flops_per_second: float | None
    mfu: float | None
    hfu: float | None

    def known(
        self,
        figure: Literal[
            "macs", "flops", "other_flops", "backward_flops", "recomputed_flops", "model_flops"
        ],
    ) -> float:
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


def work_of(tally: Tally) -> Work:
    """What those sums say."""
    backward = again = model = None
    if not tally.unknown_backwards:
        backward, again = 2.0 * tally.backward_macs, 2.0 * tally.recomputed_macs
    flops = None if tally.unwatched else 2.0 * tally.macs
    if flops is not None and backward is not None:
        model = flops + backward
    return Work(
        passes=tally.passes,
        samples=tally.samples,
        tokens=None if tally.untold else tally.tokens,
        macs=None if tally.unwatched else float(tally.macs),
        flops=flops,
        other_flops=None if tally.unwatched else float(tally.other_flops),
        backward_passes=tally.backward_passes,
        backward_flops=backward,
        recomputed_flops=again,
        model_flops=model,
    )


def totals_of(tally: Tally, seconds: float, peak: float | None) -> MeterTotals:
    """What those sums say of so many seconds on a device of that peak."""
    work = work_of(tally)
    rate = mfu = hfu = None
    if work.model_flops is not None and work.recomputed_flops is not None and seconds:
        rate = work.model_flops / seconds
        if peak is not None:
            mfu = rate / peak
            hfu = (work.model_flops + work.recomputed_flops) / seconds / peak
    return MeterTotals(
        **asdict(work),
        failed=tally.failed,
        real_tokens=None if work.tokens is None else work.tokens - int(tally.padding),
        seconds=seconds,
        flops_per_second=rate,
        mfu=mfu,
        hfu=hfu,
    )
