"""Trainings of flopledger train alphazero's own plan with other seeds, into a table.

What a run of that plan is expected to take rests on these; a training that was stopped goes on.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import csv
import io
import json
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer


def main(
    runs: Annotated[int, typer.Option(help="Seeds, from 1 up.")] = 6,
    output: Annotated[Path, typer.Option(help="The table.")] = Path("facts/measured/training.csv"),
    folder: Annotated[Path, typer.Option(help="Of the trainings.")] = Path("build/training"),
) -> None:
    """Train once a seed, and write a row for each."""
    from flopledger.storage.files import write_whole

    rows = []
    for seed in range(1, runs + 1):
        rows.append(_row(f"--game connect_four --seed {seed}", folder / str(seed)))
        print(f"seed {seed}: done", file=sys.stderr)
        text = io.StringIO()
        table = csv.DictWriter(text, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_whole(output, text.getvalue())


def _row(words: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "flopledger", "train", "alphazero", *words.split()]
    command += ["--opponent", "0", "--format", "json", "--resume", "--output", str(folder)]
    result = json.loads(subprocess.check_output(command))
    totals = result["totals"]
    leaves = totals["evaluations"] - totals["roots"]
    return {
        **result["plan"],
        "plies_per_game": f"{totals['moves'] / totals['games']:.4f}",
        "evaluations_per_simulation": f"{leaves / totals['simulations']:.5f}",
        "flops": f"{result['flops']:.0f}",
        "command": f"flopledger train alphazero {words}",
        "torch": version("torch"),
        "open_spiel": version("open_spiel"),
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    typer.run(main)
