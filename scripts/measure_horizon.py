"""The experiments of flopledger horizon, with their own settings, into one table.

What the report and the claims say of the horizon rests on it; one that was stopped goes on.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import io
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer


def main(
    output: Annotated[Path, typer.Option(help="The table.")] = Path("build/horizon/horizon.csv"),
    folder: Annotated[Path, typer.Option(help="Of the journals.")] = Path("build/horizon"),
    seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    jobs: Annotated[int | None, typer.Option(help="Processes; one for each core.")] = None,
) -> None:
    """Do what is left of the experiments, and write a row a trial."""
    from flopledger.experiments.run_horizon import TASKS
    from flopledger.storage.files import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for task in TASKS:
        command = f"flopledger horizon {task} --seed {seed}"
        more = ["--output", str(folder / f"{task}-{seed}.jsonl"), "--resume", "--format", "csv"]
        more += [] if jobs is None else ["--jobs", str(jobs)]
        words = [sys.executable, "-m", *command.split(), *more]
        came = subprocess.run(words, stdout=subprocess.PIPE, text=True)
        if came.returncode:  # it has said why; its journal has what was done
            raise typer.Exit(came.returncode)
        table = pd.read_csv(io.StringIO(came.stdout), dtype=str, keep_default_na=False)
        tables.append(table.assign(command=command, date=datetime.now(UTC).date().isoformat()))
    write_whole(output, pd.concat(tables).to_csv(index=False, lineterminator="\n"))


if __name__ == "__main__":
    typer.run(main)
