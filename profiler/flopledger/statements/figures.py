"""Figures: what expressions of claims may ask for, and what each answer rests on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import log10, prod
from typing import Any, Literal, get_args

from flopledger.field.ai_and_compute import SystemTable, find_system, list_systems
from flopledger.ledger.build import Profiles, hours_of, ledgers
from flopledger.ledger.dawnbench import find_entry
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.methods import (
    BACKWARD,
    FLOPS_PER_PARAM,
    GENERATING,
    OUTCOMES,
    POSITIONS,
    SAMPLES,
    Accounting,
)
from flopledger.ledger.quantity import Kind, Quantity
from flopledger.ledger.run_file import find_run
from flopledger.ledger.training_run import TrainingRun
from flopledger.play.elo import elo_of
from flopledger.profiles.tables import Profile
from flopledger.statements.experiment_figures import EXPERIMENT_FUNCTIONS, ExperimentFigures
from flopledger.statements.no_figure import NoFigure
from flopledger.statements.trend_figures import TREND_FUNCTIONS, TrendFigures
from flopledger.storage.facts import facts_folder, read_toml

FactorName = Literal["flops", "backward", "samples", "positions", "outcomes", "generating"]
FACTORS: dict[FactorName, str] = {
    "flops": FLOPS_PER_PARAM,
    "backward": BACKWARD,
    "samples": SAMPLES,
    "positions": POSITIONS,
    "outcomes": OUTCOMES,
    "generating": GENERATING,
}
ProfileFigure = Literal["params", "macs", "flops", "flops_per_param", "macs_per_param"]
ACCOUNTINGS: tuple[Accounting, ...] = get_args(Accounting)
LedgerFigure = Literal["compute", "training compute", "outcomes", "outcomes_per_param", "samples"]


@dataclass
class Figures:
    """Profiles, ledgers, entries and systems, by name; counted when they are first asked for.

    Attributes:
        profiles: finds a network's profile.
        kinds: of everything that was asked for since `forget`.
        sources: of the same.
    """

    profiles: Profiles
    kinds: set[Kind] = field(default_factory=set)
    sources: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ledger = cache(self._built)
        self._hours = cache(lambda name: hours_of([name], self.profiles)[0])
        self._run, self._entry = cache(find_run), cache(find_entry)

    def forget(self) -> None:
        """Begin a new answer."""
        self.kinds.clear()
        self.sources.clear()

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """What an expression may call, by name; docs/adding-a-claim.md has the table."""
        names = (
            "profile share compute training_compute factor samples outcomes_per_param fact "
            "evaluations_per_move ratio hours sped_up batch batches epochs precision_step flops "
            "system largest_of_the_rest win_rate"
        )
        own = {name: getattr(self, name) for name in names.split()}
        trends = TrendFigures(self._place_of, self._rests)
        own |= {name: getattr(trends, name) for name in TREND_FUNCTIONS}
        experiments = ExperimentFigures(self._rests)
        own |= {name: getattr(experiments, name) for name in EXPERIMENT_FUNCTIONS}
        return own | {"orders": orders, "elo": elo_of, "min": least, "max": most, "abs": size}

    def profile(self, model: str, figure: ProfileFigure) -> float:
        """A network's params, macs, flops, flops_per_param or macs_per_param."""
        if figure not in get_args(ProfileFigure):
            raise NoFigure(f"a profile has no {figure!r}; say {', '.join(get_args(ProfileFigure))}")
        self._rests("measured", f"profile of {model}")
        profile = self.profiles(model)
        totals = profile.totals
        if figure == "macs_per_param":
            return totals.macs / profile.samples / totals.trainable_params
        value = getattr(totals, figure)
        if value is None:
            raise NoFigure(f"{model} has no {figure}: it has no parameters")
        return float(value)

    def share(self, model: str, kind: str, largest_kernel: float | None = None) -> float:
        """The share of a network's parameters in layers of a kind: "conv", "linear"."""
        self._rests("measured", f"profile of {model}")
        profile = self.profiles(model)
        kinds = {layer.kind for layer in profile.modules}
        if kind not in kinds:
            raise NoFigure(
                f"{model} has no layers of kind {kind!r}; say {', '.join(sorted(kinds))}"
            )
        paths = _paths_up_to(profile, largest_kernel) if largest_kernel is not None else None
        held = sum(
            layer.params
            for layer in profile.modules
            if layer.kind == kind and (paths is None or layer.path in paths)
        )
        return held / profile.totals.params

    def compute(self, run: str, accounting: Accounting = "all") -> float:
        """A run's FLOP per parameter: all, or those of gradient steps ("training")."""
        if accounting not in get_args(Accounting):
            raise NoFigure(
                f"no accounting is called {accounting!r}; say {' or '.join(ACCOUNTINGS)}"
            )
        ledger = self._ledger(run, accounting)
        if ledger.total is None:
            raise NoFigure(f"{run}: its gradient steps are not known, so it has no total")
        for factor in ledger.factors:
            self._rests(factor.kind, factor.source)
        return ledger.total

    def training_compute(self, run: str) -> float:
        """A run's FLOP per parameter in gradient steps."""
        return self.compute(run, "training")

    def factor(self, run: str, name: FactorName) -> float:
        """A factor of a run's ledger: flops, backward, samples, positions, outcomes, generating."""
        if name not in FACTORS:
            raise NoFigure(f"a ledger has no factor {name!r}; say {', '.join(FACTORS)}")
        ledger = self._ledger(run, "all")
        factor = next((f for f in ledger.factors if f.name == FACTORS[name]), None)
        if factor is None:
            raise NoFigure(f"{run}: its gradient steps are not known, so it has no factors")
        self._rests(factor.kind, factor.source)
        if name in ("flops", "backward", "generating"):  # networks were counted for it
            self._rests("measured", f"profile of {run}'s network")
        return factor.value

    def samples(self, run: str) -> float:
        """The samples that a run learned from."""
        return prod(self.factor(run, name) for name in ("samples", "positions", "outcomes"))

    def outcomes_per_param(self, run: str) -> float:
        """Outcomes seen: distinct labels, times the epochs in which they were seen, a parameter.

        A game is played once, however often its positions are drawn.
        """
        ledger = self._ledger(run, "all")
        seen = self.factor(run, "outcomes")
        if all(phase.method in ("supervised", "fine-tuning", "distillation")
               for phase in self._run(run).phases):  # fmt: skip
            seen *= self.factor(run, "samples")
        assert ledger.params is not None  # it is a ledger of compute
        self._rests("measured", f"parameters of {run}'s network")
        return seen / ledger.params

    def fact(self, run: str, key: str, phase: str = "") -> float:
        """A fact of a run's file, or of that phase of it, where its phases differ."""
        phases = self._phases(run, phase)
        having = {name: facts[key] for name, facts in phases.items() if key in facts}
        if not having:
            known = dict.fromkeys(key for facts in phases.values() for key in facts)
            raise NoFigure(f"{run} has no fact {key!r}; it has {', '.join(known)}")
        self._alone(f"{key} of {run}", {name: fact.value for name, fact in having.items()})
        fact = next(iter(having.values()))
        self._rests(fact.kind, fact.source)
        return fact.value

    def evaluations_per_move(self, run: str, phase: str = "") -> float:
        """Evaluations of the network for one move of self-play, or of that phase's."""
        searching = {
            name: facts
            for name, facts in self._phases(run, phase).items()
            if "simulations_per_move" in facts
        }
        if not searching:
            raise NoFigure(f"{run} has no search: no simulations_per_move")
        sums = {}
        for name, facts in searching.items():
            root = facts["root_evaluations"].value if "root_evaluations" in facts else 0.0
            each = facts["simulations_per_move"].value * facts["evaluations_per_simulation"].value
            sums[name] = each + root
        self._alone(f"evaluations_per_move of {run}", sums)
        facts = next(iter(searching.values()))
        for key in ("simulations_per_move", "evaluations_per_simulation", "root_evaluations"):
            if key in facts:
                self._rests(facts[key].kind, facts[key].source)
        return next(iter(sums.values()))

    def ratio(self, figure: ProfileFigure | LedgerFigure, b: str, a: str) -> float:
        """A figure of b over the same of a: two networks', or two runs'."""
        per_run: dict[str, Callable[[str], float]] = {
            "compute": self.compute,
            "training compute": self.training_compute,
            "outcomes": lambda run: self.factor(run, "outcomes"),
            "outcomes_per_param": self.outcomes_per_param,
            "samples": self.samples,
        }
        if figure in per_run:
            below = per_run[figure](a)
            return per_run[figure](b) / below
        if figure not in get_args(ProfileFigure):
            known = [*get_args(ProfileFigure), *per_run]
            raise NoFigure(f"there is no figure {figure!r}; say {', '.join(known)}")
        return self.profile(b, figure) / self.profile(a, figure)  # type: ignore[arg-type]

    def hours(self, entry: str) -> float:
        """An entry's hours to 93% top-5."""
        total = self._hours(entry).total
        assert total is not None
        self._rests("cited", self._entry(entry).source)
        return total

    def sped_up(self, a: str, b: str, *factors: str) -> float:
        """How many times as fast b is as a: by these factors of its hours, or the whole."""
        first, other = self._hours(a), self._hours(b)
        names = factors or tuple(factor.name for factor in first.factors)
        for ledger in (first, other):
            for factor in ledger.factors:
                if factor.name in names:
                    self._rests(factor.kind, factor.source)
                if factor.name in names and "FLOPs" in factor.name:
                    self._rests("measured", f"profile of {ledger.run}'s network")
        try:
            return prod(first.factor(name) / other.factor(name) for name in names)
        except KeyError as error:
            known = ", ".join(factor.name for factor in first.factors)
            raise NoFigure(f"{a} and {b} have no factor {error}; they have {known}") from error

    def batch(self, entry: str) -> float:
        """An entry's batch, over all chips, where it is one throughout."""
        sizes = self._entry(entry).batches
        if len(set(sizes)) != 1:
            known = ", ".join(map(str, sizes)) or "not known"
            raise NoFigure(f"{entry} has no one batch: it is {known}")
        self._rests("cited", self._entry(entry).schedule_source)
        return float(sizes[0])

    def batches(self, *entries: str) -> float:
        """The largest batch of these entries over the smallest."""
        sizes = [batch for name in entries for batch in self._entry(name).batches]
        if not sizes:
            raise NoFigure(f"no batch is known of {', '.join(entries) or 'no entry; name some'}")
        for name in entries:
            self._rests("cited", self._entry(name).schedule_source)
        return max(sizes) / min(sizes)

    def epochs(self, entry: str) -> float:
        """An entry's epochs to 93% top-5."""
        epochs = self._entry(entry).epochs
        self._rests(epochs.kind, epochs.source)
        return epochs.value

    def precision_step(self, a: str, b: str) -> float:
        """1 where two entries have one precision, 0 where they have two."""
        first, other = self._entry(a), self._entry(b)
        for entry in (first, other):
            self._rests(entry.precision_kind, entry.precision_source)
        if first.precision is None or other.precision is None:
            raise NoFigure(f"the precision of {(first if first.precision is None else other).name} "
                           "is not known")  # fmt: skip
        return float(first.precision == other.precision)

    def flops(self, model: str) -> float:
        """A network's forward FLOPs."""
        return self.profile(model, "flops")

    def system(self, name: str, table: SystemTable) -> float:
        """A system's training compute by a table: "AI and Compute", "Epoch 2025", "Epoch 2026"."""
        self._rests("cited", f"{table}: {name}")
        return find_system(name, table)

    def largest_of_the_rest(self, family: str, table: SystemTable) -> float:
        """The most training compute of a system that is not of that family, by a table."""
        self._rests("cited", table)
        return max(flops for _, flops in list_systems(table, without=family))

    def win_rate(self, what: str) -> float:
        """A win rate of facts/alphago_strength.toml, by a word of what was tuned."""
        tuned = read_toml(facts_folder("alphago_strength.toml"))["tuning"]
        matching = [row for row in tuned if what.strip() and what in row["what"]]
        if len(matching) != 1:
            listed = "; ".join(row["what"] for row in matching or tuned)
            many = "several things that were" if matching else "nothing that was"
            raise NoFigure(f"{many} tuned is called {what!r}; say one of: {listed}")
        self._rests("cited", matching[0]["source"])
        return float(matching[0]["win_rate"])

    def _place_of(self, run: str) -> tuple[date, float]:
        """A run's day, and the parameters of its networks."""
        params = self._ledger(run, "all").params
        assert params is not None  # it is a ledger of compute
        return self._run(run).published_on, float(params)

    def _phases(self, run: str, phase: str) -> dict[str, dict[str, Quantity]]:
        """The facts of a run's phases by their names, or those of the one that is named."""
        facts = {each.name: each.facts for each in self._run(run).phases}
        if phase and phase not in facts:
            raise NoFigure(f"{run} has no phase {phase!r}; it has {', '.join(facts)}")
        return {phase: facts[phase]} if phase else facts

    def _alone(self, what: str, values: Mapping[str, float]) -> None:
        """Refuse to choose one of a run's phases where they differ."""
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{value:g} in {name!r}" for name, value in values.items())
            raise NoFigure(f"{what} is {listed}; name the phase, too")

    def _rests(self, kind: Kind, source: str) -> None:
        self.kinds.add(kind)
        self.sources[source] = None

    def _built(self, name: str, accounting: Accounting) -> Ledger:
        run: TrainingRun = self._run(name)
        return ledgers([run], self.profiles, accounting)[run.name]


def orders(x: float) -> float:
    """The orders of magnitude of a ratio: log10."""
    if x <= 0:
        raise NoFigure(f"orders({x:g}): only a number above 0 has orders of magnitude")
    return log10(x)


def least(x: float, *more: float) -> float:
    """The least of these numbers."""
    return min((x, *more))


def most(x: float, *more: float) -> float:
    """The greatest of these numbers."""
    return max((x, *more))


def size(x: float) -> float:
    """The number without its sign."""
    return abs(x)


def _paths_up_to(profile: Profile, kernel: float) -> set[str]:
    """Layers whose convolutions' kernels are at most so wide."""
    widths = {call.path: max(call.inputs[1][2:]) for call in profile.calls
              if "convolution" in call.op}  # fmt: skip
    return {path for path, width in widths.items() if width <= kernel}
