"""How many of a seeded sample of mutants the tests kill, and which survive.

A mutant is compiled in place of its module in a fork of a process that has torch imported already,
and the tests that run the mutated function follow, quickest first, until one fails. Results are
kept in build/mutate: an interrupted run goes on where it stopped.
"""

import argparse
import json
import os
import sys
import tomllib
from collections import defaultdict
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

from covering import KEPT, ROOT, covering, mapped
from forks import in_forks, run_pytest
from mutants import LIBRARY, Mutant, digest, sample

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
SPARE = 30.0  # seconds beyond three times its tests', before a mutant counts as hanging


def main() -> int:
    """Draw, run, print; 1 where fewer are killed than are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, required=True, help="how many mutants are drawn")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--at-least", type=float, default=0.0, help="percent killed, or exit code 1"
    )
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.chdir(ROOT)
    os.nice(10)
    tests = mapped(options.workers)
    mutants = sample(options.sample, options.seed)
    known = equivalents()
    left_out = [mutant for mutant in mutants if tuple(mutant.diff[1:]) in known[mutant.file]]
    drawn = [mutant for mutant in mutants if mutant not in left_out]
    killed = verdicts(drawn, tests, options.workers)
    survivors = [mutant for mutant in drawn if not killed[mutant.key]]
    for mutant in sorted(survivors, key=lambda mutant: mutant.diff[0]):
        print(*mutant.diff, "", sep="\n")
    share = 100 * (len(drawn) - len(survivors)) / len(drawn)
    print(f"{len(drawn) - len(survivors)} of {len(drawn)} mutants killed: {share:.1f}%", end="")
    print(f"; seed {options.seed}, {len(left_out)} equivalent ones left out")
    return int(share < options.at_least)


def equivalents() -> dict[str, set[tuple[str, ...]]]:
    """The changes that change nothing, each file's; one that no longer fits its file is named."""
    known = defaultdict(set)
    for row in tomllib.loads(EQUIVALENT.read_text())["mutant"]:
        known[row["file"]].add(tuple(row["diff"].strip().splitlines()))
        source = (LIBRARY / row["file"]).read_text().splitlines()
        if any(line[1:] not in source for line in row["diff"].splitlines() if line[:1] == "-"):
            print(f"{EQUIVALENT.name}: no longer in {row['file']}: {row['diff']}", file=sys.stderr)
    return known


def verdicts(mutants: list[Mutant], tests: dict[str, Any], workers: int) -> dict[str, bool]:
    """Whether each is killed; a survivor is run again once its tests have changed."""
    path = KEPT / "verdicts.jsonl"
    rows = path.read_text().splitlines() if path.exists() else []
    kept = {row["key"]: row for row in map(json.loads, rows)}
    chosen = [covering(mutant, tests) for mutant in mutants]
    bodies = {file: (ROOT / file).read_text() for file in {test.split("::")[0] for test in tests}}
    killed, todo = {}, []
    for mutant, (names, seconds) in zip(mutants, chosen, strict=True):
        files = sorted({name.split("::")[0] for name in names})
        state = digest(*names, *(bodies[file] for file in files))
        row = kept.get(mutant.key, {})
        if not names or row.get("killed") or row.get("tests") == state:
            killed[mutant.key] = bool(names) and row["killed"]
        else:
            todo.append((mutant, names, state, seconds))
    jobs = [
        (SPARE + 3 * seconds, partial(run, mutant, names)) for mutant, names, _, seconds in todo
    ]
    with path.open("a") as file:
        for place, code, seconds in in_forks(jobs, workers):
            mutant, names, state, _ = todo[place]
            killed[mutant.key] = code != 0
            row = {"key": mutant.key, "killed": killed[mutant.key], "tests": state}
            print(json.dumps(row), file=file, flush=True)
            verdict = "killed" if row["killed"] else "SURVIVED"
            print(
                f"{len(killed)}/{len(mutants)} {mutant.diff[0]}: {verdict} in {seconds:.0f} s",
                f"({len(names)} tests, exit code {code})",
                file=sys.stderr,
            )
    return killed


def run(mutant: Mutant, tests: list[str]) -> int:
    """The exit code of pytest on those tests with the mutant in its module's place."""
    plain = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> Any:
        path = Path(self.path)
        if path == LIBRARY / mutant.file:
            return compile(mutant.code, path, "exec", dont_inherit=True)
        return plain(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    return run_pytest(["-x", *tests])


if __name__ == "__main__":
    sys.exit(main())
