"""Every option of every verb, given what it cannot be: one line, a code, and nothing written."""

import os
from pathlib import Path

import pytest
from flopledger.cli.main import app
from typer.main import get_command

HUGE = "9" * 25
TINY = "--game tic_tac_toe --blocks 1 --filters 2 --batch 2"
# a call of each verb that is quickly done, should a value be none that is refused
CALLS = {
    "profile": "net.py:net --input 1,3",
    "diff": "net.py:net net.py:net --input 1,3",
    "compare": "alexnet alexnet",
    "claims": "claims.toml",
    "sweep": "net.py:net --input N,3 --over N=1,2 --jobs 1",
    "selfplay": f"{TINY} --simulations 1 --games 1 --moves 2",
    "tune": f"{TINY} --evaluations 2 --trials 1 --games 2 --final 2",
    "train alphazero": f"{TINY} --simulations 1 --rounds 1 --games 1 --steps 1 --opponent 0",
    "train alexnet": "--epochs 1",
    "plan": "alexnet --on h100-sxm:8",
    "report": "",
    "systems": "",
    "horizon": "digits --arm supervised --seeds 1 --samples 64 --target 0.01 --jobs 1",
}
BAD = {
    int: ("x", "", "1.5", "-1", HUGE),
    float: ("x", "", "nan"),
    Path: ("/dev/null/x", "no/such/folder/x", "\0"),
}
# where these mean something
FINE = {
    ("--output", "no/such/folder/x", "train alphazero"),  # folders are made
    ("--output", "no/such/folder/x", "train alexnet"),
    ("--output", "no/such/folder/x", "report"),
}


def _options():
    """Each verb, option and value that it cannot have."""
    verbs = [("", get_command(app))]
    while verbs:
        name, verb = verbs.pop()
        inner = getattr(verb, "commands", {})
        verbs += [(f"{name} {word}".strip(), command) for word, command in inner.items()]
        for option in () if inner else verb.params:
            word = option.opts[0]
            if not word.startswith("--") or word == "--help":
                continue
            for value in BAD.get(option.type_descriptor.annotation, ()):
                if (word, value, name) not in FINE:
                    yield name, word, value


ALL = sorted(set(_options()))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\ndef net():\n    return nn.Linear(3, 4)\n"
    )
    (tmp_path / "claims.toml").write_text("")
    return tmp_path


def test_every_verb_has_a_call_and_the_options_are_many():
    assert {name for name, _, _ in ALL} <= set(CALLS)
    assert len(ALL) > 150


@pytest.mark.parametrize("verb", CALLS)
def test_a_value_that_an_option_cannot_have(run, folder, verb):
    for name, word, value in ALL:
        if name != verb:
            continue
        code, out, err = run(*name.split(), *CALLS[name].split(), word, value)
        case = (name, word, value, code, out, err)
        assert code in (1, 2), case
        assert len(err) == 1, case
        assert out == "", case
        assert set(os.listdir(folder)) <= {"net.py", "claims.toml", "__pycache__"}, case


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "0", "1e400", "1e300"])
@pytest.mark.parametrize("verb", ["profile", "sweep"])
def test_a_time_that_no_clock_can_wait(run, verb, value):
    code, out, err = run(verb, *CALLS[verb].split(), "--timeout", value)
    assert (code, out, len(err)) == (2, "", 1)
    assert "--timeout" in err[0]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("net.py", "net.py has net; name one, such as net.py:net"),
        ("net.py:", "net.py has net; name one, such as net.py:net"),
        ("none.py", "there is no file none.py"),
        ("claims.toml", "is a file and no Python"),
        (":net", "names no file or package"),
        ("net.py:net --input 1 3 224 224", "one word without spaces: --input 1,3,224,224"),
        ("net.py:net --input 1, 3", "one word without spaces: --input 1,3"),
        ("net.py:net --input 9999999999,9999999999", "does not fit into memory"),
        (f"net.py:net --input {HUGE}", "does not fit into memory"),
        ("net.py:net --input 1,3 --batch 9999999999999", "does not fit into memory"),
        ("net.py:net --input 1,3 --inputs net.py:net", "give one of them"),
        ("net.py:os", "it has no 'os'"),
    ],
)
def test_what_profile_says_of_its_words(run, words, line):
    code, out, err = run("profile", *words.split())
    assert (code, out, len(err)) == (2, "", 1)
    assert line in err[0]


def test_a_pipeline_in_a_file_says_what_it_holds(run, folder):
    (folder / "pipe.py").write_text(
        "from torch import nn\n\n"
        "class Pipe:\n"
        "    def __init__(self): self.unet = nn.Linear(3, 4)\n"
        "    def __call__(self, x): return self.unet(x)\n\n"
        "pipe = Pipe()\n"
        "def make(): return Pipe()\n"
    )
    code, _, err = run("profile", "pipe.py:pipe", "--input", "1,3")
    assert (code, len(err)) == (2, 1)
    assert "is a Pipe that holds networks (unet), and no factory" in err[0]
    code, _, err = run("profile", "pipe.py:make", "--input", "1,3")
    assert (code, len(err)) == (1, 1)
    assert "makes a Pipe, no torch.nn.Module; it holds unet" in err[0]


def test_a_sweep_of_a_file_lists_its_factories_too(run):
    words = ("--input", "N,3", "--over", "N=1,2")
    assert run("sweep", "net.py", *words)[2] == [
        "flopledger: net.py has net; name one, such as net.py:net"
    ]
