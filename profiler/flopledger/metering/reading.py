"""Reading: what a meter counted, as tables."""

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from flopledger.clock.published_peaks import Peak
from flopledger.errors import FlopledgerError
from flopledger.metering.signature import Signature
from flopledger.metering.tally import Tally
from flopledger.metering.work import MeterTotals, totals_of, work_of
from flopledger.options import brief
from flopledger.storage.json_text import json_text

if TYPE_CHECKING:  # imported when a table is asked for: it takes 33 MiB and 0.2 s
    import pandas as pd

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, kw_only=True)
class Row:
    """Calls of one module with one signature.

    Attributes:
        module: its name.
        inputs: shape and dtype of each tensor.
        training: its mode.
        grad: whether gradients were enabled.
        inside: whether it was called inside another metered call, whose work holds its own.
        recomputes: whether it was called during a backward pass, to compute anew.
        calls: that returned.
        failed: that raised.
        samples: of all calls.
        macs: of all calls, each as it was watched or as those watched before it on average; None
            where there is a call that none was watched before.
        other_flops: likewise, of every other kind.
        macs_low: the least of the calls that were watched; None of none.
        macs_high: the most.
        varies: whether its calls cost differently.
        watched: how many calls were watched.
        backwards: runs of the backward pass that reached one of its calls.
        backward_macs: of all of them; None where a part is not known.
        recomputed_macs: what these computed again within its calls.
        seconds: of all calls.
        uncounted: operators without a formula.
    """

    module: str
    inputs: tuple[tuple[tuple[int, ...], str], ...]
    training: bool
    grad: bool
    inside: bool
    recomputes: bool
    calls: int
    failed: int
    samples: int
    macs: float | None
    other_flops: float | None
    macs_low: int | None
    macs_high: int | None
    varies: bool
    watched: int
    backwards: int
    backward_macs: float | None
    recomputed_macs: float
    seconds: float
    uncounted: tuple[str, ...]


def row_of(signature: Signature) -> Row:
    """What was counted of that signature."""
    unknown = bool(signature.unwatched)
    return Row(
        module=signature.name,
        inputs=signature.shapes,
        training=signature.training,
        grad=signature.grad,
        inside=signature.inside,
        recomputes=signature.again,
        calls=signature.calls,
        failed=signature.failed,
        samples=signature.calls * signature.samples,
        macs=None if unknown else signature.macs,
        other_flops=None if unknown else signature.other_flops,
        macs_low=signature.watched.low,
        macs_high=signature.watched.high,
        varies=signature.varies,
        watched=signature.watched.number,
        backwards=signature.backwards,
        backward_macs=None if signature.unknown_backwards else signature.backward_macs,
        recomputed_macs=signature.recomputed_macs,
        seconds=signature.seconds,
        uncounted=tuple(sorted(signature.uncounted)),
    )


class UnknownUnit(FlopledgerError, LookupError):
    """No unit of that kind has ended; the message names the kinds of which some have."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a meter counted, from `attach` to `detach` or to the reading.

    Attributes:
        rows: by signature.
        units: of units of work that have ended, by their kind: sums by name (those of a Tally, and
            seconds), in order.
        total: of all calls that lie in no other metered one.
        seconds: of wall time.
        peak: of the device.
    """

    rows: Mapping[Hashable, Row]
    units: Mapping[str, Mapping[str, list[float]]]
    total: Tally
    seconds: float
    peak: Peak

    @property
    def totals(self) -> MeterTotals:
        """All calls together; those inside another metered call are its part."""
        return totals_of(self.total, self.seconds, self.peak.flops_per_second)

    @property
    def complete(self) -> bool:
        """Whether every operator has a formula; if not, totals are lower bounds."""
        return not any(row.uncounted for row in self.rows.values())

    def by_signature(self) -> "pd.DataFrame":
        """One row a signature.

        Returns:
            module, inputs, training, grad, inside, recomputes, calls, failed, samples,
            macs_per_call (a mean where it varies), macs_low and macs_high (of watched calls),
            varies, watched, macs (of all calls), other_flops, backward_passes, backward_macs (of
            all), recomputed_macs and seconds.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "module": row.module,
                "inputs": ", ".join(f"{'x'.join(map(str, s))} {kind}" for s, kind in row.inputs),
                "training": row.training,
                "grad": row.grad,
                "inside": row.inside,
                "recomputes": row.recomputes,
                "calls": row.calls,
                "failed": row.failed,
                "samples": row.samples,
                "macs_per_call": nan if row.macs is None or not row.calls else row.macs / row.calls,
                "macs_low": _number(row.macs_low),
                "macs_high": _number(row.macs_high),
                "varies": row.varies,
                "watched": row.watched,
                "macs": _number(row.macs),
                "other_flops": _number(row.other_flops),
                "backward_passes": row.backwards,
                "backward_macs": _number(row.backward_macs),
                "recomputed_macs": row.recomputed_macs,
                "seconds": row.seconds,
            }
            for row in self.rows.values()
        )

    def by_unit(self, kind: str) -> "pd.DataFrame":
        """One row a unit of that kind: the fields of `Work`, NaN where unknown, and its seconds.

        Raises:
            UnknownUnit: none of that kind has ended.
        """
        import pandas as pd

        if kind not in self.units:
            ended = ", ".join(map(repr, self.units)) or "none"
            raise UnknownUnit(f"no unit {brief(kind)} has ended; kinds that have: {ended}")
        columns = dict(self.units[kind])
        seconds = columns.pop("seconds")
        rows = [
            {**work_of(Tally(**dict(zip(columns, numbers, strict=True)))).to_dict(), "seconds": s}
            for s, *numbers in zip(seconds, *columns.values(), strict=True)
        ]
        return pd.DataFrame(rows)

    def per_unit(self, kind: str) -> "pd.DataFrame":
        """Mean, standard deviation and the quantiles 5%, 50%, 95% of each column of `by_unit`.

        Raises:
            UnknownUnit: as `by_unit`.
        """
        import pandas as pd

        units = self.by_unit(kind).astype(float)
        quantiles = units.quantile(list(QUANTILES)).T
        quantiles.columns = [f"{q:.0%}" for q in QUANTILES]
        return pd.concat(
            [units.mean().rename("mean"), units.std().rename("std"), quantiles], axis=1
        )

    def to_json(self) -> str:
        """The totals, every signature and every unit as a JSON object; what is unknown is null."""
        units = {kind: _records(self.by_unit(kind)) for kind in self.units}
        return json_text(
            {
                "complete": self.complete,
                "totals": asdict(self.totals),
                "peak": asdict(self.peak),
                "signatures": _records(self.by_signature()),
                "units": units,
            }
        )

    def __repr__(self) -> str:
        """One line: passes, FLOPs, FLOP/s, and the share of the peak."""
        t = self.totals
        least = "" if self.complete else "at least "
        flops = "an unknown number of" if t.flops is None else f"{least}{t.flops:.4g}"
        back = ""
        if t.backward_passes:
            number = "an unknown number" if t.backward_flops is None else f"{t.backward_flops:.4g}"
            back = f" and {number} backward"
        if t.recomputed_flops:
            back += f" and {t.recomputed_flops:.4g} again"
        rate = "FLOP/s unknown"
        if t.flops_per_second is not None:
            share = "peak unknown" if t.mfu is None else f"{least}{t.mfu:.1%} of {self.peak}"
            rate = f"{least}{t.flops_per_second:.4g} FLOP/s ({share})"
        return (
            f"{t.passes:,} passes, {t.samples:,} samples: {flops} FLOPs{back} in "
            f"{self.seconds:.3g} s, {rate}"
        )

    def _repr_html_(self) -> str:
        from flopledger.reports.notebook import as_html

        return as_html(repr(self), self.by_signature())


def _number(figure: float | None) -> float:
    """As pandas has it."""
    return nan if figure is None else figure


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
