"""Entry: a training run of DAWNBench and the hours it took, read from a row of a CSV file."""

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from flopledger.ledger.quantity import KINDS, Kind, Quantity
from flopledger.ledger.training_run import Phase, TrainingRun
from flopledger.storage.facts import BadFacts, Table, Url, facts_folder, read_rows, short_name
from flopledger.storage.nearest_name import did_you_mean
from flopledger.zoo.sizes import Sizes

TABLE = "dawnbench.csv"

IMAGES = Quantity(
    value=1_281_167,
    unit="images",
    kind="cited",
    source="the training set of ILSVRC-2012: tensorflow/tpu at 645a455, resnet_main.py [E]",
)
_STAGE = re.compile(r"([\d.]+)@(?:(\d+)(?:x(\d+))?|\?)(?: batch (\d+))?")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a schedule.

    Attributes:
        epochs: how many.
        size: the images' height and width in pixels; None if it is not known.
        batch: images per step; None if it is not known.
    """

    epochs: float
    size: tuple[int, int] | None
    batch: int | None

    @property
    def pixels(self) -> str:
        """Its size for people: "128 px", "288 x 384 px"."""
        if self.size is None:
            return "? px"
        height, width = self.size
        return f"{height} px" if height == width else f"{height} x {width} px"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A training of an ImageNet network to 93% top-5.

    Attributes:
        name: the entry's.
        file: where it was read, for messages.
        published_on: its date.
        model: the network, as the entry calls it.
        network: the same in the zoo; None if the zoo does not have it.
        framework: with its version.
        hardware: as the entry has it.
        chip: what facts/devices.csv may know the peak of; None of its names if it does not.
        chips: how many.
        precision: of the products ("float16"), with its kind and source; None if not known.
        epochs: to 93%.
        stages: the schedule; their epochs add up to `epochs`.
        schedule_source: where the schedule stands.
        hours: to 93%; None if it never got there.
        source: where epochs and hours stand.
        note: what else is to be known.
        url: of the entry; None if it has no page.
        retrieved: the day it was read there; None if it is from memory.
    """

    name: str
    file: str
    published_on: date
    model: str
    network: str | None
    framework: str
    hardware: str
    chip: str
    chips: Quantity
    precision: str | None
    precision_kind: Kind
    precision_source: str
    epochs: Quantity
    stages: tuple[Stage, ...]
    schedule_source: str
    hours: Quantity | None
    source: str
    note: str = field(default="")
    url: str | None = None
    retrieved: date | None = None

    @property
    def where(self) -> str:
        """The file and the entry, for messages."""
        return f"{self.file}: {self.name}"

    @property
    def has_flops(self) -> bool:
        """Whether its arithmetic can be counted: the zoo has the network, and sizes are known."""
        return self.network is not None and all(stage.size for stage in self.stages)

    @property
    def batches(self) -> tuple[int, ...]:
        """The batch sizes that are known, in order, each once."""
        return tuple(dict.fromkeys(stage.batch for stage in self.stages if stage.batch))

    def run(self) -> TrainingRun:
        """Its training, a phase a stage.

        Raises:
            BadFacts: the zoo does not have the network, or a size is not known.
        """
        if self.network is None:
            raise BadFacts(
                f"{self.where}: its network, {self.model}, is not in the zoo; only --quantity "
                "hours can be compared"
            )
        if not self.has_flops:
            raise BadFacts(
                f"{self.where}: the images' size is not known; only --quantity hours can be "
                "compared"
            )
        return TrainingRun(
            name=self.name,
            file=self.where,
            title=f"{self.model}, {self.hardware}",
            published_on=self.published_on,
            models=((self.network,),),
            phases=tuple(
                self._phase(self.network, number, stage)
                for number, stage in enumerate(self.stages, 1)
            ),
        )

    def _phase(self, network: str, number: int, stage: Stage) -> Phase:
        assert stage.size is not None
        return Phase(
            name=f"{number}: {stage.pixels}",
            model=network,
            method="supervised",
            facts={
                "images": IMAGES,
                "epochs": Quantity(
                    value=stage.epochs, unit="epochs", kind="cited", source=self.schedule_source
                ),
            },
            sizes=Sizes(input=(1, 3, *stage.size)),
        )


_Day = date  # in a row, `date` is a column


class _Row(Table):
    """A row of a file of entries; docs/adding-a-run.md says what stands in its columns."""

    entry: str
    date: date
    model: str
    network: str | None = None
    framework: str = ""
    hardware: str
    chip: str
    chips: str
    chips_source: str
    precision: Literal["float32", "bfloat16", "float16"] | None = None
    precision_source: str = ""
    epochs: str
    schedule: str
    schedule_source: str
    hours: str | None = None
    source: str
    url: Url | None = None
    retrieved: _Day | None = None
    note: str = ""


COLUMNS = tuple(_Row.model_fields)


def list_entries(path: Path | None = None) -> list[str]:
    """The names of the entries in facts/dawnbench.csv, or in another file, in its order."""
    return list(_rows(path or facts_folder(TABLE)))


def find_entry(name: str) -> Entry:
    """The entry of that name in facts/dawnbench.csv; "FILE.csv:NAME" finds it in another file.

    Raises:
        BadFacts: there is none, or its file cannot be used.
    """
    before, colon, after = name.rpartition(":")
    path = facts_folder(TABLE)
    if colon and before.endswith(".csv"):
        path, name = Path(before), after
    rows = _rows(path)
    if name not in rows:
        raise BadFacts(
            f"{short_name(path)}: no entry is called {name!r}; {did_you_mean(name, rows)}"
        )
    return _entry(rows[name], short_name(path))


def _rows(path: Path) -> dict[str, _Row]:
    return {row.entry: row for row in read_rows(path, _Row, name="entry")}


def _entry(row: _Row, file: str) -> Entry:
    where = f"{file}: {row.entry}"
    if row.precision and not row.precision_source:
        raise BadFacts(f"{where}: precision_source is empty; say how the precision is known")
    if row.retrieved and not row.url:
        raise BadFacts(f"{where}: url is empty; say what was read on {row.retrieved}")
    epochs = _quantity(row.epochs, "epochs", row.source, where)
    stages = tuple(_stage(text.strip(), where) for text in row.schedule.split(";"))
    total = sum(stage.epochs for stage in stages)
    if abs(total - epochs.value) > 1e-6 * epochs.value:
        raise BadFacts(
            f"{where}: the schedule {row.schedule!r} has {total:g} epochs, but epochs says "
            f"{epochs.value:g}; mend the one that is wrong"
        )
    precision_kind, precision_source = _kind_and_source(row.precision_source)
    return Entry(
        name=row.entry,
        file=file,
        published_on=row.date,
        model=row.model,
        network=row.network,
        framework=row.framework,
        hardware=row.hardware,
        chip=row.chip,
        chips=_quantity(row.chips, "chips", row.chips_source, where),
        precision=row.precision,
        precision_kind=precision_kind,
        precision_source=precision_source,
        epochs=epochs,
        stages=stages,
        schedule_source=row.schedule_source,
        hours=_quantity(row.hours, "hours", row.source, where) if row.hours else None,
        source=row.source,
        note=row.note,
        url=row.url,
        retrieved=row.retrieved,
    )


def _stage(text: str, where: str) -> Stage:
    """Read "18@128 batch 1024", "1@288x384" (height x width), "27@?"."""
    match = _STAGE.fullmatch(text)
    try:
        if match is None:
            raise ValueError("it is no such part")
        epochs = float(match[1])
        height, width, batch = (int(number) if number else None for number in match.group(2, 3, 4))
        if epochs <= 0 or 0 in (height, width, batch):
            raise ValueError("0 of something")
    except ValueError as error:
        raise BadFacts(
            f"{where}: schedule: {text!r} cannot be read ({error}); write EPOCHS@PIXELS batch N, "
            "such as 18@128 batch 1024, or 1@288x384"
        ) from error
    size = (height, width or height) if height else None
    return Stage(epochs=epochs, size=size, batch=batch)


def _quantity(text: str, unit: str, source: str, where: str) -> Quantity:
    kind, why = _kind_and_source(source)
    try:
        quantity = Quantity(value=float(text), unit=unit, kind=kind, source=why)
    except ValueError as error:
        raise BadFacts(f"{where}: {unit}: {error}; give a number above 0") from error
    if unit == "chips" and not float(quantity.value).is_integer():
        raise BadFacts(f"{where}: {unit}: {text} is no number of chips: it is whole; round it")
    return quantity


def _kind_and_source(source: str) -> tuple[Kind, str]:
    """The kind that a source begins with ("assumed: a pod is 64 devices"), and the rest."""
    before, colon, after = source.partition(": ")
    for kind in KINDS:
        if colon and before == kind:
            return kind, after
    return "cited", source
