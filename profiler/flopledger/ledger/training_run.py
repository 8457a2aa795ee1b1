"""TrainingRun: what is known of how a network was trained, as facts with sources."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import Field

from flopledger.ledger.quantity import Kind, Quantity
from flopledger.storage.facts import Table
from flopledger.zoo.sizes import USUAL, Sizes

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


class Phase(Table):
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
    shared: dict[str, str] = Field(default_factory=dict)
    sizes: Sizes = USUAL

    @property
    def network(self) -> str:
        """What must be measured: "resnet50", or "resnet50 at 1x3x128x128"."""
        return self.sizes.of(self.model)


class TrainingRun(Table):
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


def facts_of(values: Mapping[str, float], kind: Kind, source: str) -> dict[str, Quantity]:
    """Facts without an interval, of one kind and source, by keys that UNITS has."""
    return {
        key: Quantity(value=value, unit=UNITS[key], kind=kind, source=source)
        for key, value in values.items()
    }
