"""One fact of a run's file: its form as a quantity, with what its key says of the number."""

from collections.abc import Mapping
from datetime import date
from math import isfinite

from flopledger.ledger.cited_sources import Source
from flopledger.ledger.methods import AT_LEAST_ONE, COUNTS, SHARES, UNITS
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.run_forms import FactForm
from flopledger.storage.facts import check_dated
from flopledger.storage.nearest_name import did_you_mean

PFS_DAY = 8.64e19  # FLOP: 1e15 a second for a day
TOTALS = {"FLOP": 1.0, "pfs-day": PFS_DAY}  # units of a published total, in FLOP
_LARGEST = 1e60  # of a fact: products and ratios of several stay finite
_HARDWARE = {"hardware.chips": "chips", "hardware.hours": "hours"}


def quantity_of(key: str, fact: FactForm, sources: Mapping[str, Source]) -> Quantity:
    """The quantity that a fact's table says.

    A cited one without an address is from memory, and its source says so.

    Args:
        key: "images"; "hardware.chips"; of a published total any other.
        fact: the table.
        sources: what its `ref` may name.

    Raises:
        ValueError: its unit, its number or its source cannot be; the message continues "[key]".
    """
    unit = _unit(key, fact.unit)
    url, retrieved = _address(fact, sources)
    _check_given(fact)
    heaviest = max(fact.alternatives, key=lambda answer: answer.weight, default=None)
    value = fact.value if heaviest is None else heaviest.value
    assert value is not None  # it is checked
    quantity = Quantity(
        value=value,
        unit=unit,
        kind=(heaviest and heaviest.kind) or fact.kind,
        source=_cited(fact, url),
        low=fact.low,
        high=fact.high,
        alternatives=tuple((a.value, a.weight) for a in fact.alternatives),
        url=url,
        retrieved=retrieved,
        command=fact.command,
        versions=fact.versions,
    )
    _check_numbers(key, quantity)
    return quantity


def _unit(key: str, given: str | None) -> str:
    own = UNITS.get(key) or _HARDWARE.get(key)
    right = [own] if own else list(TOTALS)
    if given is not None and given not in right:
        raise ValueError(f"is in {' or '.join(map(repr, right))}, not {given!r}; convert it")
    return given or right[0]


def _check_given(fact: FactForm) -> None:
    """That there is one value or several alternatives, none of them out of all bounds."""
    if (fact.value is None) != bool(fact.alternatives):
        raise ValueError("has neither value nor alternatives, or both; give one of them")
    for number in [fact.value, fact.low, fact.high, *(a.value for a in fact.alternatives)]:
        if number is not None and isfinite(number) and number > _LARGEST:
            raise ValueError(f"{number:g} is beyond counting; give a number below {_LARGEST:.0e}")
        if number is not None and 0 < number < 1 / _LARGEST:
            raise ValueError(f"{number:g} is next to nothing; give one above {1 / _LARGEST:.0e}")


def _check_numbers(key: str, quantity: Quantity) -> None:
    """What a key says of its number, beyond that it is positive."""
    thing = quantity.unit
    counted = key in COUNTS and quantity.kind in ("cited", "measured")  # others may be means
    for number in [quantity.value, *(value for value, _ in quantity.alternatives)]:
        if (counted or key == "hardware.chips") and number != round(number):
            raise ValueError(f"{number:g} is no number of {thing}: a count is whole; round it")
    least, most = quantity.ends
    # what is derived may be a part of one: a training of fewer moves than its games have
    if key in (*AT_LEAST_ONE, "hardware.chips") and least < 1 and quantity.kind != "derived":
        raise ValueError(f"{least:g} is no number of {thing}; give 1 or more")
    if key in SHARES and most > 1:
        raise ValueError(f"{most:g} is no share; give a number from 0 to 1")


def _address(fact: FactForm, sources: Mapping[str, Source]) -> tuple[str | None, date | None]:
    """Where the fact stands, and the day it was read there again."""
    if fact.ref is None:
        if fact.tag != "M" or fact.retrieved is not None:
            check_dated(fact.url, fact.retrieved, ', or tag = "M", from memory')
        return fact.url, fact.retrieved
    if fact.url is not None or fact.retrieved is not None:
        raise ValueError("has both ref and url; give one")
    if fact.ref not in sources:
        hint = did_you_mean(fact.ref, sources, "see facts/sources.toml")
        raise ValueError(f"no source is called {fact.ref!r}; {hint}")
    return sources[fact.ref].url, sources[fact.ref].retrieved


def _cited(fact: FactForm, url: str | None) -> str:
    """The source with its tag and each alternative's own.

    What is cited without an address is tagged as from memory.
    """
    tag = fact.tag or ("M" if fact.kind == "cited" and url is None else None)
    own = "".join(f"; {answer.value:.4g}: {answer.source}" for answer in fact.alternatives)
    return f"{fact.source} [{tag}]{own}" if tag else f"{fact.source}{own}"
