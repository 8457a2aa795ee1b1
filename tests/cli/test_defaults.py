"""A verb without options does what its function does: the defaults are the same."""

import inspect
import re
from pathlib import Path
from typing import get_overloads

import flopledger
import pytest
import typer
from flopledger.cli import main
from flopledger.training import alphazero, digits

CONTRIBUTING = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
TABLE = CONTRIBUTING.partition("## Where a verb lives")[2].partition("\n## ")[0]
FUNCTION = dict(re.findall(r"^\| (\w+) \| (\w+) \|", TABLE, re.MULTILINE))
# the fields of a plan are options of train(), whose overloads leave them to it
TRAIN = {
    "train alexnet": (get_overloads(flopledger.train)[0], digits.Plan),
    "train alphazero": (get_overloads(flopledger.train)[1], alphazero.Plan),
}
SEVERAL = {
    "profile": (
        flopledger.profile, flopledger.memory, flopledger.allocated, flopledger.timing,
        flopledger.generation,
        flopledger.roofline,
    ),
    **TRAIN,
}  # fmt: skip
# of the command and of that function; each has another meaning there
OTHERWISE = {
    # --optimiser asks for a training step's FLOPs; --memory without it takes the function's
    ("memory", "optimiser"): (None, "adam"),
    ("allocated", "optimiser"): (None, "adam"),
    ("roofline", "optimiser"): (None, "adam"),
    # --backward counts its FLOPs; --memory has a training step wherever something is trained
    ("generation", "batch"): (None, 1),  # without a prompt, --batch leaves the inputs as they are
    ("memory", "backward"): (False, True),
    ("allocated", "backward"): (False, True),
}
# the command's own, or another thing than the function's parameter of that name: --kwargs are the
# factory's, kwargs the forward's
OWN = {"form", "columns", "debug", "strict", "chart", "kwargs", "inputs", "asked"}
# what is printed, written or repeated, and has no parameter beside it
OF_PROFILE = {"depth", "by", "time", "memory", "allocate", "weight", "size_by", "output",
              "timeout", "prefill", "decode", "show_list", "models", "on"}  # fmt: skip
MORE = {
    "profile": OF_PROFILE,
    "diff": {"fail_over", "output"},
    "compare": {"a", "b", "more", "list_", "output"},
    "claims": {"file", "output"},
    "systems": {"scale", "output"},
    "tune": {"output"},
    "plan": {"output"},
}


def _commands():
    for name, command in typer.main.get_command(main.app).commands.items():
        verbs = getattr(command, "commands", {"": command})
        yield from ((f"{name} {verb}".strip(), own.callback) for verb, own in verbs.items())


def _defaults(function):
    parameters = inspect.signature(function).parameters.values()
    return {
        p.name: str(p.default) if isinstance(p.default, Path) else p.default
        for p in parameters
        if p.default not in (p.empty, ...)
    }


COMMANDS = dict(_commands())


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_commands_defaults_are_its_functions(verb):
    command = _defaults(COMMANDS[verb])
    left = command.keys() - OWN
    for function in SEVERAL.get(verb) or [getattr(flopledger, FUNCTION[verb])]:
        defaults = _defaults(function)
        for name in (command.keys() & defaults.keys()) - OWN:
            pair = command[name], defaults[name]
            assert pair == OTHERWISE.get((function.__name__, name), (pair[0], pair[0])), name
        left -= defaults.keys()
    # what the function does not have is named above: nothing is left out of this unseen
    assert left == MORE.get(verb, set())
