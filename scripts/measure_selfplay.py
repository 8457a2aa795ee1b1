"""Self-play at 800 simulations a move, by scale of values, reuse and cache, into a table.

Every row is one command of flopledger selfplay with the network's own defaults, on one thread;
the games lie in build/selfplay/, and a run that was stopped goes on with them.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

EACH = tuple(product((False, True), (False, True)))  # cache, reuse
FRESH_OR_KEPT = ((False, False), (False, True))

# what is played, how many games, and how, on either scale of values
PLAN = (
    ("--game go --board 9", 4, FRESH_OR_KEPT),
    ("--game chess --moves 200", 2, FRESH_OR_KEPT),
    ("--game shogi --moves 60", 2, FRESH_OR_KEPT),
    ("--game go --board 19 --moves 60", 2, FRESH_OR_KEPT),
    ("--game connect_four", 8, EACH),
)
# other networks, their games and seeds: how much of a figure is that of the weights that were drawn
OTHERS = (
    ("--blocks 1 --filters 8", 4, 1),
    ("--blocks 1 --filters 8", 2, 2),
    ("--blocks 1 --filters 8", 2, 3),
    ("--blocks 2 --filters 16", 2, 0),
)
SCALES = ("unit", "signed")
SIZE = "--blocks 1 --filters 8 --simulations 800"


def main(
    times: Annotated[int, typer.Option(help="As many games as PLAN says, times this.")] = 1,
    seed: Annotated[int, typer.Option(help="Of weights, noise and moves.")] = 0,
    output: Annotated[Path, typer.Option(help="The table.")] = Path("facts/measured/selfplay.csv"),
    folder: Annotated[Path, typer.Option(help="Of the games.")] = Path("build/selfplay"),
) -> None:
    """Play what PLAN says, and write a row for each command."""
    from flopledger.storage.files import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for words, values, cache, reuse in _commands(times, seed):
        rows.append(_row(words, values, cache, reuse, folder))
        print(f"flopledger selfplay {words}: done", file=sys.stderr)
        text = io.StringIO()
        table = csv.DictWriter(text, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_whole(output, text.getvalue())


def _commands(times: int, seed: int) -> Iterator[tuple[str, str, bool, bool]]:
    """Options of flopledger selfplay; and of these the scale, and whether it caches and reuses."""
    for (what, games, cache, reuse), values in product(_ways(), SCALES):
        words = f"{what} {SIZE} --values {values} --games {games * times} --seed {seed}"
        yield words + " --cache" * cache + " --reuse-tree" * reuse, values, cache, reuse
    for network, games, other in OTHERS:
        words = f"--game go --board 9 {network} --simulations 800 --values unit --games {games}"
        yield f"{words} --seed {other} --reuse-tree", "unit", False, True


def _ways() -> Iterator[tuple[str, int, bool, bool]]:
    return ((what, games, *how) for what, games, ways in PLAN for how in ways)


def _row(words: str, values: str, cache: bool, reuse: bool, folder: Path) -> dict[str, Any]:
    file = folder / (words.replace("--", "").replace(" ", "-") + ".jsonl")
    command = [sys.executable, "-m", "flopledger", "selfplay", *words.split()]
    command += ["--format", "json", "--resume", "--output", str(file)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = json.loads(subprocess.check_output(command, env=environment))
    each, length = result["evaluations_per_simulation"], result["per_game"]["moves"]
    return {
        "game": result["game"],
        "network": result["network"],
        "params": result["params"],
        "simulations": result["simulations"],
        "values": values,
        "search": "exact",
        "reuse": reuse,
        "cache": cache,
        "games": result["games"],
        "moves": result["moves"],
        "moves_per_game": round(length["mean"], 2),
        "evaluations": result["evaluations"],
        "flops": f"{result['flops']:.0f}",
        **{f"saved_{name}": count for name, count in result["saved"].items()},
        "evaluations_per_simulation": f"{each['mean']:.5f}",
        "low": f"{each['low']:.5f}",
        "high": f"{each['high']:.5f}",
        "seed": result["seed"],
        "command": f"flopledger selfplay {words}",
        "torch": version("torch"),
        "open_spiel": version("open_spiel"),
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    typer.run(main)
