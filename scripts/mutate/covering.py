"""Which tests run which functions: each test file is run once, without any mutant.

Each function of the packages is compiled with a call before its first statement that notes it; so
a map costs little more than its tests, where following every line took ten times as long.
"""

import ast
import builtins
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from forks import LIMIT, in_forks, run_pytest
from mutants import LIBRARY, PACKAGES, Mutant, digest

ROOT = LIBRARY.parents[1]
KEPT = ROOT / "build" / "mutate"
# the packages' tests, the command line's, which come in by the public door, and what holds for all
TESTS = (*(f"tests/{folder}/**/test_*.py" for folder in (*PACKAGES, "cli")), "tests/test_*.py")
BESIDE = "profiler/**/*.py", "models/*.py", "facts/**/*.*", "tests/conftest.py", "tests/given/*.py"
BUDGET = 20.0  # CPU seconds of tests a mutant, as many as they took without one
LONGEST = 30.0  # CPU seconds of a test file that may be run with a mutant
FAR = 3.0  # a test of another package comes as late as one of the same that takes so many times
NOTE = "__ran__"  # among the builtins, so that every module has it


class Recorder:
    """A plugin of pytest: what each test ran of the packages, and its CPU seconds."""

    def __init__(self) -> None:
        self.ran: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = {}
        self.passed: set[str] = set()
        self.failed: set[str] = set()
        self.test = ""
        self.start = cpu_seconds()
        setattr(builtins, NOTE, self.note)

    def note(self, file: str, function: str) -> None:
        """A function of that file begins; "" when the file is imported, for every test to come."""
        self.ran[self.test if function else ""][file].add(function)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """A fixture's work, done outside of this, belongs to every test of the file."""
        self.test, start = item.nodeid, cpu_seconds()
        try:
            return (yield)
        finally:
            self.test, self.seconds[item.nodeid] = "", cpu_seconds() - start

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One of a test's three phases."""
        (self.passed if report.passed else self.failed).add(report.nodeid)

    def tests(self) -> dict[str, Any]:
        """For each test that passed its seconds, and the functions of each file that it ran.

        `overhead` is what its file takes besides: to be imported, and its fixtures to be made.
        """
        overhead = cpu_seconds() - self.start - sum(self.seconds.values())
        shared = self.ran.pop("", {})
        files = {file for ran in (shared, *self.ran.values()) for file in ran}
        return {
            test: {
                "seconds": self.seconds[test],
                "overhead": overhead,
                "ran": {
                    file: sorted(self.ran[test][file] | shared.get(file, set()))
                    for file in sorted(files)
                    if file in self.ran[test] or file in shared
                },
            }
            for test in sorted(self.passed - self.failed)
        }


def cpu_seconds() -> float:
    """What this process took, with the processes that it started and that have ended."""
    return sum(os.times()[:4])


def noting(path: Path) -> CodeType | None:
    """A file of the packages, compiled so that it notes what runs; None for any other file."""
    if not any(path.is_relative_to(LIBRARY / package) for package in PACKAGES):
        return None
    tree = ast.parse(path.read_text())
    file = str(path.relative_to(LIBRARY))
    _note_functions(tree, file)
    tree.body.append(_note(file, "", tree.body[-1]))
    return compile(tree, path, "exec", dont_inherit=True)


def _note_functions(node: ast.AST, file: str, scope: str = "", outermost: str = "") -> None:
    """An inner function notes the outermost around it, as `Mutant.function` names it."""
    for child in ast.iter_child_nodes(node):
        name, inner = outermost, scope
        if isinstance(child, ast.ClassDef):
            inner = f"{scope}{child.name}."
        if isinstance(child, ast.FunctionDef):
            name = outermost or scope + child.name
        _note_functions(child, file, inner, name)
        if isinstance(child, ast.FunctionDef):
            after = int(ast.get_docstring(child) is not None)
            child.body.insert(after, _note(file, name, child.body[0]))


def _note(file: str, function: str, beside: ast.stmt) -> ast.stmt:
    statement = ast.parse(f"{NOTE}({file!r}, {function!r})").body[0]
    for node in ast.walk(statement):
        ast.copy_location(node, beside)
    return statement


def mapped(workers: int) -> dict[str, Any]:
    """What each test ran and how long it took; kept until the code has changed.

    A test that fails is left out: it would fail with any mutant. So is a file that takes too long.
    """

    def job(file: Path, kept: Path) -> int:
        recorder = Recorder()
        code = run_pytest([str(file)], recorder, compiled=noting)
        kept.write_text(json.dumps(recorder.tests()))
        return code

    beside = [path.read_text() for glob in BESIDE for path in sorted(ROOT.glob(glob))]
    state = digest(*beside)
    files = [file for glob in TESTS for file in sorted(ROOT.glob(glob))]
    names = {file: f"{digest(state, file.read_text())}.json" for file in files}
    KEPT.mkdir(parents=True, exist_ok=True)
    todo = [file for file, name in names.items() if not (KEPT / name).exists()]
    jobs = [(LONGEST, partial(job, file, KEPT / names[file])) for file in todo]
    for place, code, seconds in in_forks(jobs, workers):
        file = todo[place]
        if code == LIMIT:
            (KEPT / names[file]).write_text("{}")
        print(
            f"{file.relative_to(ROOT)} mapped in {seconds:.0f} s, exit code {code}", file=sys.stderr
        )
    tests = {}
    for name in names.values():
        tests |= json.loads((KEPT / name).read_text())
    return tests


def covering(mutant: Mutant, tests: dict[str, Any]) -> tuple[list[str], float]:
    """The tests that run its function, as many as the budget holds, with the seconds they take.

    Those of the module's own test file come first, then the quickest; one of another package comes
    as if it took three times as long, and so does, for what an import runs, one that only imports.
    """
    path = Path(mutant.file)
    folder = f"tests/{path.parent}/"
    startup = min(kept["overhead"] for kept in tests.values())  # once, however many files follow
    ranked = []
    for test, kept in tests.items():
        ran = kept["ran"].get(mutant.file, [])
        if mutant.function in ran:
            file = test.partition("::")[0]
            own = file == f"{folder}test_{path.stem}.py"
            seconds = kept["overhead"] - startup + kept["seconds"]
            late = seconds * FAR ** ((not file.startswith(folder)) + (ran == [""]))
            ranked.append((not own, late, seconds, test, file))
    chosen: list[str] = []
    total, files = startup, set()
    for *_, seconds, test, file in sorted(ranked):
        more = tests[test]["seconds"] if file in files else seconds
        if chosen and total + more > BUDGET:
            break
        total += more
        files.add(file)
        chosen.append(test)
    return chosen, total
