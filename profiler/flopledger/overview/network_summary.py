"""Summary: what a network costs in parameters, FLOPs, memory and time."""

from dataclasses import asdict, dataclass

from flopledger.allocation.held_bytes import Memory
from flopledger.clock.layer_times import Timing
from flopledger.profiles.tables import Profile
from flopledger.storage.json_text import json_text


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a network costs.

    Attributes:
        profile: its counts, with those of the backward pass where anything is trained.
        memory: the bytes that a pass and a step of training hold; None where that is not known.
        optimiser: whose state a step of training holds.
        timing: the seconds of a pass that was run; None where it was not.
        notes: what is missing, and why, a line each.
    """

    profile: Profile
    memory: Memory | None
    optimiser: str
    timing: Timing | None
    notes: tuple[str, ...] = ()

    @property
    def mfu(self) -> float | None:
        """The FLOPs of a pass a second, as a share of the device's measured peak."""
        return None if self.timing is None else self.timing.utilisation

    def to_json(self) -> str:
        """The totals, the memory and the time, under the keys of `profile --format json`."""
        return json_text(
            {
                "model": self.profile.model,
                "totals": asdict(self.profile.totals),
                "backward": asdict(self.profile.backward) if self.profile.backward else None,
                "memory": self.memory.as_object() if self.memory else None,
                "time": self.timing.as_object() if self.timing else None,
                "mfu": self.mfu,
                "notes": list(self.notes),
            }
        )

    def __repr__(self) -> str:
        from flopledger.reports.summary import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        from flopledger.reports.summary import html

        return html(self)
