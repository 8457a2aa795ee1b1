"""--format: what a verb offers is its table in reports/, read without importing it."""

from importlib import import_module
from pathlib import Path

import pytest
from flopledger.cli.formats import format_names

REPORTS = Path(__file__).parent.parent.parent / "profiler" / "flopledger" / "reports"
TABLES = [path.stem for path in REPORTS.glob("*.py") if "\nFORMATS: dict" in path.read_text()]


@pytest.mark.parametrize("report", TABLES)
def test_what_is_read_is_the_table(report):
    assert format_names(report) == list(import_module(f"flopledger.reports.{report}").FORMATS)


def test_a_format_that_is_not_there_is_refused_with_those_that_are(run):
    code, out, errors = run("claims", "--format", "yaml")
    assert (code, out) == (2, "")
    names = ", ".join(format_names("claims"))
    assert errors == [f"flopledger: Invalid value for '--format': 'yaml' is not one of {names}"]


def test_a_chain_has_the_formats_of_a_comparison():
    assert format_names("compare_chain") == format_names("compare")
