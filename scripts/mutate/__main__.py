"""How many of a seeded sample of mutants the tests kill, and which survive.

A mutant is compiled in place of its module in a fork of a process that has torch imported already,
and the tests that run the mutated function follow, those of its own test file first, until one
fails. Results are kept in build/mutate: an interrupted run goes on where it stopped.
"""

import argparse
import json
import os
import signal
import sys
import tomllib
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

from covering import KEPT, ROOT, covering, mapped
from forks import LIMIT, in_forks, run_pytest
from mutants import LIBRARY, Mutant, digest, sample

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
SPARE = 30.0  # CPU seconds beyond three times its tests', before a mutant counts as hanging
# any other exit code: a test failed. What something else killed, as a machine without memory left
# does, is no verdict, and is run again the next time
VERDICTS = {0: "survived", LIMIT: "limit", -signal.SIGKILL: "stopped from outside"}
KILLED = "killed", "limit"


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
    verdicts = judged(drawn, tests, options.workers)
    survivors = [mutant for mutant in drawn if verdicts[mutant.key] not in KILLED]
    for mutant in sorted(survivors, key=lambda mutant: mutant.diff[0]):
        print(*mutant.diff, f"({verdicts[mutant.key]})", "", sep="\n")
    share = 100 * (len(drawn) - len(survivors)) / len(drawn)
    limits = Counter(verdicts.values())["limit"]
    print(f"{len(drawn) - len(survivors)} of {len(drawn)} mutants killed: {share:.1f}%", end="")
    print(f", {limits} of them by a limit; ", end="")
    print(f"seed {options.seed}, {len(left_out)} equivalent ones left out")
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


def judged(mutants: list[Mutant], tests: dict[str, Any], workers: int) -> dict[str, str]:
    """Each one's verdict; what survived is run again with the tests that have changed since."""
    path = KEPT / "verdicts.jsonl"
    kept: dict[str, dict[str, Any]] = {}
    for row in map(json.loads, path.read_text().splitlines() if path.exists() else ()):
        survived = kept.get(row["mutant"], {}).get("survived", [])
        kept[row["mutant"]] = {**row, "survived": [*survived, *row["survived"]]}
    bodies = {file: (ROOT / file).read_text() for file in {test.split("::")[0] for test in tests}}
    verdicts, todo = {}, []
    for mutant in mutants:
        names, seconds = covering(mutant, tests)
        files = defaultdict(list)
        for name in names:
            files[name.split("::")[0]].append(name)
        states = {file: digest(bodies[file], *files[file]) for file in files}
        row = kept.get(mutant.key, {"verdict": "no tests", "survived": []})
        new = [file for file in files if states[file] not in row["survived"]]
        if row["verdict"] in KILLED or not new:
            verdicts[mutant.key] = row["verdict"] if names else "no tests"
        else:
            names = [name for file in new for name in files[file]]
            todo.append((mutant, names, [states[file] for file in new], seconds))
    jobs = [
        (SPARE + 3 * seconds, partial(run, mutant, names)) for mutant, names, _, seconds in todo
    ]
    with path.open("a") as file:
        for place, code, seconds in in_forks(jobs, workers):
            mutant, names, states, _ = todo[place]
            verdict = VERDICTS.get(code, "killed")
            verdicts[mutant.key] = verdict
            survived = states if verdict == "survived" else []
            row = {"mutant": mutant.key, "verdict": verdict, "survived": survived}
            print(json.dumps(row), file=file, flush=True)
            print(
                f"{len(verdicts)}/{len(mutants)} {mutant.diff[0]}: {verdict} in {seconds:.0f} s",
                f"({len(names)} tests, exit code {code})",
                file=sys.stderr,
            )
    return verdicts


def run(mutant: Mutant, tests: list[str]) -> int:
    """The exit code of pytest on those tests with the mutant in its module's place."""

    def mutated(path: Path) -> CodeType | None:
        if path != LIBRARY / mutant.file:
            return None
        return compile(mutant.code, path, "exec", dont_inherit=True)

    return run_pytest(["-x", *tests], compiled=mutated)


if __name__ == "__main__":
    sys.exit(main())
