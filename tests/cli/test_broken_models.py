"""Networks and files that cannot be used: every verb that needs one says so in one line."""

import re
import sys

import pytest
from flopledger.reports.report import whole_report
from flopledger.zoo import registry

HEAD = "import torch\nfrom torch import nn\nfrom flopledger import register\n\n"
NET = '@register(inputs=lambda: (torch.zeros(1, 3),))\ndef alexnet():\n    """A."""\n'
LINEAR = "    return nn.Linear(3, 1)\n"
EXITING = """    class Net(nn.Linear):
        def forward(self, x):
            raise SystemExit(0)

    return Net(3, 1)
"""
# the text of a zoo's only file, alexnet.py, and what is said of it
FAULTS = {
    "raises at import": (HEAD + "1 / 0\n" + NET, "cannot be imported: ZeroDivisionError"),
    "exits at import": (HEAD + "raise SystemExit(0)\n" + NET, "cannot be imported: SystemExit"),
    "a package is missing": ("import nosuchpackage\n" + HEAD + NET, "No module named 'nosuch"),
    "registers twice": (HEAD + NET + LINEAR + NET + LINEAR, "'alexnet' is registered twice"),
    "a factory that raises": (HEAD + NET + "    raise KeyError('x')\n", "factory fails: KeyError"),
    "a factory that exits": (HEAD + NET + "    raise SystemExit(0)\n", "factory fails: SystemExit"),
    "a factory of no network": (HEAD + NET + "    return 3\n", "its factory makes a int, no torch"),
    "examples that raise": (
        HEAD + NET.replace("torch.zeros(1, 3)", "1 / 0") + LINEAR,
        "its example inputs fail: ZeroDivisionError",
    ),
    "examples that exit": (
        HEAD + NET.replace("torch.zeros(1, 3)", "exit(0)") + LINEAR,
        "its example inputs fail: SystemExit",
    ),
    # whose rows would be taken for the arguments
    "an example without a tuple": (
        HEAD + NET.replace("(torch.zeros(1, 3),)", "torch.zeros(1, 3)") + LINEAR,
        "its example inputs are a Tensor, no tuple",
    ),
    "an example that does not fit": (
        HEAD + NET + LINEAR.replace("3", "4"),
        "alexnet: mat1 and mat2 shapes cannot be multiplied (1x3 and 4x1)",
    ),
    "a forward that exits": (HEAD + NET + EXITING, "alexnet: SystemExit: 0 (stopped at layer"),
}
# a file that is read, and holds no model: the warning says why
NO_MODELS = {
    "no Python": (b"def (", "invalid syntax (alexnet.py, line 1)"),
    "bytes": (b"\x00\xff\xfe", "'utf-8' codec can't decode byte 0xff"),
    "no docstring": ((HEAD + NET.replace('"""A."""', "pass")).encode(), "has no docstring"),
    "a folder": (None, "Is a directory"),
}
VERBS = {
    "profile": ("profile", "alexnet"),
    "diff": ("diff", "alexnet", "alexnet"),
    "compare": ("compare", "alexnet", "alexnet"),
    "a chain": ("compare", "alexnet", "alexnet", "alexnet"),
    "claims": ("claims",),
    "report": ("report", "--output", "report"),
}


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """Write the only file of a zoo, alexnet.py; None makes a folder of that name."""

    def write(content):
        package = tmp_path / "brokenzoo"
        package.mkdir()
        (package / "__init__.py").touch()
        if content is None:
            (package / "alexnet.py").mkdir()
        else:
            (package / "alexnet.py").write_bytes(content)

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "_ZOO", "brokenzoo")
    monkeypatch.setattr(registry, "_specs", {})
    yield write
    for name in [name for name in sys.modules if name.startswith("brokenzoo")]:
        del sys.modules[name]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_model_gives_one_line_and_1(zoo, run, tmp_path, fault, verb):
    text, words = FAULTS[fault]
    zoo(text.encode())
    code, out, err = run(*VERBS[verb])
    assert (code, out, len(err)) == (1, "", 1), err
    assert words in err[0]
    assert not (tmp_path / "report").exists()


@pytest.mark.filterwarnings("always::UserWarning")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", NO_MODELS)
def test_a_file_without_a_model_is_warned_of_once_and_missed_in_one_line(zoo, run, fault, verb):
    content, words = NO_MODELS[fault]
    zoo(content)
    code, out, err = run(*VERBS[verb])
    assert (code, out, len(err)) == (2, "", 2), err
    assert err[0].startswith("flopledger: warning: ")
    assert words in err[0]
    assert "is called 'al" in err[1]


# run for real it stops, though its shapes could be counted
MOODY = """
from torch import nn


class Net(nn.Linear):
    def forward(self, x):
        with open(__file__ + ".passes", "a") as passes:  # outside of the program
            passes.write(".")
            passes.flush()
            if passes.tell() > 2:
                raise {}
        return super().forward(x)


def net():
    return Net(3, 1)
"""


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyError('x')", "ValueError('x')"])
@pytest.mark.parametrize(
    ("option", "words"), [("--time", "timing it stopped"), ("--memory", "memory cannot be worked")]
)
def test_a_network_that_stops_when_it_is_measured(run, tmp_path, option, words, error):
    (tmp_path / "moody.py").write_text(MOODY.format(error))
    code, out, err = run("profile", f"{tmp_path}/moody.py:net", "--input", "1,3", option)
    assert (code, out, len(err)) == (1, "", 1), err
    assert words in err[0]
    assert error.partition("(")[0] in err[0]


def test_a_report_names_the_model_that_it_has_not(zoo, run, monkeypatch):
    zoo((HEAD + NET + LINEAR + NET.replace("alexnet", "broken") + "    return 3\n").encode())
    # no ledger needs it: what the facts' runs need is not in this zoo, and is not asked for
    monkeypatch.setattr(whole_report, "findings_of", list)
    monkeypatch.setattr(whole_report, "write", lambda counted, folder: folder / counted[0][1].model)
    code, out, err = run("report", "--output", "report")
    assert (code, out) == (1, "report/alexnet\n")
    assert err == ["flopledger: broken: its factory makes a int, no torch.nn.Module"]


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"[", None])
@pytest.mark.parametrize("name", ["mine.toml", "mine.csv:x", "none.toml", "none.csv:x"])
def test_a_file_that_is_no_run_is_named_in_one_line(run, tmp_path, monkeypatch, content, name):
    monkeypatch.chdir(tmp_path)
    for file in ("mine.toml", "mine.csv"):
        if content is None:
            (tmp_path / file).mkdir()
        else:
            (tmp_path / file).write_bytes(content)
    code, out, err = run("compare", name, "alexnet")
    assert (code, out, len(err)) == (2, "", 1)
    assert name.partition(":")[0] in err[0]


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"[", b"{}", b"def (", None])
@pytest.mark.parametrize(
    "verb",
    [
        ("diff", "mine.json", "alexnet"),
        ("diff", "none.json", "alexnet"),
        ("profile", "mine.py:Net"),
        ("profile", "none.py:Net"),
        ("profile", "alexnet", "--inputs", "mine.py:example"),
        ("profile", "hf:mine.json"),
    ],
)
def test_a_file_that_is_no_network_is_named_in_one_line(run, tmp_path, monkeypatch, content, verb):
    monkeypatch.chdir(tmp_path)
    for file in ("mine.json", "mine.py"):
        if content is None:
            (tmp_path / file).mkdir()
        else:
            (tmp_path / file).write_bytes(content)
    code, out, err = run(*verb)
    assert (code, out, len(err)) == (2, "", 1), err
    assert re.search(r"(mine|none)\.(py|json)", err[0])
