"""Lap: what was done between two moments of a loop, and how fast."""

from dataclasses import dataclass, replace

from flopledger.clock.published_peaks import Peak
from flopledger.metering.tally import Tally

# of a lap, those that are for a log
FIGURES = (
    "seconds", "passes", "samples", "tokens", "real_tokens", "flops", "model_flops",
    "recomputed_flops", "flops_per_second", "samples_per_second", "tokens_per_second",
    "real_tokens_per_second", "mfu", "hfu",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lap:
    """What was done since the lap before.

    Attributes:
        number: from 0.
        warm_up: whether it is one of those that shall not count.
        seconds: of wall time; of ranks together, the longest of theirs.
        passes: calls of metered modules.
        samples: of them.
        tokens: positions in their token ids; None where a pass was given none.
        real_tokens: those of them that no attention mask leaves out.
        flops: executed in all, in products: 2 x MACs forward, backward and again; None where part
            of it is unknown, and so the others.
        model_flops: of the forward and backward passes, without what was computed again.
        recomputed_flops: of forward work that was done again during a backward pass.
        peak: of the device, or of all ranks' devices together.
    """

    number: int
    warm_up: bool
    seconds: float
    passes: int
    samples: int
    tokens: int | None
    real_tokens: int | None
    flops: float | None
    model_flops: float | None
    recomputed_flops: float | None
    peak: Peak

    @property
    def flops_per_second(self) -> float | None:
        """Executed; None where it is unknown or no time went by."""
        return self._rate(self.flops)

    @property
    def model_flops_per_second(self) -> float | None:
        """Without what was computed again."""
        return self._rate(self.model_flops)

    @property
    def samples_per_second(self) -> float | None:
        """None where no time went by."""
        return self._rate(self.samples)

    @property
    def tokens_per_second(self) -> float | None:
        """Positions, padding among them."""
        return self._rate(self.tokens)

    @property
    def real_tokens_per_second(self) -> float | None:
        """Without padding."""
        return self._rate(self.real_tokens)

    @property
    def mfu(self) -> float | None:
        """Model FLOPs utilisation: model_flops_per_second over the peak."""
        return self._share(self.model_flops_per_second)

    @property
    def hfu(self) -> float | None:
        """Hardware FLOPs utilisation: flops_per_second over the peak."""
        return self._share(self.flops_per_second)

    def _rate(self, number: float | None) -> float | None:
        return None if number is None or self.seconds <= 0 else number / self.seconds

    def _share(self, rate: float | None) -> float | None:
        most = self.peak.flops_per_second
        return None if rate is None or most is None else rate / most

    def to_dict(self) -> dict[str, float]:
        """Every figure that is known, by its name, for a log."""
        known = {name: getattr(self, name) for name in FIGURES}
        return {name: value for name, value in known.items() if value is not None}

    def over_ranks(self) -> "Lap":
        """With those of all other ranks of torch.distributed, each of which must call this.

        Work is added up, and peaks are; the seconds are those of the slowest. Without a process
        group it is itself.
        """
        import torch.distributed as dist

        if not (dist.is_available() and dist.is_initialized()):
            return self
        laps: list[Lap] = [self] * dist.get_world_size()
        dist.all_gather_object(laps, self)
        return together(laps, seconds=max(lap.seconds for lap in laps), peak=_added_peak(laps))


def together(laps: list[Lap], seconds: float, peak: Peak) -> Lap:
    """Laps as one, which took so long on what has that peak."""
    sums = {
        name: _sum([getattr(lap, name) for lap in laps])
        for name in (
            "passes", "samples", "tokens", "real_tokens", "flops", "model_flops",
            "recomputed_flops",
        )
    }  # fmt: skip
    return replace(laps[-1], seconds=seconds, peak=peak, **sums)  # type: ignore[arg-type]


def lap_of(tally: Tally, number: int, warm_up: bool, seconds: float, peak: Peak) -> Lap:
    """The lap in which that was done."""
    told = not tally.untold
    model = again = None
    if not tally.unwatched and not tally.unknown_backwards:
        model = 2 * (tally.macs + tally.backward_macs)
        again = 2 * tally.recomputed_macs
    return Lap(
        number=number,
        warm_up=warm_up,
        seconds=seconds,
        passes=tally.passes,
        samples=tally.samples,
        tokens=tally.tokens if told else None,
        real_tokens=tally.tokens - int(tally.padding) if told else None,
        flops=None if model is None or again is None else model + again,
        model_flops=model,
        recomputed_flops=again,
        peak=peak,
    )


def _sum(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _added_peak(laps: list[Lap]) -> Peak:
    most = _sum([lap.peak.flops_per_second for lap in laps])
    sources = ", ".join(dict.fromkeys(lap.peak.source for lap in laps))
    return Peak(most, f"{len(laps)} ranks: {sources}")
