"""What a run's file may hold, key by key; run_file.py makes a run of it."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from flopledger.ledger.cited_sources import Source
from flopledger.ledger.methods import Accounting, MethodName
from flopledger.ledger.quantity import Kind
from flopledger.storage.facts import Table, Url
from flopledger.zoo.sizes import Option, Size

Number = Annotated[float, Field(strict=True)]  # TOML's true and "12" are none
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Name = Annotated[str, StringConstraints(max_length=400)]  # long enough for any, short in a line
Day = Annotated[date, Field(strict=True)]


class AlternativeForm(Table):
    """One answer to an open question: a value, and how likely it is."""

    value: Number
    weight: Number
    kind: Kind | None = None
    source: Text


class FactForm(Table):
    """One fact of a run, or one published total, as a file has it.

    Attributes:
        value: in the unit that UNITS gives its key; absent where there are alternatives.
        alternatives: the readings of an open question, whose weights add up to 1.
        low: the 5th percentile of a 90% interval on a log scale.
        high: its 95th percentile.
        source: paper and section; for what is derived or assumed, how or why.
        ref: a key of facts/sources.toml, or of the file's own [sources]: where url and the day it
            was read again stand.
        url: where it stands, in place of ref.
        retrieved: the day it was read there again.
        kind: measured, cited, derived or assumed.
        tag: how sure a cited fact is: E, exact in the source read; S, read as quoted elsewhere;
            D, derived from such; M, from memory.
        unit: may be repeated in the file; another one is an error.
        shared: facts of different runs with one name here are uncertain together: one draw.
        command: what measured it.
        versions: of what it was measured with.
    """

    value: Number | None = None
    alternatives: list[AlternativeForm] = Field(default_factory=list)
    low: Number | None = None
    high: Number | None = None
    source: Text
    ref: Name | None = None
    url: Url | None = None
    retrieved: Day | None = None
    kind: Kind = "cited"
    tag: Literal["E", "S", "D", "M"] | None = None
    unit: Name | None = None
    shared: Text | None = None
    command: Text | None = None
    versions: Text | None = None


class PublishedForm(FactForm):
    """A training compute that somebody printed: what it holds, and from which day it is."""

    accounting: Accounting = "all"
    as_of: Day | None = None


class AnswerForm(Table):
    """One of the networks that a run may have trained."""

    model: Text | Annotated[list[Text], Field(min_length=1)]
    weight: Number
    kind: Kind = "assumed"
    source: Text


class HardwareForm(Table):
    """What a run ran on."""

    chip: Annotated[Text, Field(max_length=200)]
    precision: Literal["float32", "bfloat16", "float16", "float8_e4m3fn", "int8"]
    chips: FactForm
    hours: FactForm


class PhaseForm(Table):
    """A phase's own keys in a file; every other table of it is a fact."""

    name: Annotated[Text, Field(max_length=200)]
    model: Text | None = None
    method: MethodName | None = None
    options: dict[Name, Option] = Field(default_factory=dict)
    input: list[Size] | list[Name] = Field(default_factory=list)
    frozen: list[Name] = Field(default_factory=list)
    teacher: Text | None = None


class RunForm(Table):
    """The run's own keys in a file; every other table of it is a fact."""

    title: Annotated[Text, Field(max_length=400)]
    published_on: Day
    model: list[Text] | None = None
    models: list[AnswerForm] = Field(default_factory=list)
    models_shared: Name = ""
    method: MethodName | None = None
    phases: list[dict[str, Any]] = Field(default_factory=list)
    published: list[dict[str, Any]] = Field(default_factory=list)
    options: dict[Name, Option] = Field(default_factory=dict)
    input: list[Size] | list[Name] = Field(default_factory=list)
    frozen: list[Name] = Field(default_factory=list)
    teacher: Text | None = None
    base: Text | None = None
    hardware: HardwareForm | None = None
    sources: dict[str, Source] = Field(default_factory=dict)

    @field_validator("model", mode="before")
    @classmethod
    def _listed(cls, model: Any) -> Any:
        return [model] if isinstance(model, str) else model
