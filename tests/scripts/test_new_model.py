"""make new-model: what it writes is a network that works, with a test that passes."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flopledger import profile
from flopledger.zoo import registry
from flopledger.zoo.published import contradictions, held_against

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "new_model.py"


@pytest.fixture
def make(tmp_path):
    """Run the script in an empty tree."""
    for folder in ("scripts", "models", "tests/models"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")

    def run(*words):
        return subprocess.run(
            [sys.executable, tmp_path / "scripts" / "new_model.py", *words],
            capture_output=True, text=True,
        )  # fmt: skip

    return run


def test_it_is_a_network_with_a_test_that_holds(make, tmp_path, monkeypatch):
    assert make("tiny_net").returncode == 0
    monkeypatch.setattr(registry, "_specs", dict(registry._specs))
    runpy.run_path(str(tmp_path / "models" / "tiny_net.py"))
    assert contradictions(held_against(registry.find_model("tiny-net"), profile("tiny-net"))) == []
    test = runpy.run_path(str(tmp_path / "tests" / "models" / "test_tiny_net.py"))
    test["test_macs_by_hand"]()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "'' is no name of a file; say make new-model NAME=tiny_net"),
        (["class"], "'class' is no name of a file"),
        (["../x"], "'../x' is no name of a file"),
        (["Tiny"], "'Tiny' is no name of a file"),
    ],
)
def test_a_wrong_name_gives_one_clear_line_and_no_file(make, tmp_path, words, line):
    ran = make(*words)
    assert ran.returncode != 0
    assert line in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert list(tmp_path.rglob("*/models/*.py")) == []


def test_what_is_there_is_not_overwritten(make, tmp_path):
    make("tiny")
    (tmp_path / "models" / "tiny.py").write_text("mine")
    assert "models/tiny.py and tests/models/test_tiny.py exist already" in make("tiny").stderr
    assert (tmp_path / "models" / "tiny.py").read_text() == "mine"
