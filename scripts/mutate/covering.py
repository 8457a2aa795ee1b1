"""Which tests run which functions, each test file mapped once."""

import ast
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import pytest
from forks import in_forks, run_pytest
from mutants import LIBRARY, PACKAGES, Mutant, digest

ROOT = LIBRARY.parents[1]
KEPT = ROOT / "build" / "mutate"
TESTS = "tests/**/test_*.py"
BUDGET = 30.0  # seconds of tests a mutant, as long as they took when they were mapped


class Recorder:
    """A plugin of pytest: what each test ran of the packages, and its seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()
        self.start = time.monotonic()
        sources = [str(LIBRARY / name) for name in PACKAGES]
        self.coverage = coverage.Coverage(data_file=None, source=sources, config_file=False)
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """A fixture's work, done outside of this, belongs to every test of the file."""
        self.coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One of a test's three phases; a fixture's seconds belong to its whole file."""
        self.seconds[report.nodeid] += report.duration if report.when == "call" else 0.0
        if not report.passed:
            self.failed.add(report.nodeid)

    def tests(self) -> dict[str, Any]:
        """For each test that passed its seconds, and the functions of each file that it ran.

        `overhead` is what its file takes besides: to be imported, and its fixtures to be made.
        """
        self.coverage.stop()
        overhead = time.monotonic() - self.start - sum(self.seconds.values())
        data = self.coverage.get_data()
        ran: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path in data.measured_files():
            functions = _functions(ast.parse(Path(path).read_text()))
            file = str(Path(path).relative_to(LIBRARY))
            for line, contexts in data.contexts_by_lineno(path).items():
                for context in contexts:
                    ran[context][file].add(functions.get(line, ""))
        shared = ran.pop("", {})
        return {
            test: {
                "seconds": self.seconds[test],
                "overhead": overhead,
                "ran": {file: sorted(ran[test][file] | names) for file, names in shared.items()},
            }
            for test in self.seconds.keys() - self.failed
        }


def _functions(tree: ast.AST, names: tuple[str, ...] = ()) -> dict[int, str]:
    """The outermost function that holds a line, as `Mutant.function` names it."""
    lines: dict[int, str] = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            name = ".".join((*names, node.name))
            lines |= dict.fromkeys(range(node.body[0].lineno, (node.end_lineno or 0) + 1), name)
        else:
            inner = (*names, node.name) if isinstance(node, ast.ClassDef) else names
            lines |= _functions(node, inner)
    return lines


def mapped(workers: int) -> dict[str, Any]:
    """What each test of the suite ran and how long it took; a test file is mapped once it changed.

    A function that a test runs only since the library changed is not seen to be run by it: that
    may leave a mutant alive, and kills none.
    """

    def job(file: Path, kept: Path) -> int:
        recorder = Recorder()
        code = run_pytest([str(file)], recorder)
        kept.write_text(json.dumps(recorder.tests()))
        return code

    names = {file: f"{digest(file.read_text())}.json" for file in sorted(ROOT.glob(TESTS))}
    KEPT.mkdir(parents=True, exist_ok=True)
    todo = [file for file, name in names.items() if not (KEPT / name).exists()]
    jobs = [(1800.0, partial(job, file, KEPT / names[file])) for file in todo]
    for place, code, seconds in in_forks(jobs, workers):
        print(f"{todo[place].name} mapped in {seconds:.0f} s, exit code {code}", file=sys.stderr)
    tests = {}
    for name in names.values():
        tests |= json.loads((KEPT / name).read_text())
    return tests


def covering(mutant: Mutant, tests: dict[str, Any]) -> tuple[list[str], float]:
    """The tests that run its function, as many as the budget holds, with the seconds they take.

    Those of the module's own test file come first, then its package's, then the quickest; last the
    package's others, since what is cached is seen to be run by one test alone. What an import runs
    is tested by those that run anything of the file, then by those that only import it.
    """
    path = Path(mutant.file)
    folder = f"tests/{path.parent}/"
    ranked = []
    for test, kept in tests.items():
        ran = kept["ran"].get(mutant.file, [])
        reaches = mutant.function in ran or (not mutant.function and ran != [])
        file = test.partition("::")[0]
        if reaches or file.startswith(folder):
            own = file == f"{folder}test_{path.stem}.py"
            far = (not reaches, not own, not file.startswith(folder), ran in ([], [""]))
            ranked.append((*far, kept["overhead"] + kept["seconds"], test, file))
    chosen: list[str] = []
    seconds, files = 0.0, set()
    for *_, lasts, test, file in sorted(ranked):
        more = tests[test]["seconds"] if file in files else lasts
        if chosen and seconds + more > BUDGET:
            break
        seconds += more
        files.add(file)
        chosen.append(test)
    return chosen, seconds
