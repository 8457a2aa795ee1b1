"""Entries read from CSV: schedules, kinds of sources, and what is refused in one line."""

import csv
from datetime import date
from pathlib import Path

import pytest
from flopledger.ledger.dawnbench import Stage, _stage, find_entry, list_entries
from flopledger.storage.facts import BadFacts, facts_folder
from hypothesis import given
from hypothesis import strategies as st

GOOD = {
    "entry": "mine", "date": "2020-01-01", "model": "ResNet50", "network": "resnet50",
    "framework": "PyTorch", "hardware": "8 * V100", "chip": "Tesla V100-SXM2", "chips": "8",
    "chips_source": "derived: the instance has 8", "precision": "float16",
    "precision_source": "its log", "epochs": "42",
    "schedule": "18@128 batch 1536; 23@224; 1@288x384 batch 1024", "schedule_source": "its log",
    "hours": "3", "source": "its log", "url": "https://example.org/mine.json",
    "retrieved": "2020-02-03", "note": "",
}  # fmt: skip


@pytest.fixture
def table(tmp_path):
    """Write a file of one entry, some columns changed; its name for find_entry."""

    def write(**changed):
        path = tmp_path / "mine.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, GOOD)
            writer.writeheader()
            writer.writerow(GOOD | changed)
        return f"{path}:mine"

    return write


def test_a_row_becomes_an_entry(table):
    entry = find_entry(table())
    assert (entry.name, entry.network, entry.precision, entry.hours.value) == (
        "mine", "resnet50", "float16", 3,
    )  # fmt: skip
    assert [stage.size for stage in entry.stages] == [(128, 128), (224, 224), (288, 384)]
    assert entry.batches == (1536, 1024)
    assert (entry.chips.kind, entry.chips.source) == ("derived", "the instance has 8")
    assert (entry.url, entry.retrieved) == ("https://example.org/mine.json", date(2020, 2, 3))
    run = entry.run()
    assert [phase.sizes.input for phase in run.phases] == [
        (1, 3, 128, 128), (1, 3, 224, 224), (1, 3, 288, 384),
    ]  # fmt: skip
    assert [phase.facts["epochs"].value for phase in run.phases] == [18, 23, 1]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (
            {"epochs": "41"},
            "mine: the schedule '18@128 batch 1536; 23@224; 1@288x384 batch 1024' has 42 epochs, "
            "but epochs says 41; mend",
        ),
        ({"schedule": "42 at 224"}, "mine: schedule: '42 at 224' cannot be read"),
        ({"schedule": "0@128; 42@224"}, "mine: schedule: '0@128' cannot be read"),
        ({"schedule": "42@0"}, "mine: schedule: '42@0' cannot be read"),
        ({"schedule": "4.2.1@224"}, "mine: schedule: '4.2.1@224' cannot be read"),
        ({"schedule": "42@224 batch 0"}, "cannot be read (0 of something)"),
        ({"schedule": "42@224;"}, "mine: schedule: '' cannot be read"),
        ({"chips": "eight"}, "mine: chips: could not convert"),
        ({"chips": "0"}, "mine: chips: value is 0; give a number above 0"),
        ({"chips": "1.5"}, "mine: chips: 1.5 is no number of chips: it is whole; round it"),
        ({"hours": "-1"}, "mine: hours: value is -1"),
        ({"epochs": "0"}, "mine: epochs: value is 0; give a number above 0"),
        (
            {"precision": "fp16"},
            "mine: precision: Input should be 'float32', 'bfloat16'",
        ),
        ({"precision_source": ""}, "mine: precision_source is empty; say how"),
        ({"source": ""}, "mine: source is empty; fill it in"),
        ({"date": "April"}, "mine: date: Input should be a valid date"),
        ({"retrieved": "lately"}, "mine: retrieved: Input should be a valid date"),
        ({"url": ""}, "mine: url is empty; say what was read on 2020-02-03"),
        ({"url": "http://example.org"}, "mine: url: 'http://example.org' is no address; begin"),
        ({"url": "https://example.org/a b"}, "is no address; begin with https://, and leave no"),
        ({"url": "https://"}, "mine: url: 'https://' is no address"),
    ],
)
def test_a_bad_row_gives_one_line(table, changed, complaint):
    with pytest.raises(BadFacts) as caught:
        find_entry(table(**changed))
    assert complaint in str(caught.value)
    assert "mine.csv: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_named(table, tmp_path):
    with pytest.raises(BadFacts, match=r"'fastai_pytorhc'; did you mean fastai_pytorch"):
        find_entry("fastai_pytorhc")
    with pytest.raises(BadFacts, match=r"no entry is called 'yours'; there are mine"):
        find_entry(table().replace(":mine", ":yours"))
    with pytest.raises(BadFacts, match=r"none.csv: it cannot be read: No such file"):
        find_entry(str(tmp_path / "none.csv:x"))
    (tmp_path / "short.csv").write_text("entry,date\nx,2020-01-01\n")
    with pytest.raises(BadFacts, match="column 'model' is missing"):
        find_entry(str(tmp_path / "short.csv:x"))


def test_two_entries_of_one_name_are_refused(table):
    path, _, _ = table().rpartition(":")
    lines = Path(path).read_text().splitlines()
    Path(path).write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(BadFacts, match="two rows are called 'mine'"):
        find_entry(f"{path}:mine")


def test_a_network_that_is_not_in_the_zoo_has_no_flops(table):
    entry = find_entry(table(network="", model="AmoebaNet-D"))
    assert not entry.has_flops
    with pytest.raises(BadFacts, match="its network, AmoebaNet-D, is not in the zoo"):
        entry.run()
    entry = find_entry(table(schedule="42@?"))
    assert not entry.has_flops
    with pytest.raises(BadFacts, match="images' size is not known"):
        entry.run()


def test_the_tables_names_are_its_rows():
    names = list_entries()
    assert len(set(names)) == len(names) == 28  # 27 of the repository, and one superseded
    assert all(find_entry(name).hours for name in names)


sizes = st.one_of(st.none(), st.tuples(st.integers(1, 999), st.integers(1, 999)))


@given(st.integers(1, 10_000), sizes, st.one_of(st.none(), st.integers(1, 99_999)))
def test_what_is_written_is_read(tenths, size, batch):
    epochs = tenths / 10
    pixels = "?" if size is None else f"{size[0]}x{size[1]}"
    text = f"{epochs}@{pixels}" + (f" batch {batch}" if batch else "")
    assert _stage(text, "x") == Stage(epochs=epochs, size=size, batch=batch)


@given(st.text("0123456789.@x? batch", max_size=20))
def test_whatever_is_written_is_read_or_refused(text):
    try:
        assert _stage(text, "x").epochs > 0
    except BadFacts as error:
        assert "cannot be read" in str(error)


def test_an_entry_says_what_its_row_says():
    rows = csv.DictReader((facts_folder("dawnbench.csv")).read_text().splitlines())
    for row in rows:
        entry = find_entry(row["entry"])
        for name in "model hardware chip framework schedule_source source note".split():
            assert getattr(entry, name) == row[name], (row["entry"], name)
        assert entry.name == row["entry"]
        assert entry.network == (row["network"] or None)
        assert entry.precision == (row["precision"] or None)
        assert entry.published_on.isoformat() == row["date"]
        assert (entry.chips.value, entry.chips.unit) == (float(row["chips"]), "chips")
        assert (entry.epochs.value, entry.epochs.unit) == (float(row["epochs"]), "epochs")
        assert (entry.hours and entry.hours.value) == (
            float(row["hours"]) if row["hours"] else None
        )
        assert entry.file == "facts/dawnbench.csv"


def test_a_run_of_an_entry_says_what_the_entry_says(table):
    entry = find_entry(table())
    assert entry.file.endswith("mine.csv")
    assert entry.where == f"{entry.file}: mine"
    run = entry.run()
    assert (run.name, run.file, run.title) == ("mine", entry.where, "ResNet50, 8 * V100")
    assert run.models == (("resnet50",),)
    assert [phase.name for phase in run.phases] == ["1: 128 px", "2: 224 px", "3: 288 x 384 px"]
    for phase in run.phases:
        epochs = phase.facts["epochs"]
        assert (epochs.unit, epochs.kind, epochs.source) == ("epochs", "cited", "its log")
        assert (phase.method, phase.model) == ("supervised", "resnet50")
        # Russakovsky et al. 2015: 1,281,167 images of 1,000 classes
        assert phase.facts["images"].value == 1_281_167
