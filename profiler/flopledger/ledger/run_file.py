"""A run's TOML file: its own keys, its facts and its phases, read into a TrainingRun."""

from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from flopledger.ledger.quantity import Kind, Quantity, product_range
from flopledger.ledger.training_run import TOTALS, UNITS, Phase, TrainingRun
from flopledger.storage.facts import (
    BadFacts,
    Table,
    Text,
    checked,
    facts_folder,
    read_toml,
    short_name,
)
from flopledger.storage.nearest_name import did_you_mean
from flopledger.zoo.sizes import Size, Sizes

_NEEDED = {
    "supervised": ({"images", "epochs"}, {"sequences", "epochs"}, {"samples"}),
    "self-play": (
        {"games", "plies_per_game", "simulations_per_move", "evaluations_per_simulation"},
    ),
}
_ALLOWED = {
    "supervised": {"images", "sequences", "epochs", "steps", "batch_size", "samples"},
    "self-play": UNITS.keys() - {"images", "sequences", "epochs"},
}
# each counts the samples of training; those that a file gives must not contradict each other
_SAMPLES = (("samples",), ("steps", "batch_size"), ("images", "epochs"), ("sequences", "epochs"))

Number = Annotated[float, Field(strict=True)]  # TOML's true and "12" are none


class Fact(Table):
    """One fact of a run, or one published total.

    Attributes:
        value: in the unit that UNITS gives its key.
        low: the 5th percentile of a 90% interval on a log scale.
        high: its 95th percentile.
        source: paper and section; for what is derived or assumed, how or why.
        kind: measured, cited, derived or assumed.
        tag: how sure a cited fact is: E, exact in the source read; S, read as quoted elsewhere;
            D, derived from such; M, from memory.
        unit: may be repeated in the file; another one is an error.
        shared: facts of different runs with one name here are uncertain together: one draw.
    """

    value: Number
    low: Number | None = None
    high: Number | None = None
    source: Text
    kind: Kind = "cited"
    tag: Literal["E", "S", "D", "M"] | None = None
    unit: str | None = None
    shared: str | None = None


class _File(Table):
    """The run's own keys in a file; every other table of it is a fact."""

    title: str
    published_on: date
    model: list[str] = Field(min_length=1)
    method: Literal["supervised", "self-play"] | None = None
    phases: list[dict[str, Any]] = Field(default_factory=list)
    published: list[dict[str, Any]] = Field(default_factory=list)
    options: dict[str, Size] = Field(default_factory=dict)
    input: list[Size] = Field(default_factory=list)

    @field_validator("model", mode="before")
    @classmethod
    def _listed(cls, model: Any) -> Any:
        return [model] if isinstance(model, str) else model


def list_runs() -> list[str]:
    """The names of the runs in facts/runs."""
    return sorted(path.stem for path in facts_folder("runs").glob("*.toml"))


def find_run(name: str) -> TrainingRun:
    """The run of that name in facts/runs or facts/measured, or in the TOML file of that path.

    Raises:
        BadFacts: there is none, or its file cannot be used.
    """
    if name.endswith(".toml"):
        return read_run(Path(name))
    path = next((p for p in (_file(name), _file(name, "measured")) if p.is_file()), None)
    if path is None:
        raise BadFacts(f"no run is called {name!r}; {did_you_mean(name, list_runs())}")
    return read_run(path)


def read_run(path: Path) -> TrainingRun:
    """The run in that file.

    Raises:
        BadFacts: the file is no TOML, has an unknown key, a fact without source, a wrong unit, a
            number that is not positive, an interval without its value, or facts that contradict
            each other.
    """
    data = read_toml(path)
    own = checked(_File, data, path, besides=UNITS)
    common = {key: data[key] for key in UNITS if key in data}
    models = tuple(own.model)
    parts = own.phases or [{"name": "training"}]
    phases = tuple(_phase(part, common, own, path) for part in parts)
    if len({phase.name for phase in phases}) < len(phases):
        raise _bad(path, "[[phases]] two phases have one name; rename one")
    keyed = {f"published.{index}": table for index, table in enumerate(own.published)}
    totals = [_quantity(key, _fact(key, table, path), path) for key, table in keyed.items()]
    return TrainingRun(
        name=path.stem,
        file=short_name(path),
        title=own.title,
        published_on=own.published_on,
        models=models,
        phases=phases,
        published=tuple(total.scaled(TOTALS[total.unit], "FLOP") for total in totals),
        sizes=Sizes(options=own.options, input=tuple(own.input)),
    )


class _PhaseFile(Table):
    name: str
    model: str | None = None
    method: Literal["supervised", "self-play"] | None = None
    options: dict[str, Size] = Field(default_factory=dict)
    input: list[Size] = Field(default_factory=list)


def _phase(part: dict[str, Any], common: dict[str, Any], run: _File, path: Path) -> Phase:
    own = checked(_PhaseFile, part, path, "phases", besides=UNITS)
    method = own.method or run.method
    if method is None:
        raise _bad(path, 'no method; say method = "supervised" or "self-play"')
    raw = {**common, **{key: part[key] for key in UNITS if key in part}}
    facts = {key: _fact(key, table, path) for key, table in raw.items()}
    strange = sorted(facts.keys() - _ALLOWED[method])
    if strange:
        raise _bad(path, f"[{strange[0]}] is no fact of a {method} run; remove it")
    if not any(needed <= facts.keys() for needed in _NEEDED[method]):
        missing = sorted(_NEEDED[method][0] - facts.keys())[0]
        raise _bad(path, f"[{missing}] is missing; a {method} run needs it")
    quantities = {key: _quantity(key, fact, path) for key, fact in facts.items()}
    _check_consistent(quantities, path)
    options, input_ = own.options, own.input
    if own.model is None:  # the run's network, with its sizes
        options, input_ = options or run.options, input_ or run.input
    return Phase(
        name=own.name,
        model=own.model or run.model[-1],
        method=method,
        facts=quantities,
        shared={key: fact.shared for key, fact in facts.items() if fact.shared},
        sizes=Sizes(options=options, input=tuple(input_)),
    )


def _fact(key: str, table: Any, path: Path) -> Fact:
    fact = checked(Fact, table, path, key)
    units = [UNITS[key]] if key in UNITS else list(TOTALS)
    if fact.unit is not None and fact.unit not in units:
        right = " or ".join(map(repr, units))
        raise _bad(path, f"[{key}] is in {right}, not {fact.unit!r}; convert it")
    return fact


def _quantity(key: str, fact: Fact, path: Path) -> Quantity:
    try:
        return Quantity(
            value=fact.value,
            unit=UNITS.get(key) or fact.unit or "FLOP",
            kind=fact.kind,
            source=f"{fact.source} [{fact.tag}]" if fact.tag else fact.source,
            low=fact.low,
            high=fact.high,
        )
    except ValueError as error:
        raise _bad(path, f"[{key}] {error}") from error


def _check_consistent(facts: dict[str, Quantity], path: Path) -> None:
    """Facts that say one thing twice must agree, to their intervals and a print's rounding."""
    if ("steps" in facts) != ("batch_size" in facts):
        raise _bad(path, "[steps] and [batch_size] go together; give both or neither")
    if "images" in facts and "sequences" in facts:
        raise _bad(path, "[images] and [sequences] both count examples; give one")
    countings = [keys for keys in _SAMPLES if all(key in facts for key in keys)]
    for keys, others in combinations(countings, 2):
        low, one, high = product_range(facts[key] for key in keys)
        other_low, other, other_high = product_range(facts[key] for key in others)
        if max(low / other_high, other_low / high) > 1.05:
            raise _bad(
                path,
                f"[{'] x ['.join(keys)}] is {one:g}, but {' x '.join(others)} is "
                f"{other:g}; mend the one that is wrong",
            )


def _bad(path: Path, what: str) -> BadFacts:
    return BadFacts(f"{short_name(path)}: {what}")


def _file(name: str, folder: str = "runs") -> Path:
    return facts_folder(folder, f"{name}.toml")
