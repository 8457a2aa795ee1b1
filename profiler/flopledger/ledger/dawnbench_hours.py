"""The hours of an entry as a product of factors, by what is known of it."""

from dataclasses import dataclass
from typing import Literal

from flopledger.clock.published_peaks import Peak, peak_of
from flopledger.ledger.dawnbench import IMAGES as IMAGES_FACT
from flopledger.ledger.dawnbench import Entry
from flopledger.ledger.ledger import Balance, Factor, Given, Ledger
from flopledger.ledger.methods import BACKWARD, FLOPS_PER_PARAM
from flopledger.ledger.quantity import Kind, weakest
from flopledger.storage.facts import BadFacts

HOURS = "hours"

EPOCHS = "epochs"
IMAGES = "images per epoch"
FORWARD = "forward FLOPs per image"
PASSES = "passes per image"
CHIPS = "1 / chips"
PEAK = "hours per FLOP at a chip's peak"
PRECISION = "1 / precision's speed-up"
USE = "1 / utilisation"
TOGETHER = "hardware, precision and use together"
PER_EPOCH = "FLOPs, hardware, precision and use together"

# how far an entry can be taken apart, from the furthest to the least
Detail = Literal["all", "work", "epochs"]
DETAILS: tuple[Detail, ...] = ("all", "work", "epochs")


def detail_of(entry: Entry) -> Detail:
    """How far it can be taken apart.

    "all": into every factor. "work": its precision, or its chip's peak, is not known, so that
    hardware, precision and use stay one factor. "epochs": nor are its FLOPs.
    """
    if not entry.has_flops:
        return "epochs"
    return "all" if _peaks(entry) else "work"


def hours_ledger(entry: Entry, counted: Ledger | None, detail: Detail | None = None) -> Ledger:
    """The identity of an entry's hours.

    hours = epochs x images per epoch x forward FLOPs per image (averaged over the schedule) x
    (1 + backward ratio) / (chips x peak FLOP/s of a chip x what the precision adds to the peak x
    utilisation). Factors that shorten the time stand as reciprocals. Utilisation is what is left:
    it holds everything else, input pipeline, communication and kernels included.

    The peak is the chip's at float32, and precision the ratio of its peaks; a chip whose float32
    peak is not known has its own precision's as the peak, and precision adds nothing.

    Args:
        entry: its facts.
        counted: the ledger of its FLOPs; None if they cannot be counted.
        detail: how far to take it apart; as far as it goes, if it is None.

    Raises:
        BadFacts: it has no time, or it cannot be taken apart as far as that.
    """
    if entry.hours is None:
        raise BadFacts(
            f"{entry.where} has no time to 93% top-5: hours is empty; fill it in, or compare "
            "another entry"
        )
    detail = detail or detail_of(entry)
    if DETAILS.index(detail) < DETAILS.index(detail_of(entry)):
        raise BadFacts(f"{entry.where} cannot be taken apart into {detail}; too little is known")
    factors = [_factor(EPOCHS, entry.epochs.value, entry.epochs.kind, entry.source)]
    if detail != "epochs":
        assert counted is not None
        factors += _work(entry, counted)
    if detail == "all":
        factors += _hardware(entry)
    product = 1.0
    for factor in factors:
        product *= factor.value
    rest = {"all": USE, "work": TOGETHER, "epochs": PER_EPOCH}[detail]
    factors.append(
        _factor(rest, entry.hours.value / product, "derived", f"what is left of {entry.source}")
    )
    training = {"training": {factor.name: factor.value for factor in factors}}
    return Ledger(
        run=entry.name,
        quantity=HOURS,
        params=counted.params if counted else None,
        factors=tuple(factors),
        balance=_AsItIs(balance=Balance(phases=training, whole={})),
    )


@dataclass(frozen=True, kw_only=True)
class _AsItIs:
    """The balance of an entry, whose facts have no intervals; it pickles."""

    balance: Balance

    def __call__(self, given: Given) -> Balance:
        return self.balance


def utilisation(ledger: Ledger) -> float | None:
    """The share of its chips' peak that an entry used; None where it is not known."""
    return next((1 / factor.value for factor in ledger.factors if factor.name == USE), None)


def contradiction(ledger: Ledger) -> str | None:
    """One line on an entry that would have used more than its chips can do; None if it did not."""
    used = utilisation(ledger)
    if used is None or used <= 1:
        return None
    return (
        f"{ledger.run} would have used {used:.0%} of its chips' peak: a contradiction; its hours, "
        "chips, precision or schedule are wrong, or the peak in facts/devices.csv is"
    )


def _work(entry: Entry, counted: Ledger) -> list[Factor]:
    """Its FLOPs: images, and what an image costs on the average of the schedule."""
    by_name = {factor.name: factor for factor in counted.factors}
    assert counted.params is not None  # it is a ledger of compute
    forward, passes = by_name[FLOPS_PER_PARAM], by_name[BACKWARD]
    kind = weakest(forward.kind, "cited")  # the schedule, by whose epochs it is averaged
    source = f"{forward.source}; {entry.schedule_source}"
    return [
        _factor(IMAGES, IMAGES_FACT.value, IMAGES_FACT.kind, IMAGES_FACT.source),
        _factor(FORWARD, forward.value * counted.params, kind, source),
        _factor(PASSES, passes.value, passes.kind, passes.source),
    ]


def _hardware(entry: Entry) -> list[Factor]:
    peaks = _peaks(entry)
    assert peaks is not None
    base, at_precision = peaks
    faster = _flops(at_precision) / _flops(base)
    precision = f"{entry.precision}: {entry.precision_source}; {at_precision}"
    return [
        _factor(CHIPS, 1 / entry.chips.value, entry.chips.kind, entry.chips.source),
        _factor(PEAK, 1 / (3600 * _flops(base)), "cited", f"{entry.chip}: {base}"),
        _factor(PRECISION, 1 / faster, weakest(entry.precision_kind, "cited"), precision),
    ]


def _peaks(entry: Entry) -> tuple[Peak, Peak] | None:
    """The chip's peak at float32, or else at its precision, and at its precision."""
    if entry.precision is None:
        return None
    at_precision = peak_of(entry.chip, entry.precision)
    base = peak_of(entry.chip, "float32")
    if at_precision.flops_per_second is None:
        return None
    return (base if base.flops_per_second else at_precision), at_precision


def _flops(peak: Peak) -> float:
    assert peak.flops_per_second is not None
    return peak.flops_per_second


def _factor(name: str, value: float, kind: Kind, source: str) -> Factor:
    return Factor(name=name, value=value, kind=kind, source=source)
