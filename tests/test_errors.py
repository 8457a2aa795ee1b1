"""Every error of ours is a FlopledgerError, and the command line says it in one line."""

import ast
import builtins
from pathlib import Path

import pytest
from flopledger.cli import main as cli
from flopledger.errors import FlopledgerError, WrongOption
from flopledger.profiles.tables import ProfilingError

LIBRARY = Path(__file__).parents[1] / "profiler" / "flopledger"
# an `except Exception`, a network's own or a caller's, must not keep them
NO_EXCEPTION = {"TimedOut", "Interrupted"}


def _classes():
    for file in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name, [getattr(base, "id", "") for base in node.bases]


def _is_an_error_of_python(name):
    known = getattr(builtins, name, None)
    return isinstance(known, type) and issubclass(known, BaseException)


def test_every_exception_class_derives_from_the_one():
    strangers = {
        name
        for name, bases in _classes()
        if any(map(_is_an_error_of_python, bases)) and "FlopledgerError" not in bases
    }
    assert strangers == {"FlopledgerError"} | NO_EXCEPTION


def test_no_bare_exception_is_raised():
    for file in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and node.exc is not None:
                assert not ast.unparse(node.exc).startswith(("Exception", "BaseException")), file


@pytest.mark.parametrize(
    ("error", "code"), [(WrongOption("first\nsecond"), 2), (ProfilingError("first\nsecond"), 1)]
)
def test_the_command_line_catches_every_error_once(monkeypatch, capsys, error, code):
    def verb(*_, **__):
        raise error

    monkeypatch.setattr(cli, "app", verb)
    with pytest.raises(SystemExit) as end:
        cli.main(["verb"])
    assert end.value.code == code
    assert capsys.readouterr().err == "flopledger: first second\n"
    with pytest.raises(FlopledgerError):
        cli.main(["verb", "--debug"])
