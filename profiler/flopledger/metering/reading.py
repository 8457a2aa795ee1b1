"""Reading: what a meter counted, as tables."""

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from math import nan
from typing import Any

import pandas as pd

from flopledger.clock.published_peaks import Peak
from flopledger.metering.work import MeterTotals, Work, times, total_of
from flopledger.storage.json_text import json_text

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
        calls: that returned.
        failed: that raised.
        samples: of all calls.
        counts: MACs and other FLOPs of each call that was watched.
        backwards: backward passes that reached its results.
        backward_macs: of one of them; None where it cannot be counted.
        seconds: of all calls.
        uncounted: operators without a formula.
    """

    module: str
    inputs: tuple[tuple[tuple[int, ...], str], ...]
    training: bool
    grad: bool
    inside: bool
    calls: int
    failed: int
    samples: int
    counts: tuple[tuple[int, int], ...]
    backwards: int
    backward_macs: int | None
    seconds: float
    uncounted: tuple[str, ...]

    @property
    def varies(self) -> bool:
        """Whether its calls cost differently."""
        return len(set(self.counts)) > 1

    @property
    def macs_per_call(self) -> float | None:
        """Of the watched calls on average: all cost the same, unless it varies; None of none."""
        return sum(macs for macs, _ in self.counts) / len(self.counts) if self.counts else None

    @property
    def other_flops_per_call(self) -> float | None:
        """As `macs_per_call`."""
        return sum(other for _, other in self.counts) / len(self.counts) if self.counts else None


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit of work: its seconds; calls, backward passes and samples by signature."""

    seconds: float
    work: Mapping[Hashable, tuple[int, int, int]]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a meter counted, from `attach` to `detach` or to the reading.

    Attributes:
        rows: by signature.
        units: units of work by their kind, in order.
        seconds: of wall time.
        peak: of the device.
    """

    rows: Mapping[Hashable, Row]
    units: Mapping[str, list[Unit]]
    seconds: float
    peak: Peak

    @property
    def totals(self) -> MeterTotals:
        """All calls together; those inside another metered call are its part."""
        rows = [row for row in self.rows.values() if not row.inside]
        work = _added([(row, row.calls, row.backwards, row.samples) for row in rows])
        rate = mfu = None
        if work.flops is not None and work.backward_flops is not None and self.seconds:
            rate = (work.flops + work.backward_flops) / self.seconds
        if rate is not None and self.peak.flops_per_second is not None:
            mfu = rate / self.peak.flops_per_second
        return MeterTotals(
            **asdict(work),
            failed=sum(row.failed for row in rows),
            seconds=self.seconds,
            flops_per_second=rate,
            mfu=mfu,
        )

    @property
    def complete(self) -> bool:
        """Whether every operator has a formula; if not, totals are lower bounds."""
        return not any(row.uncounted for row in self.rows.values())

    def by_signature(self) -> pd.DataFrame:
        """One row a signature.

        Returns:
            module, inputs, training, grad, inside, calls, failed, samples, macs_per_call (a mean
            where it varies), macs_low and macs_high (of watched calls), varies, watched, macs (of
            all calls), other_flops, backward_passes, backward_macs (of all) and seconds.
        """
        return pd.DataFrame(
            {
                "module": row.module,
                "inputs": ", ".join(f"{'x'.join(map(str, s))} {kind}" for s, kind in row.inputs),
                "training": row.training,
                "grad": row.grad,
                "inside": row.inside,
                "calls": row.calls,
                "failed": row.failed,
                "samples": row.samples,
                "macs_per_call": _number(row.macs_per_call),
                "macs_low": min((macs for macs, _ in row.counts), default=nan),
                "macs_high": max((macs for macs, _ in row.counts), default=nan),
                "varies": row.varies,
                "watched": len(row.counts),
                "macs": _number(times(row.macs_per_call, row.calls)),
                "other_flops": _number(times(row.other_flops_per_call, row.calls)),
                "backward_passes": row.backwards,
                "backward_macs": _number(times(row.backward_macs, row.backwards)),
                "seconds": row.seconds,
            }
            for row in self.rows.values()
        )

    def by_unit(self, kind: str) -> pd.DataFrame:
        """One row a unit of that kind: the fields of `Work`, NaN where unknown, and its seconds.

        Raises:
            KeyError: there was no unit of that kind.
        """
        rows = []
        for unit in self.units[kind]:
            done = [(self.rows[key], *numbers) for key, numbers in unit.work.items()]
            work = {name: _number(figure) for name, figure in asdict(_added(done)).items()}
            rows.append({**work, "seconds": unit.seconds})
        return pd.DataFrame(rows)

    def per_unit(self, kind: str) -> pd.DataFrame:
        """Mean, standard deviation and the quantiles 5%, 50%, 95% of each column of `by_unit`.

        Raises:
            KeyError: there was no unit of that kind.
        """
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
        rate = "FLOP/s unknown"
        if t.flops_per_second is not None:
            share = "peak unknown" if t.mfu is None else f"{least}{t.mfu:.1%} of {self.peak}"
            rate = f"{least}{t.flops_per_second:.4g} FLOP/s ({share})"
        return (
            f"{t.passes:,} passes, {t.samples:,} samples: {flops} FLOPs{back} in "
            f"{self.seconds:.3g} s, {rate}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.by_signature().to_html(index=False)}"


def _added(work: list[tuple[Row, int, int, int]]) -> Work:
    """Of rows, each with its number of calls, backward passes and samples."""
    macs = total_of(times(row.macs_per_call, calls) for row, calls, _, _ in work)
    backward_macs = total_of(times(row.backward_macs, passes) for row, _, passes, _ in work)
    return Work(
        passes=sum(calls for _, calls, _, _ in work),
        samples=sum(samples for *_, samples in work),
        macs=macs,
        flops=times(macs, 2),
        other_flops=total_of(times(row.other_flops_per_call, calls) for row, calls, _, _ in work),
        backward_passes=sum(passes for _, _, passes, _ in work),
        backward_flops=times(backward_macs, 2),
    )


def _number(figure: float | None) -> float:
    """As pandas has it."""
    return nan if figure is None else figure


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
