"""A training's files in its folder: the checkpoint, and the runs predicted and metered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flopledger.ledger.build import agreement_of
from flopledger.ledger.prediction import Agreement
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.write_run import write_run
from flopledger.training.checkpoints import BadCheckpoint
from flopledger.zoo.sizes import Sizes


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """A run's name and network, and where its files are.

    Attributes:
        folder: of the files.
        name: of the run, and of its files.
        title: for people.
        model: of the zoo.
        sizes: of that network.
    """

    folder: Path
    name: str
    title: str
    model: str
    sizes: Sizes

    @property
    def checkpoint(self) -> Path:
        """All that the training needs to go on."""
        return self.folder / f"{self.name}.pt"

    @property
    def predicted(self) -> Path:
        """The facts as expected before the training."""
        return self.folder / f"{self.name}-predicted.toml"

    @property
    def metered(self) -> Path:
        """The facts as they were metered."""
        return self.folder / f"{self.name}-metered.toml"

    def begin(self, resume: bool, load: Callable[[Path], None]) -> None:
        """Load the checkpoint, if there is one, and make the folder.

        Raises:
            BadCheckpoint: there is one and `resume` is not set, or it cannot be gone on with.
        """
        if self.checkpoint.exists():
            if not resume:
                raise BadCheckpoint(
                    f"{self.checkpoint} is there; --resume goes on, or choose another --output"
                )
            load(self.checkpoint)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write_predicted(self, facts: Mapping[str, Quantity]) -> None:
        """Write the facts that are expected."""
        self._write(self.predicted, "predicted", facts, None)

    def write_metered(self, facts: Mapping[str, Quantity], flops: float) -> None:
        """Write the facts that were metered, and the whole run's FLOP."""
        source = "flopledger.meter, whole run"
        total = Quantity(value=flops, unit="FLOP", kind="measured", source=source)
        self._write(self.metered, "metered", facts, total)

    def agreement(self) -> Agreement:
        """Of the two."""
        return agreement_of(str(self.predicted), str(self.metered))

    def _write(
        self, path: Path, when: str, facts: Mapping[str, Quantity], total: Quantity | None
    ) -> None:
        today = datetime.now(UTC).date()
        title = f"{self.title} ({when})"
        write_run(path, title, today, self.model, self.sizes, facts, total)
