"""Reading: what a meter counted, as tables."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import pandas as pd

from flopledger.clock.published_peaks import Peak

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
    def macs_per_call(self) -> float:
        """Of the watched calls on average: all cost the same, unless it varies."""
        return sum(macs for macs, _ in self.counts) / len(self.counts) if self.counts else nan

    @property
    def other_flops_per_call(self) -> float:
        """As `macs_per_call`."""
        return sum(other for _, other in self.counts) / len(self.counts) if self.counts else nan


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit of work: its seconds; calls, backward passes and samples by signature."""

    seconds: float
    work: Mapping[Hashable, tuple[int, ...]]


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
    def totals(self) -> dict[str, float | None]:
        """All calls together; those inside another metered call are its part.

        Returns:
            passes, samples, failed, macs, flops (2 x MACs), other_flops, backward_passes,
            backward_flops (None where one cannot be counted), seconds, flops_per_second (forward
            and backward) and mfu (over the peak; None where that is unknown).
        """
        rows = [row for row in self.rows.values() if not row.inside]
        found = _added([(row, row.calls, row.backwards, row.samples) for row in rows])
        flops = found["flops"] + (found["backward_flops"] or 0)
        rate = flops / self.seconds if self.seconds else nan
        return {
            **found,
            "failed": sum(row.failed for row in rows),
            "seconds": self.seconds,
            "flops_per_second": rate,
            "mfu": rate / self.peak.flops_per_second if self.peak.flops_per_second else None,
        }

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
                "macs_per_call": row.macs_per_call,
                "macs_low": min((macs for macs, _ in row.counts), default=nan),
                "macs_high": max((macs for macs, _ in row.counts), default=nan),
                "varies": row.varies,
                "watched": len(row.counts),
                "macs": _times(row.macs_per_call, row.calls),
                "other_flops": _times(row.other_flops_per_call, row.calls),
                "backward_passes": row.backwards,
                "backward_macs": (
                    nan if row.backward_macs is None else row.backward_macs * row.backwards
                ),
                "seconds": row.seconds,
            }
            for row in self.rows.values()
        )

    def by_unit(self, kind: str) -> pd.DataFrame:
        """One row a unit of that kind: passes, samples, macs, flops, ..., seconds.

        Raises:
            KeyError: there was no unit of that kind.
        """
        rows = []
        for unit in self.units[kind]:
            done = [(self.rows[key], *work) for key, work in unit.work.items()]
            rows.append({**_added(done), "seconds": unit.seconds})
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

    def __str__(self) -> str:
        """One line: passes, FLOPs, FLOP/s, and the share of the peak."""
        t = self.totals
        least = "" if self.complete else "at least "
        share = "peak unknown" if t["mfu"] is None else f"{t['mfu']:.1%} of {self.peak}"
        back = f" and {t['backward_flops']:.4g} backward" if t["backward_flops"] else ""
        return (
            f"{t['passes']:,.0f} passes, {t['samples']:,.0f} samples: {least}{t['flops']:.4g} "
            f"FLOPs{back} in {self.seconds:.3g} s, {t['flops_per_second']:.4g} FLOP/s ({share})"
        )


def _times(each: float, calls: int) -> float:
    return each * calls if calls else 0.0


def _added(work: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Of rows, each with its number of calls, backward passes and samples."""
    macs = sum(_times(row.macs_per_call, calls) for row, calls, _, _ in work)
    back = [
        None if row.backward_macs is None else 2 * row.backward_macs * passes
        for row, _, passes, _ in work
        if passes
    ]
    return {
        "passes": sum(calls for _, calls, _, _ in work),
        "samples": sum(samples for *_, samples in work),
        "macs": macs,
        "flops": 2 * macs,
        "other_flops": sum(_times(row.other_flops_per_call, calls) for row, calls, _, _ in work),
        "backward_passes": sum(passes for _, _, passes, _ in work),
        "backward_flops": None if None in back else sum(f for f in back if f is not None),
    }
