"""Plan: hours, energy and memory of a training run on a cluster, each assumption named."""

from dataclasses import asdict, dataclass
from typing import Any

from flopledger.clock.named_devices import NamedDevice
from flopledger.planning.cluster_memory import Split
from flopledger.storage.json_text import json_text
from flopledger.storage.visible import visible_lines


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure and its two ends.

    Attributes:
        value: at the facts' values and the middle utilisation.
        low: the least: the facts' 5th percentile at the higher utilisation.
        high: the most: their 95th percentile at the lower one.
    """

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Interval":
        """The same in another unit."""
        return Interval(value=self.value * factor, low=self.low * factor, high=self.high * factor)

    @property
    def uncertain(self) -> bool:
        """Whether its ends differ."""
        return self.low < self.high


@dataclass(frozen=True, kw_only=True, repr=False)
class Plan:
    """What a run would take.

    Attributes:
        run: its name.
        device: one of the cluster's, with the sources of its figures.
        devices: how many.
        dtype: of the products: the peak is at it.
        params: of the network that is trained.
        flop: the whole run's, as its ledger counts them, with the facts' 90% interval.
        utilisation: the least and the greatest share of the peak that steps reach (MFU).
        goodput: the share of the hours in which steps are made that count.
        hours: of the cluster.
        splits: what a device holds, by ZeRO's stage.
        notes: what is assumed, a line each.
    """

    run: str
    device: NamedDevice
    devices: int
    dtype: str
    params: int
    flop: Interval
    utilisation: tuple[float, float]
    goodput: float
    hours: Interval
    splits: tuple[Split, ...]
    notes: tuple[str, ...]

    @property
    def device_hours(self) -> Interval:
        """Of all devices together, goodput among them."""
        return self.hours.times(self.devices)

    @property
    def kilowatt_hours(self) -> Interval | None:
        """Of the devices alone at their thermal design power; None where that is not known."""
        watts = self.device.watts
        return None if watts is None else self.device_hours.times(watts.value / 1e3)

    def as_object(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        energy = self.kilowatt_hours
        return {
            "run": self.run,
            "device": self.device.as_object(),
            "devices": self.devices,
            "dtype": self.dtype,
            "params": self.params,
            "flop": asdict(self.flop),
            "utilisation": list(self.utilisation),
            "goodput": self.goodput,
            "hours": asdict(self.hours),
            "device_hours": asdict(self.device_hours),
            "kilowatt_hours": None if energy is None else asdict(energy),
            "splits": [asdict(split) for split in self.splits],
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """What `flopledger plan RUN --format json` writes."""
        return json_text(self.as_object())

    def __repr__(self) -> str:
        from flopledger.reports.plan import table

        return visible_lines(table(self).rstrip("\n"))

    def _repr_html_(self) -> str:
        from flopledger.reports.plan import html

        return html(self)
