"""The pages beside each other: links that lead somewhere, one picture, where to install from."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from flopledger.cli.main import main

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
# what the site alone has: written by the code, or by files at the top
OF_THE_SITE = {"index.md", "command-line.md", "api.md", "contributing.md", "changelog.md"}


def links(text):
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    for link in links(page.read_text()):
        assert (page.parent / link.partition("#")[0]).exists(), link


def test_readme_links_to_every_page():
    shown = {page.name for page in DOCS.iterdir() if page.suffix in (".md", ".ipynb")}
    assert {f"docs/{name}" for name in shown - OF_THE_SITE} <= set(links(README))


def test_readme_is_short():
    assert len(README.splitlines()) < 100


def test_the_picture_is_what_the_command_beside_it_draws(tmp_path):
    (command,) = re.findall(r"^`flopledger (.*) --output docs/alexnet.svg`", README, re.MULTILINE)
    with pytest.raises(SystemExit):
        main([*command.split(), "--output", str(tmp_path / "drawn.svg")])
    drawn, kept = (
        re.sub(r"flopledger \d[\w.]*( \(commit \w+\+?\))?, \d{4}-\d\d-\d\d", "", path.read_text())
        for path in (tmp_path / "drawn.svg", DOCS / "alexnet.svg")
    )
    assert drawn == kept
    assert "Convolutions take 91.9%" in kept


def test_every_extra_that_is_named_exists_and_no_index_is():
    sources = [*PAGES, *(ROOT / "profiler" / "flopledger").rglob("*.py"), ROOT / "action.yml"]
    text = "\n".join(path.read_text() for path in sources)
    named = {extra for extras in re.findall(r"(?:flopledger|'\.)\[([\w,]+)\]", text)
             for extra in extras.split(",")}  # fmt: skip
    assert named <= set(SETUP["options.extras_require"])
    # with an extra, pip takes the flopledger that is there; without one it would ask an index
    installed = re.findall(r"pip install '?flopledger(?!\[| @)[^\n]*", text)
    assert [words for words in installed if "would fetch whatever" not in words] == []


def test_pip_adds_an_extra_to_the_flopledger_that_is_installed():
    words = ["install", "--no-index", "--no-deps", "--dry-run", "flopledger[timm]"]
    ran = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Requirement already satisfied: flopledger[timm]" in ran.stdout


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == SETUP["metadata"]["version"]
    assert cited["license"] == SETUP["metadata"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
