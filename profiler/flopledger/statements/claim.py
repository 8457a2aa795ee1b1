"""Claims somebody made, the expressions that decide them, and the verdicts that follow."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, overload

import pandas as pd
from pydantic import Field, StringConstraints, model_validator

from flopledger.counting.cached import cached_profile
from flopledger.errors import FlopledgerError
from flopledger.ledger.quantity import KINDS, Kind
from flopledger.options import checks_arguments
from flopledger.statements.expression import evaluated
from flopledger.statements.figures import Figures
from flopledger.storage.facts import (
    BadFacts,
    Table,
    Url,
    check_dated,
    checked,
    facts_folder,
    read_toml,
    short_name,
)
from flopledger.storage.json_text import json_text
from flopledger.storage.nearest_name import did_you_mean

Sense = Literal["about", "at least", "part", "as cited", "question", "opinion", "open"]
Word = Literal[
    "holds", "holds in part", "does not hold", "as cited", "answered", "opinion", "not decided here"
]
# one rule for all: "about" a number of orders is within half an order, of anything else within a
# factor of 1.5; "at least" has no slack; "part" is any part at all
ORDERS, FACTOR = 0.5, 1.5
# `part` of nothing: a factor of 1, or no orders
_NOTHING = {"orders": 0.0, "share": 0.0}
_ID = r"^[\w.:-]{1,100}$"
Id = Annotated[str, StringConstraints(pattern=_ID)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Expression = Annotated[str, StringConstraints(max_length=1000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Claim(Table):
    """A statement somebody made.

    Attributes:
        id: a short name: "D1.1".
        statement: in our words.
        sense: how it is meant: about a number, at least one, that something is a part at all; as
            cited (nothing here is independent of it), a question, an opinion, or open.
        claimed: its number, or the two ends of its range.
        unit: of what; "orders" are compared by their difference, anything else by its ratio.
        found: expressions that decide it, by the version that each speaks of; the first is meant.
        figures: further expressions, by the names under which `reason` quotes them.
        reason: a sentence, in which {expression} is replaced by its value: {x:.2f}.
        decides: of what nothing here decides, what would.
        source: who said it, and where.
        url: where it stands.
        retrieved: the day it was read there again.
    """

    id: Id
    statement: Text
    sense: Sense
    claimed: Number | tuple[Number, Number] | None = None
    unit: Annotated[str, StringConstraints(max_length=200)] = ""
    found: dict[str, Expression] = Field(default_factory=dict)
    figures: dict[str, Expression] = Field(default_factory=dict)
    reason: Annotated[str, StringConstraints(max_length=4000)] = ""
    decides: Annotated[str, StringConstraints(max_length=4000)] = ""
    source: Text
    url: Url | None = None
    retrieved: Annotated[date, Field(strict=True)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_version(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        expressions = data.get("found")
        if isinstance(expressions, dict) and any(not str(name).strip() for name in expressions):
            raise ValueError("found has a version without a name; name it")
        return data | {"found": {"": expressions}} if isinstance(expressions, str) else data

    @model_validator(mode="after")
    def _whole(self) -> "Claim":
        decided = self.sense in ("about", "at least", "part")
        if decided and not self.found:
            raise ValueError(f'a claim "{self.sense}" needs found: an expression')
        if self.sense in ("about", "at least") and self.claimed is None:
            raise ValueError(f'a claim "{self.sense}" needs claimed: its number')
        if self.sense == "question" and not self.found:
            raise ValueError('a "question" needs found: what answers it')
        if "order" in self.unit.lower() and self.unit != "orders":
            raise ValueError(
                f'unit is {self.unit!r}; write "orders", which differences are taken of'
            )
        check_dated(self.url, self.retrieved)
        if self.sense == "open" and not self.decides:
            raise ValueError('an "open" claim needs decides: what would decide it')
        low, high = self.ends or (1.0, 1.0)
        if low > high:
            raise ValueError(f"claimed goes from {low:g} down to {high:g}; turn it round")
        if self.sense in ("about", "at least") and self.unit != "orders" and low <= 0:
            raise ValueError(f"claimed is {low:g}, which no factor leads to; give a number above 0")
        return self

    @property
    def ends(self) -> tuple[float, float] | None:
        """The claimed range; twice the claimed number."""
        if isinstance(self.claimed, tuple) or self.claimed is None:
            return self.claimed
        return self.claimed, self.claimed


class _File(Table):
    claims: Annotated[list[dict[str, Any]], Field(min_length=1)]
    defaults: dict[str, dict[str, Any]] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A claim, what was found, and what follows.

    Attributes:
        claim: the claim.
        found: in its unit, of the version that is meant; None where nothing decides it.
        kind: how the number was found: measured, derived, as cited, assumed; None without one.
        range: the least and the greatest over the versions; None without two.
        versions: what was found of each.
        tolerance: the rule, in words.
        word: what follows.
        reason: one line.
    """

    claim: Claim
    found: float | None
    kind: Literal["measured", "derived", "as cited", "assumed"] | None
    range: tuple[float, float] | None
    versions: dict[str, float]
    tolerance: str
    word: Word
    reason: str

    def as_object(self) -> dict[str, Any]:
        """Plain values under the documented keys."""
        claim = self.claim
        claimed = list(claim.claimed) if isinstance(claim.claimed, tuple) else claim.claimed
        return {
            "id": claim.id,
            "statement": claim.statement,
            "sense": claim.sense,
            "claimed": claimed,
            "unit": claim.unit,
            "found": self.found,
            "kind": self.kind,
            "range": list(self.range) if self.range else None,
            "versions": self.versions,
            "tolerance": self.tolerance,
            "verdict": self.word,
            "reason": self.reason,
            "source": claim.source,
            "url": claim.url,
            "retrieved": claim.retrieved.isoformat() if claim.retrieved else None,
        }


def read_claims(path: Path | None = None) -> list[Claim]:
    """The claims of facts/claims.toml, or of another file.

    Raises:
        BadFacts: it is no TOML, a key is unknown or missing, or two claims have one id.
    """
    path = path or facts_folder("claims.toml")
    file = checked(_File, read_toml(path), path)
    for name, table in file.defaults.items():
        for key in table.keys() - Claim.model_fields.keys():
            hint = did_you_mean(key, Claim.model_fields)
            raise BadFacts(f"{short_name(path)}: [defaults.{name}] {key} is no key here; {hint}")
    claims: dict[str, Claim] = {}
    for number, table in enumerate(file.claims, start=1):
        name = str(table.get("id", number))
        # what all claims of one discussion share stands once: [defaults.D1] is of "D1.1", "D1.2a"
        # a claim with a source of its own has nothing of theirs
        shared = {} if "source" in table else file.defaults.get(name.partition(".")[0], {})
        place = name if re.fullmatch(_ID, name) else number
        claim = checked(Claim, shared | table, path, f"claims.{place}")
        if claim.id in claims:
            raise BadFacts(f"{short_name(path)}: two claims are called {claim.id}; rename one")
        claims[claim.id] = claim
    return list(claims.values())


@dataclass(frozen=True, repr=False)
class Verdicts(Sequence[Verdict]):
    """The verdicts on several claims, in the order of their file."""

    each: tuple[Verdict, ...]

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> "Verdicts": ...
    def __getitem__(self, index: int | slice) -> "Verdict | Verdicts":
        return Verdicts(self.each[index]) if isinstance(index, slice) else self.each[index]

    def __len__(self) -> int:
        return len(self.each)

    def frame(self) -> pd.DataFrame:
        """One row a claim, under the keys of `to_json`."""
        return pd.DataFrame([verdict.as_object() for verdict in self.each])

    def to_json(self) -> str:
        """What `flopledger claims --format json` writes: a list, an object a claim."""
        return json_text([verdict.as_object() for verdict in self.each])

    def __repr__(self) -> str:
        return "\n".join(
            f"{verdict.claim.id}: {verdict.word}; {verdict.reason}" for verdict in self.each
        )

    def _repr_html_(self) -> str:
        from flopledger.reports.claims import html

        return html(self)


@checks_arguments
def claims(path: Path | str | None = None) -> Verdicts:
    """Hold the claims of facts/claims.toml against what is measured and cited.

    Args:
        path: another file of claims.

    Raises:
        BadFacts: a file of claims or of facts cannot be used, or an expression asks for what there
            is not.
        BrokenModel, ProfilingError: a network that one asks for cannot be imported or counted.
    """
    file = facts_folder("claims.toml") if path is None else Path(path)
    read = read_claims(file)
    try:
        return judged(read, Figures(cached_profile))
    except FlopledgerError as error:
        raise error.at(f"{short_name(file)}:") from error


def judged(claims: Iterable[Claim], figures: Figures) -> Verdicts:
    """What the figures say of each claim."""
    return Verdicts(tuple(judge(claim, figures) for claim in claims))


def judge(claim: Claim, figures: Figures) -> Verdict:
    """What the figures say of a claim.

    Raises:
        BadFacts: an expression of it cannot be evaluated; the message names claim, key and
            expression.
        BrokenModel, ProfilingError: a network that it asks for cannot be imported or counted.
    """
    figures.forget()
    versions = {
        name: _value(claim, f"found.{name}" if name else "found", text, figures)
        for name, text in claim.found.items()
    }
    values = list(versions.values())
    return Verdict(
        claim=claim,
        found=values[0] if values else None,
        kind=_kind(figures.kinds),
        range=(min(values), max(values)) if len(values) > 1 else None,
        versions=versions,
        tolerance=_tolerance(claim),
        word=_word(claim, values),
        reason=_reason(claim, versions, figures),
    )


def _value(claim: Claim, key: str, text: str, figures: Figures) -> float:
    shown = text if len(text) <= 120 else f"{text[:117]}..."
    place = f"[claims.{claim.id}.{key}] {shown!r}"
    try:
        value = evaluated(text, figures.functions)
    except FlopledgerError as error:
        if error.exit_code == 1:  # a network is at fault, and not the claim
            raise error.at(f"{place}:") from error
        raise BadFacts(f"{place}: {error}") from error
    if isinstance(value, bool | complex) or not isfinite(value):
        raise BadFacts(f"{place}: it comes to {value!r}, no number")
    return float(value)


def _kind(kinds: set[Kind]) -> Literal["measured", "derived", "as cited", "assumed"] | None:
    """How a number was found, by what it rests on: from cited and measured ones it is derived."""
    if not kinds:
        return None
    weakest = max(kinds, key=KINDS.index)
    if weakest == "cited":
        return "as cited" if kinds == {"cited"} else "derived"
    return weakest


def _word(claim: Claim, values: Sequence[float]) -> Word:
    words: dict[Sense, Word] = {
        "as cited": "as cited",
        "question": "answered",
        "opinion": "opinion",
        "open": "not decided here",
    }
    if claim.sense in words:
        return words[claim.sense]
    holding = [_holds(claim, value) for value in values]
    if all(holding):
        return "holds"
    return "holds in part" if any(holding) else "does not hold"


def _holds(claim: Claim, value: float) -> bool:
    if claim.sense == "part":
        return value > _NOTHING.get(claim.unit, 1.0)
    assert claim.ends is not None
    low, high = claim.ends
    if claim.sense == "at least":
        return value >= low
    if claim.unit == "orders":
        return low - ORDERS <= value <= high + ORDERS
    return low / FACTOR <= value <= high * FACTOR


def _tolerance(claim: Claim) -> str:
    if claim.sense == "about":
        return f"within {ORDERS:g} orders" if claim.unit == "orders" else f"within {FACTOR:g} x"
    return {"at least": "that or more", "part": "any part"}.get(claim.sense, "")


class _Plain(Formatter):
    """Format strings that name figures and their digits, and reach into nothing."""

    def get_field(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs[name], name

    def format_field(self, value: Any, spec: str) -> Any:
        if not re.fullmatch(r"[+-]?\d{0,2},?(\.\d{1,2})?[efg%]?", spec):
            raise ValueError(spec)
        return super().format_field(value, spec)


def _reason(claim: Claim, versions: dict[str, float], figures: Figures) -> str:
    extra = {
        name: _value(claim, f"figures.{name}", text, figures)
        for name, text in claim.figures.items()
    }
    place = f"[claims.{claim.id}.reason]"
    try:
        told = _Plain().vformat(claim.reason, (), extra)
    except KeyError as error:
        hint = did_you_mean(str(error.args[0]), extra, None if extra else "it has no figures")
        raise BadFacts(f"{place} no figure is called {error}; {hint}") from error
    except ValueError as error:
        raise BadFacts(f"{place} {error} is no format; write {{name}} or {{name:.2f}}") from error
    named = {name: value for name, value in versions.items() if name}
    listed = ", ".join(
        f"{name} {_plain(value)}{'' if _fits(claim, value) else ' (does not fit)'}"
        for name, value in named.items()
    )
    return "; ".join(part for part in (listed, told, claim.decides) if part)


def _plain(value: float) -> str:
    """Four digits, as people write them: 44,000,000 and not 4.4e+07."""
    return f"{float(f'{value:.4g}'):,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"


def _fits(claim: Claim, value: float) -> bool:
    return claim.sense not in ("about", "at least", "part") or _holds(claim, value)
