"""What anyone tries first: -h, --version, completion, and the examples of --help."""

import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from flopledger.cli.main import app, main

ROOT = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app).commands
VERBS = [
    f"{name} {verb}".strip()
    for name, command in COMMANDS.items()
    for verb in getattr(command, "commands", {"": command})
]
EXAMPLES = [
    example.strip()
    for command in COMMANDS.values()
    for example in command.epilog.splitlines()
    if example.strip().startswith("flopledger")
]
# seconds, and of what a clone has; the others play, train, or read files of one's own
QUICK = [
    example
    for example in EXAMPLES
    if re.match(r"flopledger (profile (alexnet|resnet18)|compare --list)", example)
]


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_is_asked_for_by_either_name(run, verb):
    short, long = (run(*verb.split(), name) for name in ("-h", "--help"))
    assert short == long
    assert short[0] == 0


def test_the_version(run):
    assert run("--version") == (0, f"flopledger {version('flopledger')}\n", [])


def test_no_verbs_sentence_is_cut_in_the_list_of_verbs(run):
    assert "..." not in run("--help")[1].partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_shows_examples_that_it_would_take(name):
    own = [example for example in EXAMPLES if example.split()[1] == name]
    assert own
    for example in own:
        words = shlex.split(example)[1:]
        command = COMMANDS[words.pop(0)]
        if hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        command.make_context(name, words)  # raises what the command line would say


@pytest.mark.parametrize("example", QUICK)
def test_an_example_works(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(shlex.split(example)[1:])
    assert end.value.code == 0


def test_completion_knows_the_verbs(monkeypatch, capsys):
    monkeypatch.setenv("_FLOPLEDGER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "flopledger pro")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == ["profile"]
