"""Modules with names that no terminal, spreadsheet, page or picture should obey."""

import csv
import io
import json
import os
import subprocess
import sys
from contextlib import suppress

import pytest
import torch
from flopledger import diff, profile, timing
from flopledger.cli.main import main

NAMES = ["a\x01b", "\x1b[31mred", "=HYPERLINK(1)", "<b>x</b>|y", "@x\n", "\u4e2d", "x\ud800"]
NET = f"""
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for name in {NAMES!r}:
            self.add_module(name, nn.Linear(3, 3))

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x
"""


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "odd.py").write_text(NET)
    return ("profile", f"{tmp_path}/odd.py:Net", "--input", "1,3")


@pytest.mark.parametrize(
    "form",
    ["table", "csv", "json", "markdown", "latex", "html", "svg", "speedscope", "chrome"],
)
def test_no_format_obeys_a_name(run, odd, form):
    code, out, _ = run(*odd, "--format", form)
    assert code == 0
    out.encode("utf-8")
    assert not set("\x01\x1b\ud800") & set(out)
    if form == "csv":
        layers = [row["layer"] for row in csv.DictReader(io.StringIO(out))]
        assert "'=HYPERLINK(1)" in layers
        assert "'@x\\n" in layers
    if form == "json":
        assert {layer["layer"] for layer in json.loads(out)["layers"]} >= set(NAMES)
    if form in ("markdown", "html"):
        assert "<b>" not in out


def test_a_picture_in_bytes(run, odd, tmp_path):
    assert run(*odd, "--format", "png", "--output", f"{tmp_path}/odd.png")[0] == 0
    assert (tmp_path / "odd.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("encoding", ["cp1252"])
def test_a_terminal_that_lacks_a_character(odd, encoding):
    done = subprocess.run(
        [sys.executable, "-m", "flopledger", *odd],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u4e2d" in done.stdout


@pytest.mark.parametrize("verb", ["profile", "compare"])
def test_a_full_disk_is_named(verb):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flopledger", verb, "--list"], stdout=full,
            stderr=subprocess.PIPE,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"flopledger: stdout: No space left on device\n")


def test_a_full_disk_is_named_where_networks_were_counted(odd, monkeypatch, capsys):
    with suppress(OSError), open("/dev/full", "w") as full:  # which is full at its end, too
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as stop:
            main(odd)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "flopledger: stdout: No space left on device\n"


def test_a_stdout_that_is_closed_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "flopledger", "profile", "--list"], stderr=subprocess.PIPE,
        preexec_fn=lambda: os.close(1),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, b"flopledger: stdout: Bad file descriptor\n")


def test_a_full_disk_of_an_output_is_named(run, odd):
    code, _, err = run(*odd, "--output", "/dev/full")
    assert (code, err) == (1, ["flopledger: /dev/full: No space left on device"])


def test_nor_does_what_python_shows(odd):
    path = odd[1]
    counted, timed = profile(path, torch.zeros(1, 3)), timing(path, torch.zeros(1, 3), repeats=1)
    for shown in (repr(counted), repr(timed), repr(diff(counted, profile("lstm")))):
        assert not set("\x01\x1b\ud800") & set(shown)
