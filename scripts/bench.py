"""Time and memory: a count by ours and by its peers as they come; the report; a comparison.

Every figure is the median of fresh processes, one after the other. Prints tables, writes them to
build/bench.md, and asserts nothing.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

# method -> the peer it is compared with
METHODS = {
    "ours, fvcore": "fvcore",
    "ours, dispatch": "FlopCounterMode",
    "fvcore": "fvcore",
    "FlopCounterMode": "FlopCounterMode",
    "torchinfo": "torchinfo",
}


def main(
    models: Annotated[list[str] | None, typer.Argument(help="All of the zoo if left out.")] = None,
    runs: Annotated[int, typer.Option(help="Fresh processes a figure.")] = 5,
    output: Annotated[Path, typer.Option(help="Where the table is written.")] = Path(
        "build/bench.md"
    ),
) -> None:
    """Measure every method on every model, and print and write the table."""
    from flopledger.reports.profile_exports import to_markdown
    from flopledger.storage.files import write_whole
    from flopledger.zoo.registry import find_model, list_models

    names = [find_model(name).name for name in models or []]
    rows = []
    for name in names or [listing.name for listing in list_models()]:
        measured = {method: _median_of(runs, method, name) for method in METHODS}
        rows += [_row(name, method, measured) for method in METHODS]
        print(f"{name} done", file=sys.stderr)

    import pandas as pd

    counts = to_markdown(pd.DataFrame(rows))
    whole = to_markdown(pd.DataFrame(_commands(runs)))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, f"{counts}\n{whole}")
    print(counts, whole, sep="\n", end="")


def _commands(runs: int) -> list[dict[str, str]]:
    """Whole commands, imports and all, in seconds."""
    script = os.path.join(here, "profile.py")
    times: dict[str, list[float]] = {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as home:
            report = ["-m", "flopledger", "report", "--output", f"{home}/report"]
            compare = ["-m", "flopledger", "compare", "alexnet", "alphazero-chess"]
            for name, words in {
                "import torch": ["-c", "import torch"],
                "profile.py --list": [script, "--list"],
                "profile.py alexnet": [script, "alexnet"],
                "report, the first time": report,
                "report, nothing changed": report,
                "compare, 1 sample": [*compare, "--samples", "1"],
                "compare, 100,000 samples": [*compare, "--samples", "100000"],
            }.items():
                start = time.perf_counter()
                environment = {**os.environ, "XDG_CACHE_HOME": home}
                subprocess.run(
                    [sys.executable, *words], check=True, stdout=subprocess.DEVNULL, env=environment
                )
                times.setdefault(name, []).append(time.perf_counter() - start)
    middle = {name: sorted(all_runs)[runs // 2] for name, all_runs in times.items()}
    return [
        {
            "command": name,
            "seconds": f"{seconds:.2f}",
            "/ import torch": f"{seconds / middle['import torch']:.2f}",
        }
        for name, seconds in middle.items()
    ]


def _row(model: str, method: str, measured: dict[str, dict[str, float]]) -> dict[str, str]:
    own, peer = measured[method], measured[METHODS[method]]
    row = {"model": model, "method": method, "MACs": f"{own['macs']:,.0f}"}
    for figure, unit, scale in (
        ("build and count", "ms", 1e3),
        ("count", "ms", 1e3),
        ("count, warm", "ms", 1e3),
        ("peak", "MiB", 2**-20),
    ):
        row[f"{figure} ({unit})"] = f"{own[figure] * scale:.0f}"
        row[f"{figure} / peer's"] = f"{own[figure] / peer[figure]:.2f}" if own != peer else ""
    return row


def _median_of(runs: int, method: str, model: str) -> dict[str, float]:
    """Each figure's median over that many fresh processes."""
    child = [sys.executable, __file__, "--child", method, model]
    ran = [json.loads(subprocess.check_output(child)) for _ in range(runs)]
    return {figure: sorted(run[figure] for run in ran)[runs // 2] for figure in ran[0]}


def _measure(method: str, model: str) -> dict[str, float]:
    """One count in this process: seconds, and bytes at the peak.

    torch and the counter's own module are imported before the clock starts; what a counter imports
    while it counts is part of its time.
    """
    build, count = _counter(method, model)
    start = time.perf_counter()
    module = build()
    built = time.perf_counter()
    macs = count(module)
    cold = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    count(module)
    warm = time.perf_counter()
    return {
        "macs": macs,
        "build and count": cold - start,
        "count": cold - built,
        "count, warm": warm - cold,
        "peak": peak,
    }


def _counter(method: str, model: str) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    """How the method builds a module, and how it counts its MACs."""
    import torch
    from flopledger.zoo.registry import find_model

    spec = find_model(model)
    inputs = spec.inputs()
    if method.startswith("ours"):
        from flopledger.counting.dispatch import dispatch_counter
        from flopledger.counting.shapes.weightless import build
        from flopledger.counting.trace import fvcore_counter

        ours = fvcore_counter.count if method == "ours, fvcore" else dispatch_counter.count
        return lambda: build(spec.factory).eval(), lambda m: sum(
            call.macs for call in ours(m, inputs, {})
        )
    if method == "fvcore":
        from fvcore.nn import FlopCountAnalysis

        # as it comes, but for its warnings: they are not what is measured
        return (
            lambda: spec.factory().eval(),
            lambda m: (
                FlopCountAnalysis(m, inputs)
                .unsupported_ops_warnings(False)
                .uncalled_modules_warnings(False)
                .total()
            ),
        )
    if method == "torchinfo":
        import torchinfo

        return (
            lambda: spec.factory().eval(),
            lambda m: torchinfo.summary(m, input_data=inputs, verbose=0).total_mult_adds,
        )
    from torch.utils.flop_counter import FlopCounterMode

    def with_mode(module: Any) -> float:
        with torch.no_grad(), FlopCounterMode(display=False) as mode:
            module(*inputs)
        return mode.get_total_flops() / 2

    return lambda: spec.factory().eval(), with_mode


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(_measure(*sys.argv[2:4])))
    else:
        typer.run(main)
