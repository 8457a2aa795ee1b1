"""The second estimate of a run's compute: chips x hours x their peak x how well they are used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flopledger.clock.published_peaks import peak_of
from flopledger.ledger.identity import Measured
from flopledger.ledger.training_run import TrainingRun

# of a chip's peak, what long trainings reach: between a tenth and seven tenths (assumed)
UTILISATION = (0.1, 0.7)


@dataclass(frozen=True, kw_only=True)
class HardwareEstimate:
    """What a run's hardware can have done, in FLOP.

    Attributes:
        at_peak: in all its hours at its peak: more than the run can have taken.
        low: at the lower end of `UTILISATION`.
        high: at the upper end.
        peak_source: where the chip's peak stands.
        most_plies: of self-play, the longest games that the peak leaves time for, in plies: all
            games, with every simulation and the root evaluated; None of other runs.
    """

    at_peak: float
    low: float
    high: float
    peak_source: str
    most_plies: float | None


def hardware_estimate(run: TrainingRun, network: Measured | None) -> HardwareEstimate | None:
    """The estimate; None where the hardware or its peak is not known.

    Args:
        run: its facts.
        network: what was counted of its network, for the bound on the length of games.
    """
    if run.hardware is None:
        return None
    peak = peak_of(run.hardware.chip, run.hardware.precision)
    if peak.flops_per_second is None:
        return None
    chips, hours = run.hardware.chips, run.hardware.hours
    least, most = (3600 * a * b for a, b in zip(chips.ends, hours.ends, strict=True))
    return HardwareEstimate(
        at_peak=peak.flops_per_second * most,
        low=peak.flops_per_second * least * UTILISATION[0],
        high=peak.flops_per_second * most * UTILISATION[1],
        peak_source=peak.source,
        most_plies=_most_plies(run, network, peak.flops_per_second * most),
    )


def _most_plies(run: TrainingRun, network: Measured | None, at_peak: float) -> float | None:
    facts = run.phases[0].facts
    if network is None or len(run.phases) > 1 or "simulations_per_move" not in facts:
        return None
    # the least that each can have been, so that the bound holds whatever they were
    games, simulations = (facts[key].ends[0] for key in ("games", "simulations_per_move"))
    return at_peak / (games * (simulations + 1) * network.forward_flops)


def estimates_of(
    runs: Iterable[TrainingRun], networks: Mapping[str, Measured]
) -> dict[str, HardwareEstimate]:
    """The estimates of the runs whose hardware and its peak are known, by their names.

    Args:
        runs: the runs.
        networks: what was counted of the networks that they need.
    """
    made = {}
    for run in runs:
        # the network that plays; of several answers the cheapest, so that the bound holds for all
        playing = [networks[name] for name in run.networks_of(run.phases[0])]
        estimate = hardware_estimate(run, min(playing, key=lambda network: network.forward_flops))
        if estimate is not None:
            made[run.name] = estimate
    return made
