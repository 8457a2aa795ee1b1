"""The GitHub Action and the pre-commit hook: their own words run, on a network that grew."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from flopledger.cli.main import app

ROOT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PAGE = (ROOT / "docs" / "diff.md").read_text()
NETWORK = """
from torch import nn

def Net(width=4):
    return nn.Linear(8, width)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A repository with a network and its baseline, as docs/diff.md has it."""
    from flopledger.counting.profiling import counted
    from torch import nn, zeros

    there = tmp_path_factory.mktemp("repository")
    (there / "net.py").write_text(NETWORK)
    before = counted("net.py:Net", nn.Linear(8, 4), ((zeros(1, 8),), {}))
    (there / "baseline.json").write_text(before.to_json())
    return there


def _step(number, inputs, folder):
    """Run a step of the action by bash, as GitHub does: -e -o pipefail, inputs put in its env."""
    step = ACTION["runs"]["steps"][number]
    defaults = {name: given.get("default") for name, given in ACTION["inputs"].items()}
    given = {**defaults, **inputs}
    env = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], text)
        for name, text in step["env"].items()
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**os.environ, **env, "PATH": path, "GITHUB_STEP_SUMMARY": str(folder / "summary.md")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_actions_step_fails_where_the_network_grew_and_writes_the_summary(folder):
    inputs = {"baseline": "baseline.json", "model": "net.py:Net"}
    grown = {**inputs, "arguments": "--input 1,8 --kwargs width=5"}
    ran = _step(1, grown, folder)
    assert ran.returncode == 3, ran.stderr
    summary = (folder / "summary.md").read_text()
    # by hand: 8 x 4 + 4 and 8 x 5 + 5 parameters
    assert re.search(r"\| params +\| 36 +\| 45 +\|", summary), summary


def test_the_action_declares_what_its_steps_use():
    used = set(re.findall(r"inputs\.([\w-]+)", str(ACTION["runs"])))
    assert used == set(ACTION["inputs"])
    required = {name for name, given in ACTION["inputs"].items() if given.get("required")}
    assert all("default" in ACTION["inputs"][name] for name in used - required)
    (shown,) = [step for step in _yaml("In GitHub Actions") if "model" in step.get("with", ())]
    assert required <= set(shown["with"]) <= used


def _yaml(heading):
    chapter = PAGE.partition(f"## {heading}\n")[2]
    return yaml.safe_load(re.search(r"```yaml\n(.*?)```", chapter, re.DOTALL)[1])


def test_the_hook_is_a_command_that_takes_the_arguments_of_the_docs():
    import typer

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    ((shown,),) = [repository["hooks"] for repository in _yaml("In pre-commit")]
    assert shown["id"] == hook["id"]
    program, verb = hook["entry"].split()
    assert program == "flopledger"
    typer.main.get_command(app).commands[verb].make_context(verb, list(shown["args"]))
