"""Measures of the second discussion: where faster training came from, and what tuning is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2, log10, prod
from statistics import median
from typing import Any, Self

from pydantic import Field, PositiveFloat, model_validator

from flopledger.ledger.dawnbench_hours import EPOCHS, FORWARD, PASSES, PRECISION, utilisation
from flopledger.ledger.ledger import Ledger
from flopledger.play.elo import elo_of
from flopledger.statements.compute_claims import Measurement, measure
from flopledger.statements.evidence import Evidence
from flopledger.storage.facts import Table, Text, checked, facts_folder, read_toml

# the chains of entries that the discussion is about, by the name of their chart
CHAINS = {
    "tpu": (
        "google_resnet50_tpu_tensorflow17",
        "google_resnet50_tpu_tensorflow18",
        "google_resnet50_tpu_tensorflow111",
        "google_resnet50_tpu_tensorflow111_fastai",
    ),
    "v100": ("diux_resnet50_p3-tensorpack", "fastai_pytorch-e5d00a5", "fastai_pytorch"),
}


@dataclass(frozen=True, kw_only=True)
class Strength:
    """What is known of AlphaGo's strength: facts/alphago_strength.toml.

    Attributes:
        win_rates: of the tuned program against the one before; the first is the abstract's.
        scaling: (GPUs, Elo), from few to many.
        source: of the scaling.
    """

    win_rates: tuple[float, ...]
    scaling: tuple[tuple[float, float], ...]
    source: str


def read_strength() -> Strength:
    """The facts of facts/alphago_strength.toml.

    Raises:
        BadFacts: the file cannot be used.
    """
    path = facts_folder("alphago_strength.toml")
    tables = checked(_StrengthFile, read_toml(path), path)
    scaling = checked(_Scaling, tables.scaling, path, "scaling")
    tuned = [
        checked(_Tuning, table, path, f"tuning.{number}")
        for number, table in enumerate(tables.tuning, start=1)
    ]
    return Strength(
        win_rates=tuple(tuning.win_rate for tuning in tuned),
        scaling=tuple(zip(scaling.gpus, scaling.elo, strict=True)),
        source=scaling.source,
    )


class _StrengthFile(Table):
    tuning: list[dict[str, Any]] = Field(min_length=1)
    scaling: dict[str, Any]


class _Tuning(Table):
    what: str
    win_rate: float = Field(gt=0, lt=1)
    source: Text


class _Scaling(Table):
    gpus: list[PositiveFloat] = Field(min_length=2)
    elo: list[float]
    source: Text

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(self.gpus) != len(self.elo):
            raise ValueError(f"{len(self.gpus)} gpus have {len(self.elo)} elo; give each its own")
        return self


def _sped_up(a: Ledger, b: Ledger, *factors: str) -> float:
    """How many times as fast these factors make b, beside a; the whole, if none is named."""
    named = factors or [factor.name for factor in a.factors]
    values = [{factor.name: factor.value for factor in one.factors} for one in (a, b)]
    return prod(values[0][name] / values[1][name] for name in named)


def _split(a: Ledger, b: Ledger) -> str:
    """What made b faster than a, in a few words."""
    parts = [
        f"{_sped_up(a, b, EPOCHS):.2f} x from epochs",
        f"{_sped_up(a, b, FORWARD, PASSES):.2f} x from FLOPs an epoch",
    ]
    if (precision := _sped_up(a, b, PRECISION)) != 1:
        parts.append(f"{precision:.2f} x from precision")
    used, then = utilisation(a), utilisation(b)
    if used is None or then is None:
        parts.append("the rest from hardware, precision and use together")
    else:
        parts.append(
            f"{then / used:.2f} x from use of the chips ({used:.1%} to {then:.1%} of their peak)"
        )
    return f"{a.total:.2f} h / {b.total:.2f} h = {', '.join(parts)}"


def _chain(evidence: Evidence, name: str) -> list[Ledger]:
    return [evidence.hours[entry] for entry in CHAINS[name]]


@measure
def tpu_speed_up(evidence: Evidence) -> Measurement:
    """Hours of the first entry on one Cloud TPU over those of the last."""
    first, *_, last = _chain(evidence, "tpu")
    return Measurement(
        value=_sped_up(first, last),
        reason=f"{_split(first, last)}; the first may have timed evaluation, too",
    )


@measure
def v100_speed_up(evidence: Evidence) -> Measurement:
    """Hours on 8 V100s at the start of 2018 over those of fast.ai in April."""
    first, *_, last = _chain(evidence, "v100")
    chips = {evidence.entries[name].chips.value for name in CHAINS["v100"]}
    return Measurement(
        value=_sped_up(first, last),
        reason=f"{' or '.join(f'{n:.0f}' for n in chips)} V100s, not one: {_split(first, last)}",
    )


@measure
def v100_precision(evidence: Evidence) -> Measurement:
    """The ratio of the peaks at the precisions of both ends."""
    first, *_, last = _chain(evidence, "v100")
    a, b = evidence.entries[first.run], evidence.entries[last.run]
    precision, whole = _sped_up(first, last, PRECISION), _sped_up(first, last)
    work = _sped_up(first, last, EPOCHS, FORWARD, PASSES)
    return Measurement(
        value=precision,
        reason=f"{a.precision} to {b.precision}: the peak is {precision:.2f} x as high, of which "
        f"{whole / work:.2f} x arrived, a FLOP; fp16, framework and batch "
        f"({a.batches[0]} to {b.batches[0]}) are not told apart in that",
    )


@measure
def tpu_batch(evidence: Evidence) -> Measurement:
    """The largest batch over the smallest, of the entries on one Cloud TPU."""
    entries = [evidence.entries[name] for name in CHAINS["tpu"]]
    batches = [batch for entry in entries for batch in entry.batches]
    return Measurement(
        value=max(batches) / min(batches),
        reason=f"{', '.join(map(str, dict.fromkeys(batches)))} images a step in all "
        f"{len(entries)} entries",
    )


@measure
def tpu_first_half(evidence: Evidence) -> Measurement:
    """The speed-up before the schedule changed, in steps."""
    first, second, third, _ = _chain(evidence, "tpu")
    return Measurement(
        value=_sped_up(first, third),
        reason=f"in two steps, {_sped_up(first, second):.2f} x and {_sped_up(second, third):.2f} "
        f"x: {_split(first, third)}",
    )


@measure
def tpu_last_step_schedule(evidence: Evidence) -> Measurement:
    """What the last step's schedule makes: fewer epochs, and fewer FLOPs in each."""
    *_, before, after = _chain(evidence, "tpu")
    schedule = _sped_up(before, after, EPOCHS, FORWARD, PASSES)
    return Measurement(
        value=schedule,
        reason=f"the schedule alone would make {schedule:.2f} of {_sped_up(before, after):.2f} x: "
        f"{_split(before, after)}; the last score is at 288 px, which helps the epochs",
    )


@measure
def last_step_flops_per_epoch(evidence: Evidence) -> Measurement:
    """The part of the last step that is fewer FLOPs an epoch: smaller images."""
    return _part(evidence, FORWARD, PASSES)


@measure
def last_step_epochs(evidence: Evidence) -> Measurement:
    """The part of the last step that is fewer epochs."""
    return _part(evidence, EPOCHS)


def _part(evidence: Evidence, *factors: str) -> Measurement:
    *_, before, after = _chain(evidence, "tpu")
    part, whole = _sped_up(before, after, *factors), _sped_up(before, after)
    schedule = _sped_up(before, after, EPOCHS, FORWARD, PASSES)
    a, b = (
        prod(factor.value for factor in one.factors if factor.name in factors)
        for one in (before, after)
    )
    return Measurement(
        value=part,
        reason=f"{a:.4g} to {b:.4g} {'epochs' if EPOCHS in factors else 'FLOPs an image'}: "
        f"{log10(part) / log10(schedule):.0%} of what the schedule saves, "
        f"{log10(part) / log10(whole):.0%} of the step's orders",
    )


@measure
def tuned_elo(evidence: Evidence) -> Measurement:
    """The win rate of the tuned AlphaGo, in Elo."""
    first, *others = read_strength().win_rates
    listed = " and ".join(f"{rate:.1%} ({elo_of(rate):+.0f} Elo)" for rate in sorted(others))
    return Measurement(
        value=elo_of(first),
        reason=f"{first:.1%} (Chen et al. 2018, abstract) is {elo_of(first):+.0f} Elo; the paper's "
        f"body, read second-hand, has {listed} for the search's settings, and gives the "
        "abstract's figure to the time control",
    )


@measure
def tuning_as_compute(evidence: Evidence) -> Measurement:
    """How many times the GPUs plain scaling needs for the Elo that tuning gave."""
    strength = read_strength()
    gain = elo_of(strength.win_rates[0])
    found = {start: more_compute(strength.scaling, start, gain) for start, _ in strength.scaling}
    known = {start: factor for start, factor in found.items() if factor}
    if not known:
        return Measurement(value=None, reason=f"{strength.source} does not reach {gain:.0f} Elo")
    listed = ", ".join(f"{factor:.1f} x from {start:.0f}" for start, factor in known.items())
    return Measurement(
        value=median(known.values()),
        reason=f"{gain:.0f} Elo by more GPUs: {min(known.values()):.1f} to "
        f"{max(known.values()):.1f} x, by where one starts ({listed}), the median; from "
        f"{', '.join(f'{start:.0f}' for start in found if start not in known)} the table does not "
        f"reach that far; {strength.source}",
    )


def more_compute(scaling: Sequence[tuple[float, float]], start: float, gain: float) -> float | None:
    """How many times as much compute gains that much Elo, between the points of a table.

    Args:
        scaling: (compute, Elo), both rising; Elo is linear in log(compute) between two points.
        start: the compute to start from, one of the table's.
        gain: in Elo.

    Returns:
        The factor; None if the table does not reach that far.
    """
    target = dict(scaling)[start] + gain
    for (below, low), (above, high) in pairwise(scaling):
        if below >= start and high >= target:
            doublings = log2(above / below) * (target - low) / (high - low)
            return below * 2**doublings / start
    return None
