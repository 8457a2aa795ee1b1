"""scripts/mutate: which tests are run with a mutant, and what ends one."""

import importlib
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

for name in ("mutmut", "libcst"):  # of make mutate alone
    pytest.importorskip(name)

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "mutate"
MUTANT = SimpleNamespace(file="ledger/chain.py", function="Chain.steps")


@pytest.fixture
def script(monkeypatch):
    """A module of the script, which imports its neighbours by their plain names."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def _kept(seconds, *functions, overhead=1.5):
    return {"seconds": seconds, "overhead": overhead, "ran": {"ledger/chain.py": [*functions]}}


def test_the_tests_of_its_own_file_come_first_then_the_quickest_its_packages_before_others(script):
    tests = {
        "tests/cli/test_compare.py::test_a": _kept(1.0, "", "Chain.steps"),
        "tests/cli/test_claims.py::test_b": _kept(0.1, "", "Chain.steps"),
        "tests/ledger/test_identity.py::test_c": _kept(2.0, "", "Chain.steps"),
        "tests/ledger/test_chain.py::test_d": _kept(3.0, "", "Chain.steps"),
        "tests/ledger/test_chain.py::test_e": _kept(0.0, "", "Chain.total", overhead=1.0),
    }
    chosen, seconds = script("covering").covering(MUTANT, tests)
    # of others, 3 x (0.5 + 0.1) is earlier than 0.5 + 2, and 3 x (0.5 + 1) later
    assert [name[-1] for name in chosen] == ["d", "b", "c", "a"]
    # one start, and what each file takes besides
    assert seconds == pytest.approx(1 + 3 + 2 + 0.1 + 1 + 4 * 0.5)


def test_no_more_tests_than_the_budget_holds(script):
    covering = script("covering")
    long = covering.BUDGET * 0.6
    files = [f"tests/ledger/test_{name}.py::test_it" for name in ("chain", "build", "compared")]
    tests = dict.fromkeys(files, _kept(long, "Chain.steps", overhead=0.0))
    assert covering.covering(MUTANT, tests) == (files[:1], long)


def test_a_function_notes_that_it_runs_and_an_inner_one_the_outermost(
    script, monkeypatch, tmp_path
):
    covering = script("covering")
    source = '''
def outer():
    """Its docstring."""
    def inner():
        return 1
    return inner

class Chain:
    def steps(self):
        return 2

class Other:
    def steps(self):
        return 3
'''
    (tmp_path / "ledger").mkdir()
    path = tmp_path / "ledger" / "chain.py"
    path.write_text(source)
    monkeypatch.setattr(covering, "LIBRARY", tmp_path)
    recorder = covering.Recorder()
    names = {}
    exec(covering.noting(path), names)
    assert recorder.ran == {"": {"ledger/chain.py": {""}}}  # imported
    inner = names["outer"]()
    recorder.test = "a test"
    assert (inner(), names["Chain"]().steps(), names["outer"].__doc__) == (1, 2, "Its docstring.")
    assert recorder.ran["a test"] == {"ledger/chain.py": {"outer", "Chain.steps"}}
    assert covering.noting(tmp_path / "storage.py") is None


def _spin():
    while True:
        pass


def test_a_fork_ends_by_itself_by_its_cpu_seconds_or_by_idling(script, monkeypatch, tmp_path):
    forks = script("forks")
    monkeypatch.setattr(forks, "LOG", str(tmp_path / "log"))
    monkeypatch.setattr(forks, "IDLE", 2.0)
    jobs = [
        (60.0, lambda: 0),
        (60.0, lambda: 1),
        (0.0, _spin),
        (60.0, lambda: time.sleep(60)),
        (60.0, lambda: os.kill(os.getpid(), signal.SIGKILL)),
    ]
    codes = {place: code for place, code, _ in forks.in_forks(jobs, workers=5)}
    assert codes == {0: 0, 1: 1, 2: forks.LIMIT, 3: forks.LIMIT, 4: -signal.SIGKILL}
