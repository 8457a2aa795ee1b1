"""A run's TOML file: its own keys, its facts and its phases, read into a TrainingRun."""

from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from flopledger.ledger.cited_sources import central_sources
from flopledger.ledger.methods import METHODS, UNITS, MethodName
from flopledger.ledger.one_fact import TOTALS, quantity_of
from flopledger.ledger.quantity import Choice, Kind, Quantity, product_range
from flopledger.ledger.run_forms import FactForm, HardwareForm, PhaseForm, PublishedForm, RunForm
from flopledger.ledger.training_run import Hardware, Phase, Total, TrainingRun
from flopledger.storage.facts import (
    BadFacts,
    checked,
    exists,
    facts_folder,
    read_toml,
    short_name,
)
from flopledger.storage.nearest_name import did_you_mean
from flopledger.zoo.sizes import USUAL, Option, Sizes

# each group counts one thing in several ways, which must not contradict each other
_TWICE = (
    (("tokens",), ("sequences", "tokens_per_sequence")),
    (("actor_steps",), ("rewards", "steps_per_episode")),
    (
        ("samples",),
        ("steps", "batch_size", "unroll"),
        ("images", "epochs"),
        ("examples", "epochs"),
        ("tokens", "epochs"),
        ("sequences", "tokens_per_sequence", "epochs"),
        ("actor_steps", "reuse"),
        ("rewards", "steps_per_episode", "reuse"),
    ),
)
_ONCE = frozenset({"unroll"})  # 1 where a file does not say it


def facts_of(values: Mapping[str, float], kind: Kind, source: str) -> dict[str, Quantity]:
    """Facts without an interval, of one kind and source, by keys that UNITS has."""
    return {
        key: Quantity(value=value, unit=UNITS[key], kind=kind, source=source)
        for key, value in values.items()
    }


def list_runs() -> list[str]:
    """The names of the runs in facts/runs."""
    return sorted(path.stem for path in facts_folder("runs").glob("*.toml"))


def find_run(name: str) -> TrainingRun:
    """The run of that name in facts/runs or facts/measured, or in the TOML file of that path.

    Raises:
        BadFacts: there is none, or its file cannot be used.
    """
    if not name.strip() or "\0" in name:
        raise BadFacts(f"{name!r} is no run's name; flopledger compare --list shows them")
    return read_run(Path(name) if name.endswith(".toml") else _file_of(name))


def _file_of(name: str) -> Path:
    files = [facts_folder(folder, f"{name}.toml") for folder in ("runs", "measured")]
    path = next((file for file in files if exists(file)), None)
    if path is None:
        raise BadFacts(f"no run is called {name!r}; {did_you_mean(name, list_runs())}")
    return path


def read_run(path: Path, seen: tuple[Path, ...] = ()) -> TrainingRun:
    """The run in that file.

    Args:
        path: the file.
        seen: the files of the runs that are fine-tuned from this one.

    Raises:
        BadFacts: the file is no TOML, has an unknown key, a fact without source, a wrong unit, a
            number that is not positive, an interval without its value, alternatives whose weights
            do not add up, facts that contradict each other, or a total older than its run.
    """
    return _Reader(path).run(seen)


class _Reader:
    """One file while it is read."""

    def __init__(self, path: Path) -> None:
        self.path, self.data = path, read_toml(path)
        self.file = checked(RunForm, self.data, path, besides=UNITS)
        self.sources = central_sources() | self.file.sources

    def run(self, seen: tuple[Path, ...]) -> TrainingRun:
        file = self.file
        if file.model == []:
            raise self._bad("model", "is an empty list; name a network")
        if bool(file.model) == bool(file.models):
            both = "and [[models]] both name the network; remove one"
            neither = "is missing; name the network, or give [[models]] where it is open"
            raise self._bad("model", both if file.model else neither)
        common = {key: self.data[key] for key in UNITS if key in self.data}
        phases = [self._phase(part, common) for part in file.phases or [{"name": "training"}]]
        if len({phase.name for phase in phases}) < len(phases):
            raise self._bad("phases", "two phases have one name; rename one")
        if file.base is not None:
            phases = [*self._base(file.base, seen), *phases]
        return TrainingRun(
            name=self.path.stem,
            file=short_name(self.path),
            title=file.title,
            published_on=file.published_on,
            models=self._models(),
            choice=self._choice(),
            choice_shared=file.models_shared,
            phases=tuple(phases),
            sizes=self._sizes(file.options, file.input, file.frozen),
            published=tuple(
                self._total(f"published.{index}", table)
                for index, table in enumerate(file.published)
            ),
            hardware=self._hardware(file.hardware),
        )

    def _models(self) -> tuple[tuple[str, ...], ...]:
        if self.file.model:
            return (tuple(map(self._resolved, self.file.model)),)
        listed = [[a.model] if isinstance(a.model, str) else a.model for a in self.file.models]
        return tuple(tuple(map(self._resolved, names)) for names in listed)

    def _choice(self) -> Choice | None:
        answers = self.file.models
        if not answers:
            return None
        try:
            return Choice(
                weights=tuple(answer.weight for answer in answers),
                kind=answers[0].kind,
                source="; ".join(answer.source for answer in answers),
            )
        except ValueError as error:
            raise self._bad("models", str(error)) from error

    def _resolved(self, model: str) -> str:
        """The model's name, its file looked for beside the run's, then in facts/configs."""
        kind, colon, rest = model.partition(":")
        if not colon:
            return model
        file, _, factory = model.rpartition(":")
        name = rest if kind == "hf" else file
        if kind != "hf" and not file.endswith(".py"):
            return model
        for folder in (self.path.parent, facts_folder("configs")):
            if exists(folder / name):
                path = str(folder / name)
                return f"hf:{path}" if kind == "hf" else f"{path}:{factory}"
        raise self._bad("model", f"there is no {name} beside it nor in facts/configs")

    def _base(self, name: str, seen: tuple[Path, ...]) -> list[Phase]:
        """The phases of the run whose network this one goes on from."""
        path = self.path.resolve()
        if path in seen:
            raise self._bad("base", f"{name} goes on from this run itself; name an earlier one")
        file = self.path.parent / name
        if not name.endswith(".toml"):
            try:
                file = _file_of(name)
            except BadFacts as error:
                raise self._bad("base", str(error)) from error
        elif not exists(file):
            raise self._bad("base", f"there is no file {name} beside it; name another")
        base = read_run(file, (*seen, path))
        heaviest = base.models[base.choice.value if base.choice else 0]
        return [
            phase.model_copy(
                update={
                    "name": f"{base.name}: {phase.name}",
                    "model": phase.model or heaviest[-1],
                }
            )
            for phase in base.phases
        ]

    def _phase(self, part: dict[str, Any], common: dict[str, Any]) -> Phase:
        phase, run = checked(PhaseForm, part, self.path, "phases", besides=UNITS), self.file
        method = phase.method or run.method
        if method is None:
            raise BadFacts(
                f"{short_name(self.path)}: no method; say method = {' or '.join(METHODS)}"
            )
        if phase.method is not None:  # of the run's facts, those that this way of training has
            allowed = METHODS[method].allowed
            common = {key: table for key, table in common.items() if key in allowed}
        raw = {**common, **{key: part[key] for key in UNITS if key in part}}
        places = {key: f"phases.{key}" if key in part else key for key in raw}
        forms = {key: checked(FactForm, raw[key], self.path, places[key]) for key in raw}
        facts = {key: self._fact(key, forms[key], places[key]) for key in raw}
        self._check(method, facts)
        teacher = phase.teacher or run.teacher
        if (teacher is None) == (method == "distillation"):
            raise self._bad("teacher", "a distillation has one, and nothing else does")
        options, input_, frozen = phase.options, phase.input, phase.frozen
        if phase.model is None:  # the run's network, with its sizes
            options, input_ = options or run.options, input_ or run.input
            frozen = frozen or run.frozen
        return Phase(
            name=phase.name,
            model=self._resolved(phase.model) if phase.model is not None else None,
            method=method,
            facts=facts,
            shared={key: form.shared for key, form in forms.items() if form.shared},
            sizes=self._sizes(options, input_, frozen),
            teacher=self._resolved(teacher) if teacher else None,
        )

    def _sizes(self, options: dict[str, Option], input_: Any, frozen: list[str]) -> Sizes:
        sizes = Sizes(options=options, input=tuple(input_), frozen=tuple(frozen))
        return USUAL if sizes == USUAL else sizes

    def _check(self, method: MethodName, facts: dict[str, Quantity]) -> None:
        strange = sorted(facts.keys() - METHODS[method].allowed)
        if strange:
            raise self._bad(strange[0], f"is no fact of a {method} run; remove it")
        needed = METHODS[method].needed
        if not any(keys <= facts.keys() for keys in needed):
            nearest = max(needed, key=lambda keys: len(keys & facts.keys()))
            missing, *others = sorted(nearest - facts.keys())
            also = f", and {' and '.join(others)}" if others else ""
            raise self._bad(missing, f"is missing; a {method} run needs it{also}")
        if "images" in facts and facts.keys() & {"tokens", "sequences"}:
            raise self._bad("images", "and [tokens] both count examples; give one")
        if method == "generation" and {"games", "samples"} <= facts.keys():
            raise self._bad("samples", "and [games] both say what is made; give one")
        self._check_twice(facts)
        for key, other in (("steps", "batch_size"), ("batch_size", "steps")):
            if key in facts and other not in facts:
                raise self._bad(other, f"is missing beside [{key}]; give both or neither")
        if "unroll" in facts and "steps" not in facts:
            raise self._bad("unroll", "multiplies [steps] x [batch_size]; give them, or remove it")

    def _check_twice(self, facts: dict[str, Quantity]) -> None:
        """Facts that say one thing twice must agree, to their intervals and a print's rounding."""
        for group in _TWICE:
            ways = [
                [key for key in keys if key in facts]
                for keys in group
                if all(key in facts for key in keys if key not in _ONCE)
            ]
            for keys, others in combinations(ways, 2):
                low, value, high = product_range(facts[key] for key in keys)
                other_low, other, other_high = product_range(facts[key] for key in others)
                if max(low / other_high, other_low / high) > 1.05:
                    raise self._bad(
                        "] x [".join(keys),
                        f"is {value:g}, but {' x '.join(others)} is {other:g}; mend the one that "
                        "is wrong",
                    )

    def _fact(self, key: str, fact: FactForm, place: str = "") -> Quantity:
        try:
            return quantity_of(key, fact, self.sources)
        except ValueError as error:
            raise self._bad(place or key, str(error)) from error

    def _total(self, key: str, table: Any) -> Total:
        published = checked(PublishedForm, table, self.path, key)
        figure = self._fact(key, published)
        if published.as_of is not None and published.as_of > date.today():
            raise self._bad(key, f"is of {published.as_of}, a day to come; give the day it was")
        if published.as_of is not None and published.as_of < self.file.published_on:
            raise self._bad(
                key,
                f"is of {published.as_of}, before the run's {self.file.published_on}: it cannot "
                "be this run's; remove it",
            )
        return Total(
            quantity=figure.scaled(TOTALS[figure.unit], "FLOP"),
            accounting=published.accounting,
            as_of=published.as_of,
        )

    def _hardware(self, table: HardwareForm | None) -> Hardware | None:
        if table is None:
            return None
        chips, hours = (
            self._fact("hardware.chips", table.chips),
            self._fact("hardware.hours", table.hours),
        )
        return Hardware(chip=table.chip, precision=table.precision, chips=chips, hours=hours)

    def _bad(self, key: str, what: str) -> BadFacts:
        return BadFacts(f"{short_name(self.path)}: [{key}] {what}")
