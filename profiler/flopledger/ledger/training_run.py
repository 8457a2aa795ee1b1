"""TrainingRun: what is known of how a network was trained, as phases of facts."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flopledger.ledger.methods import Accounting, MethodName
from flopledger.ledger.quantity import Choice, Quantity
from flopledger.zoo.sizes import USUAL, Sizes


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(_Frozen):
    """A part of a run with one network and one way of training.

    Attributes:
        name: unique in its run.
        model: the network that is trained; None for the run's, whichever alternative it is.
        method: how; `methods.METHODS` has each one's arithmetic.
        facts: by their keys.
        shared: the names under which facts are shared with other runs, by their keys.
        sizes: of the network, where they are not the usual ones.
        teacher: the network that labels the samples of a distillation.
    """

    name: str
    model: str | None
    method: MethodName
    facts: dict[str, Quantity]
    shared: dict[str, str] = {}
    sizes: Sizes = USUAL
    teacher: str | None = None


class Total(_Frozen):
    """A training compute that somebody printed, in FLOP.

    Attributes:
        quantity: the figure.
        accounting: whether it holds data generation, or gradient steps only.
        as_of: the day it was published, or its table was downloaded.
    """

    quantity: Quantity
    accounting: Accounting = "all"
    as_of: date | None = None


class Hardware(_Frozen):
    """What a run ran on.

    Attributes:
        chip: as facts/devices.csv calls it.
        precision: of the products: "float32", "bfloat16", "float16", "int8".
        chips: how many.
        hours: that they ran.
        seconds_per_move: of self-play, where it is known: a chip's, at the search's simulations.
    """

    chip: str
    precision: str
    chips: Quantity
    hours: Quantity


class TrainingRun(_Frozen):
    """One training run.

    Attributes:
        name: the file's, without .toml.
        file: where it was read, for messages.
        title: for people.
        published_on: the day its result was published.
        models: the networks it ended with; their parameters are the run's. A tuple for each answer
            to an open question of which; one tuple where there is none.
        choice: how likely each answer is; None where there is one.
        choice_shared: the name under which other runs share that question; empty if none does.
        phases: at least one.
        sizes: of those networks, where they are not the usual ones.
        published: totals to hold the ledger against.
        hardware: what it ran on, where that is known.
    """

    name: str
    file: str
    title: str
    published_on: date
    models: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]
    choice: Choice | None = None
    choice_shared: str = ""
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    sizes: Sizes = USUAL
    published: tuple[Total, ...] = ()
    hardware: Hardware | None = None

    @property
    def networks(self) -> tuple[tuple[str, ...], ...]:
        """Of each answer, the networks that must be counted: "resnet50 at 1x3x128x128"."""
        return tuple(tuple(self.sizes.of(model) for model in models) for models in self.models)

    def networks_of(self, phase: Phase) -> tuple[str, ...]:
        """What the phase trains: its own network, or of each answer the run's last."""
        if phase.model is not None:
            return (phase.sizes.of(phase.model),)
        return tuple(phase.sizes.of(models[-1]) for models in self.models)

    @property
    def needed(self) -> dict[str, tuple[str, Sizes]]:
        """Every network that a ledger of this run needs counted: model and sizes, by its name."""
        wanted = [(model, self.sizes) for models in self.models for model in models]
        for phase in self.phases:
            last = [models[-1] for models in self.models]
            trained = [phase.model] if phase.model is not None else last
            wanted += [(model, phase.sizes) for model in trained]
            wanted += [(phase.teacher, USUAL)] if phase.teacher else []
        return {sizes.of(model): (model, sizes) for model, sizes in wanted}
