"""The report's tables on hardware and software: where their figures were read, and when."""

import csv
from types import SimpleNamespace

import pytest
from flopledger.ledger.dawnbench import find_entry, list_entries
from flopledger.reports.report.speed_chapter import entries_table, peaks_table
from flopledger.storage.facts import facts_folder


@pytest.fixture
def findings():
    """The entries, without their ledgers."""
    return SimpleNamespace(
        entries={name: find_entry(name) for name in list_entries()}, runs={}, hours={}
    )


def written(name):
    return list(csv.DictReader(facts_folder(name).read_text().splitlines()))


def test_every_entry_has_its_address_and_its_day(findings):
    told = entries_table(findings).to_dict("records")
    for row, shown in zip(written("dawnbench.csv"), told, strict=True):
        for column in ("entry", "url", "retrieved", "source"):
            assert shown[column] == row[column]


def test_every_peak_that_an_entry_is_held_against_has_them_too(findings):
    peaks = {
        (row["chip"], row["precision"]): row for row in peaks_table(findings).to_dict("records")
    }
    v100 = next(
        row
        for row in written("devices.csv")
        if (row["name"], row["dtype"]) == ("V100-SXM2", "float16")
    )
    told = peaks["Tesla V100-SXM2", "float16"]
    assert told["TFLOP/s"] == "125"
    assert [told[key] for key in ("source", "url", "retrieved")] == [
        v100[key] for key in ("source", "url", "retrieved")
    ]
    assert all(row["url"] or row["source"].startswith("derived: ") for row in peaks.values())
    assert not [chip for chip, _ in peaks if "1080" in chip]  # of which no peak is known


def test_what_has_no_day_is_from_memory(findings):
    name = "fastai_pytorch"
    entry = SimpleNamespace(**{**vars(findings.entries[name]), "batches": (), "retrieved": None})
    (told,) = entries_table(SimpleNamespace(entries={name: entry}, hours={})).to_dict("records")
    assert told["retrieved"] == "from memory"
