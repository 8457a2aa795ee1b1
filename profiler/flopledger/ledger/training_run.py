"""TrainingRun: what is known of how a network was trained, read from a TOML file of facts."""

import difflib
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flopledger.errors import FlopledgerError
from flopledger.ledger.quantity import Kind, Quantity, product_range
from flopledger.zoo.sizes import USUAL, Size, Sizes

PFS_DAY = 8.64e19  # FLOP: 1e15 a second for a day
TOTALS = {"FLOP": 1.0, "pfs-day": PFS_DAY}  # units of a published total, in FLOP

# every fact's unit, by method of training; a run's facts are these and no others
UNITS = {
    "images": "images",
    "sequences": "sequences",
    "epochs": "epochs",
    "games": "games",
    "plies_per_game": "plies per game",
    "simulations_per_move": "simulations per move",
    "evaluations_per_simulation": "evaluations per simulation",
    "root_evaluations": "evaluations per move",
    "steps": "steps",
    "batch_size": "samples per step",
    "samples": "samples",
}
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


class BadRun(FlopledgerError, ValueError):
    """A run's file cannot be used; the message names the file and the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(_Strict):
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
    source: str = ""
    kind: Kind = "cited"
    tag: Literal["E", "S", "D", "M"] | None = None
    unit: str | None = None
    shared: str | None = None


class Phase(_Strict):
    """A part of a run with one network and one way of training.

    Attributes:
        name: unique in its run.
        model: the network of the zoo that is trained.
        method: "supervised" or "self-play".
        facts: by their keys.
        shared: the names under which facts are shared with other runs, by their keys.
        sizes: of the network, where they are not the usual ones.
    """

    name: str
    model: str
    method: Literal["supervised", "self-play"]
    facts: dict[str, Quantity]
    shared: dict[str, str] = {}
    sizes: Sizes = USUAL

    @property
    def network(self) -> str:
        """What must be measured: "resnet50", or "resnet50 at 1x3x128x128"."""
        return self.sizes.of(self.model)


class TrainingRun(_Strict):
    """One training run.

    Attributes:
        name: the file's, without .toml.
        file: where it was read, for messages.
        title: for people.
        published_on: the day its result was published.
        models: the networks it ended with; their parameters are the run's.
        phases: at least one.
        sizes: of those networks, where they are not the usual ones.
        published: training computes that somebody printed, in FLOP, to hold the ledger against.
    """

    name: str
    file: str
    title: str
    published_on: date
    models: tuple[str, ...]
    phases: tuple[Phase, ...]
    published: tuple[Quantity, ...] = ()
    sizes: Sizes = USUAL

    @property
    def networks(self) -> tuple[str, ...]:
        """The models, each with the sizes that must be measured."""
        return tuple(self.sizes.of(model) for model in self.models)

    @property
    def needed_models(self) -> tuple[str, ...]:
        """The networks of the zoo that a ledger of this run needs measured."""
        return tuple(dict.fromkeys((*self.models, *(phase.model for phase in self.phases))))


class _File(_Strict):
    """The run's own keys in a file; every other table of it is a fact."""

    title: str
    published_on: date
    model: list[str] = Field(min_length=1)
    method: Literal["supervised", "self-play"] | None = None
    phases: list[dict[str, Any]] = []
    published: list[dict[str, Any]] = []
    options: dict[str, Size] = {}
    input: list[Size] = []

    @model_validator(mode="before")
    @classmethod
    def _own_keys(cls, data: dict[str, Any]) -> dict[str, Any]:
        own = {key: value for key, value in data.items() if key not in UNITS}
        return own | {"model": [own["model"]]} if isinstance(own.get("model"), str) else own


def facts_of(values: Mapping[str, float], kind: Kind, source: str) -> dict[str, Quantity]:
    """Facts without an interval, of one kind and source, by keys that UNITS has."""
    return {
        key: Quantity(value=value, unit=UNITS[key], kind=kind, source=source)
        for key, value in values.items()
    }


def list_runs() -> list[str]:
    """The names of the runs in facts/runs."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def find_run(name: str) -> TrainingRun:
    """The run of that name in facts/runs or facts/measured, or in the TOML file of that path.

    Raises:
        BadRun: there is none, or its file cannot be used.
    """
    path = Path(name) if name.endswith(".toml") else _folder() / f"{name}.toml"
    if not path.is_file() and not name.endswith(".toml"):
        path = _folder("measured") / f"{name}.toml"
    if not path.is_file():
        near = difflib.get_close_matches(name, list_runs(), n=3, cutoff=0.4) or list_runs()
        raise BadRun(f"no run is called {name!r}; the nearest are {', '.join(near)}")
    return read_run(path)


def read_run(path: Path) -> TrainingRun:
    """The run in that file.

    Raises:
        BadRun: the file is no TOML, has an unknown key, a fact without source, a wrong unit, a
            number that is not positive, an interval without its value, or facts that contradict
            each other.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRun(f"{_short(path)}: not TOML: {error}") from error
    said = _validated(_File, data, path, "")
    common = {key: data[key] for key in UNITS if key in data}
    models = tuple(said.model)
    parts = said.phases or [{"name": "training"}]
    phases = tuple(_phase(part, common, said, path) for part in parts)
    if len({phase.name for phase in phases}) < len(phases):
        raise BadRun(f"{_short(path)}: [[phases]] two phases have one name; rename one")
    keyed = {f"published.{index}": table for index, table in enumerate(said.published)}
    totals = [_quantity(key, _fact(key, table, path), path) for key, table in keyed.items()]
    return TrainingRun(
        name=path.stem,
        file=_short(path),
        title=said.title,
        published_on=said.published_on,
        models=models,
        phases=phases,
        published=tuple(total.scaled(TOTALS[total.unit], "FLOP") for total in totals),
        sizes=Sizes(options=said.options, input=tuple(said.input)),
    )


class _PhaseFile(_Strict):
    name: str
    model: str | None = None
    method: Literal["supervised", "self-play"] | None = None
    options: dict[str, Size] = {}
    input: list[Size] = []


def _phase(part: dict[str, Any], common: dict[str, Any], run: _File, path: Path) -> Phase:
    own = {key: value for key, value in part.items() if key not in UNITS}
    said = _validated(_PhaseFile, own, path, "phases")
    method = said.method or run.method
    if method is None:
        raise BadRun(f'{_short(path)}: no method; say method = "supervised" or "self-play"')
    raw = {**common, **{key: part[key] for key in UNITS if key in part}}
    facts = {key: _fact(key, table, path) for key, table in raw.items()}
    strange = sorted(facts.keys() - _ALLOWED[method])
    if strange:
        raise BadRun(f"{_short(path)}: [{strange[0]}] is no fact of a {method} run; remove it")
    if not any(needed <= facts.keys() for needed in _NEEDED[method]):
        missing = sorted(_NEEDED[method][0] - facts.keys())[0]
        raise BadRun(f"{_short(path)}: [{missing}] is missing; a {method} run needs it")
    quantities = {key: _quantity(key, fact, path) for key, fact in facts.items()}
    _check_consistent(quantities, path)
    options, input_ = said.options, said.input
    if said.model is None:  # the run's network, with its sizes
        options, input_ = options or run.options, input_ or run.input
    return Phase(
        name=said.name,
        model=said.model or run.model[-1],
        method=method,
        facts=quantities,
        shared={key: fact.shared for key, fact in facts.items() if fact.shared},
        sizes=Sizes(options=options, input=tuple(input_)),
    )


def _fact(key: str, table: Any, path: Path) -> Fact:
    fact: Fact = _validated(Fact, table, path, key)
    if not fact.source.strip():
        raise BadRun(
            f"{_short(path)}: [{key}] has no source; give the paper and section, or say "
            'kind = "assumed" and why'
        )
    units = [UNITS[key]] if key in UNITS else list(TOTALS)
    if fact.unit is not None and fact.unit not in units:
        right = " or ".join(map(repr, units))
        raise BadRun(f"{_short(path)}: [{key}] is in {right}, not {fact.unit!r}; convert it")
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
        raise BadRun(f"{_short(path)}: [{key}] {error}") from error


def _check_consistent(facts: dict[str, Quantity], path: Path) -> None:
    """Facts that say one thing twice must agree, to their intervals and a print's rounding."""
    if ("steps" in facts) != ("batch_size" in facts):
        raise BadRun(f"{_short(path)}: [steps] and [batch_size] go together; give both or neither")
    if "images" in facts and "sequences" in facts:
        raise BadRun(f"{_short(path)}: [images] and [sequences] both count examples; give one")
    said = [keys for keys in _SAMPLES if all(key in facts for key in keys)]
    for keys, others in combinations(said, 2):
        low, one, high = product_range(facts[key] for key in keys)
        other_low, other, other_high = product_range(facts[key] for key in others)
        if max(low / other_high, other_low / high) > 1.05:
            raise BadRun(
                f"{_short(path)}: [{'] x ['.join(keys)}] is {one:g}, but {' x '.join(others)} is "
                f"{other:g}; mend the one that is wrong"
            )


def _validated(model: type[Any], data: Any, path: Path, key: str) -> Any:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (key, *first["loc"]) if part != "")
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            what = "is no key that a run has; see docs/adding-a-run.md"
        raise BadRun(f"{_short(path)}: [{where}] {what}") from error


def _folder(name: str = "runs") -> Path:
    return Path(str(files("flopledger.facts"))) / name


def _short(path: Path) -> str:
    home = _folder().parent
    return f"facts/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
