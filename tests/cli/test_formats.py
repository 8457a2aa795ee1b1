"""--format: what a verb offers is its table in reports/, read without importing it."""

import csv
import json
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


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("x.csv", "model,layer,kind,"),
        ("x.json", "{"),
        ("x.MD", "## lstm"),
        ("x.html", "<!DOCTYPE html>"),
        ("x.tex", "\\begin{table}"),
        ("x.svg", "<svg"),
        ("x.speedscope.json", '{"$schema": "https://www.speedscope.app'),
        ("x", "lstm: "),
        ("x.txt", "lstm: "),
    ],
)
def test_the_suffix_of_the_file_names_the_format(run, tmp_path, name, begins):
    file = tmp_path / name
    code, out, errors = run("profile", "lstm", "--output", str(file))
    assert (code, out, errors) == (0, "", [f"flopledger: written to {file}"])
    assert file.read_text().replace("\n", "").replace("{  ", "{").startswith(begins)


def test_a_format_that_is_named_counts_more_than_the_suffix(run, tmp_path):
    file = tmp_path / "x.txt"
    assert run("profile", "lstm", "--output", str(file), "--format", "csv")[0] == 0
    assert file.read_text().startswith("model,layer,kind,")


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_a_suffix_that_the_verb_has_no_format_for_is_refused_before_any_work(run, tmp_path, suffix):
    file = tmp_path / f"x.{suffix}"
    code, out, errors = run("claims", "--output", str(file))
    assert (code, out, len(errors)) == (2, "", 1)
    assert f"this verb writes no {suffix}; --format is one of table, json, csv" in errors[0]
    assert not file.exists()


def test_every_verb_of_results_has_the_same_five_formats():
    for report in TABLES:
        assert {"table", "json", "csv", "markdown", "html"} <= set(format_names(report)), report


@pytest.mark.parametrize("form", ["csv", "markdown", "html"])
def test_games_in_every_format(run, form):
    quick = "--game tic_tac_toe --simulations 4 --games 2 --blocks 1 --filters 4".split()
    code, out, _ = run("selfplay", *quick, "--format", form)
    assert code == 0
    if form == "csv":
        rows = list(csv.DictReader(out.splitlines()))
        whole = json.loads(run("selfplay", *quick, "--format", "json")[1])
        assert sum(int(row["network evaluations"]) for row in rows) == whole["evaluations"]
    else:
        assert "network evaluations" in out


def test_a_journal_is_resumed_and_a_result_is_not(run, tmp_path):
    code, out, errors = run("selfplay", "--output", str(tmp_path / "x.csv"), "--resume")
    assert (code, out, len(errors)) == (2, "", 1)
    assert "--resume goes on with a journal" in errors[0]
    assert "x.jsonl" in errors[0]
