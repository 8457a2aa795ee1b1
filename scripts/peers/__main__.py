"""Beside the other counters: 21 architectures, each counted by each tool in a fresh process.

Writes docs/peers.md: MACs against a figure that none of the tools made, seconds, peak memory. A
figure is the median of the runs; networks have random weights, and nothing is downloaded.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from cases import CASES, Case
from tools import CHECKED, COUNTERS, OURS, inputs_of

MEMORY = 20 * 2**30  # bytes of address space that a process may take
SECONDS = 120  # that it may take
PEERS = [tool for tool in COUNTERS if tool not in (OURS, CHECKED)]
PACKAGES = ("torch", "timm", "transformers", "fvcore", "torchinfo", "ptflops", "calflops", "thop",
            "deepspeed", "torchlens")  # fmt: skip


def main(
    cases: Annotated[list[str] | None, typer.Argument(help="All if left out.")] = None,
    runs: Annotated[int, typer.Option(help="Fresh processes a figure.", min=1)] = 3,
    output: Annotated[Path, typer.Option(help="The page.")] = Path("docs/peers.md"),
) -> None:
    """Measure every tool on every case, and write the page."""
    from flopledger.storage.files import write_whole

    if unknown := set(cases or []) - set(CASES):
        raise typer.BadParameter(f"no case is called {min(unknown)}; say {', '.join(CASES)}")
    measured = {}
    for name in cases or CASES:
        measured[name] = {tool: _median(runs, tool, name) for tool in (OURS, CHECKED, *PEERS)}
        print(f"{name} done", file=sys.stderr)
    write_whole(output, _page(measured, runs))
    print(output)


def _median(runs: int, tool: str, case: str) -> dict[str, Any]:
    """Each figure's median over that many fresh processes, or why there is none."""
    done = []
    for _ in range(runs):
        start = time.perf_counter()
        try:
            ran = subprocess.run(
                [sys.executable, os.path.dirname(__file__), "--child", tool, case],
                capture_output=True, text=True, timeout=SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"why": f"over {SECONDS} s"}
        if ran.returncode:
            lines = ran.stderr.strip().splitlines() or ["killed"]
            return {"why": lines[-1].partition(":")[0].rpartition(".")[2][:40]}
        figures = json.loads(ran.stdout.splitlines()[-1])
        done.append({**figures, "process": time.perf_counter() - start})
    return {key: sorted(run[key] for run in done)[len(done) // 2] for key in done[0]}


def _page(measured: dict[str, dict[str, dict[str, Any]]], runs: int) -> str:
    import pandas as pd
    from flopledger.reports.profile_exports import to_markdown

    parts = [_HEAD.format(
        day=date.today(), runs=runs, limit=SECONDS, memory=MEMORY >> 30,
        python=platform.python_version(), cpu=f"{_cpu()}, {os.cpu_count()} threads",
        versions=", ".join(f"{name} {version(name)}" for name in PACKAGES),
    )]  # fmt: skip
    for title, cell in {
        "Deviation from the true figure": _deviation,
        "Seconds of the whole process": lambda _, figures: f"{figures['process']:.1f}",
        "Seconds to build and count, imports left out": lambda _, figures: (
            f"{figures['seconds']:.2f}"
        ),
        "Peak memory of the process, MiB": lambda _, figures: f"{figures['peak'] / 2**20:,.0f}",
    }.items():
        rows = [
            {"network": name, "MACs": f"{CASES[name].macs / 1e9:,.3f} G"}
            | {
                tool: figures.get("why") or cell(CASES[name], figures)
                for tool, figures in tools.items()
            }
            for name, tools in measured.items()
        ]
        parts.append(f"## {title}\n\n{to_markdown(pd.DataFrame(rows))}")
    parts.append("## Where the figures come from\n\n" + "".join(
        f"- {name}: {CASES[name].why}\n" for name in measured
    ))  # fmt: skip
    parts.append("## Targets that are missed\n\n" + "".join(_misses(measured)))
    return "\n".join(parts)


def _deviation(case: Case, figures: dict[str, Any]) -> str:
    if abs(figures["macs"] - case.macs) <= case.rounding:
        return "exact"
    return f"{figures['macs'] / case.macs - 1:+.2%}"


def _misses(measured: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    lines = []
    for name, tools in measured.items():
        ours, case = tools[OURS], CASES[name]
        if "why" in ours or _deviation(case, ours) != "exact":
            lines.append(f"- {name}: not exact\n")
            continue
        peers = {tool: tools[tool] for tool in PEERS if "why" not in tools[tool]}
        exact = {t: figures for t, figures in peers.items() if _deviation(case, figures) == "exact"}
        if exact:
            tool = min(exact, key=lambda t: exact[t]["process"])
            ratio = ours["process"] / exact[tool]["process"]
            if ratio > 1.2:
                lines.append(f"- {name}: {ratio:.2f} x the time of {tool}, which is exact\n")
        if peers:
            tool = min(peers, key=lambda t: peers[t]["peak"])
            if (ratio := ours["peak"] / peers[tool]["peak"]) > 1:
                lines.append(f"- {name}: {ratio:.2f} x the memory of {tool}\n")
    return lines or ["None.\n"]


_HEAD = """# Beside the other counters

Written by `make peers` (`python scripts/peers`) on {day}: each network by each tool in a fresh
process, the median of {runs}, at most {limit} s and {memory} GiB of address space. {cpu}; Python
{python}; {versions}.

The true figures are none of the tools': torchvision's published ones, to their rounding, where it
has the same network, else products written out by hand in scripts/peers/cases.py. "flopledger" is
the dispatch counter alone; "flopledger, checked" is profile(), which asks fvcore as well where that
is worth its time.

FlopCounterMode's FLOPs are halved to MACs; what fvcore calls flops, and what torchinfo, ptflops,
calflops, thop, DeepSpeed and torchlens call MACs, is taken as it is. Peers are given networks that
take and return plain tensors. What stands in place of a figure is the exception that ended it.
"""


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))


def _child(tool: str, case: str) -> dict[str, float]:
    """One count in this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    import torch
    from flopledger.zoo.sources import find

    chosen = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        source = chosen.source
        if isinstance(source, dict):
            (Path(folder) / "config.json").write_text(json.dumps(source))
            source = f"hf:{folder}"
        factory = find(source, {}).factory
        count = COUNTERS[tool](torch)
        start = time.perf_counter()
        macs = count(factory, inputs_of(chosen, "meta" if "meta" in tool else "cpu"))
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"macs": float(macs), "seconds": seconds, "peak": peak}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(_child(*sys.argv[2:4])))
    else:
        typer.run(main)
