"""CONTRIBUTING.md's tables: every folder and every verb has its row, and every row is true."""

import re
from pathlib import Path

import flopledger
import typer
from flopledger.cli.main import app

ROOT = Path(__file__).parent.parent.parent
LIBRARY = ROOT / "profiler" / "flopledger"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def _rows(heading):
    """The cells of the table's rows, below its head."""
    chapter = CONTRIBUTING.split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in chapter.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def _holds_files(folder):
    return any(p.is_file() and p.suffix != ".pyc" for p in folder.rglob("*"))


def test_every_folder_has_its_row_and_every_row_is_a_folder():
    listed = [folder for folder, _ in _rows("What is where")]
    assert len(listed) == len(set(listed))
    for folder in listed:
        assert (ROOT / folder).is_dir(), folder
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    top = {p for p in ROOT.iterdir() if p.is_dir() and p.name not in {*ignored, ".git", "shared"}}
    top = {p for p in top if p.suffix != ".egg-info"}
    inside = {p for p in LIBRARY.rglob("*") if p.is_dir() and p.name != "__pycache__"}
    there = {p.relative_to(ROOT).as_posix() for p in top | inside if _holds_files(p)}
    assert there <= set(listed)


def test_every_verb_and_function_has_its_row_and_lives_where_it_says():
    rows = _rows("Where a verb lives")
    verbs = {verb for verb, *_ in rows if re.fullmatch(r"\w+", verb)}
    assert verbs == set(typer.main.get_command(app).commands)
    for verb, function, package, report, command in rows:
        assert (LIBRARY / package).is_dir(), verb
        home = getattr(flopledger, function).__module__
        assert home.startswith(f"flopledger.{package.replace('/', '.')}."), function
        for folder, file in (("reports", report), ("cli", command)):
            assert not file or (LIBRARY / folder / file).is_file(), (verb, file)
        assert not command or command.startswith(verb.split()[0])
