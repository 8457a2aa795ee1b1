"""A sweep of 200 (network, size) pairs: one process, two, and a Dask cluster of two.

Whole commands, imports and all, each process with one thread of PyTorch. On a machine whose cores
are busy the ratios mean little: the load average is printed with them.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import typer


def main(
    runs: Annotated[int, typer.Option(help="Of each way; they take turns.")] = 1,
    sizes: Annotated[str, typer.Option(help="Of each network.")] = "N=32:132:2",
) -> None:
    """Print a row a way: seconds of the whole command, and how often it beats one process."""
    ways = {
        "one process": (["--jobs", "1"], {"OMP_NUM_THREADS": "1"}),
        "two processes": (["--jobs", "2"], {}),
        "Dask, LocalCluster of two": (["--scheduler"], {}),
    }
    models = ["resnet18", "resnet34", "resnet50", "resnet101"]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    rows = 0
    for _ in range(runs):
        for way, (words, environment) in ways.items():
            taken, rows = _timed(models, sizes, words, environment)
            seconds[way].append(taken)
            print(f"{way}: {taken:.1f} s", file=sys.stderr)
    alone = median(seconds["one process"])
    load = os.getloadavg()[2]
    print(f"{rows} rows, median of {runs} run(s); load average {load:.1f}\n")
    print("way | s | rows / s | times one process")
    print(":-- | --: | --: | --:")
    for way, taken in seconds.items():
        at = median(taken)
        print(f"{way} | {at:.1f} | {rows / at:.1f} | {alone / at:.2f}")


def _timed(
    models: list[str], sizes: str, words: list[str], environment: dict[str, str]
) -> tuple[float, int]:
    """Seconds of one command, imports and all, and its rows; a cluster is there before."""
    if words == ["--scheduler"]:
        from distributed import LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
            return _timed(models, sizes, [*words, cluster.scheduler_address], environment)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        command = ["sweep", *models, "--input", "1,3,N,N", "--over", sizes, "--output", str(file)]
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "flopledger", *command, *words],
            stdout=subprocess.DEVNULL,
            env={**os.environ, **environment},
            check=True,
        )
        taken = time.perf_counter() - start
        return taken, len(file.read_text().splitlines()) - 1


if __name__ == "__main__":
    typer.run(main)
