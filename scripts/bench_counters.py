"""Counting: ours, fvcore, FlopCounterMode, torchinfo; over the zoo, timm and transformers.

CPU seconds: each network is counted in turn by every method in one process, after one network that
is not measured, so that what the methods import is in no figure; the least of some runs counts, two
of those that take long. Peak memory: each method counts each network in a fresh process, in which
nothing but torch, the network's library and what the method itself needs was ever imported; on
Linux. Weights are random, and seeded. Prints a table of sums and ratios, writes it and a row a
network to build/bench_counters.md, and asserts nothing.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import multiprocessing
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

PEERS = ("fvcore", "FlopCounterMode", "torchinfo")
SEED = 0
LARGEST = 150_000_000  # parameters of a network that fvcore, as it comes, computes here

# a network's factory, and its arguments, given the network
Case = tuple[Callable[[], Any], Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]]


def main(
    sets: Annotated[list[str] | None, typer.Argument(help="Of zoo, timm, transformers.")] = None,
    number: Annotated[int, typer.Option(help="Networks of each library.")] = 50,
    output: Annotated[Path, typer.Option(help="Where the tables are written.")] = Path(
        "build/bench_counters.md"
    ),
) -> None:
    """Measure every method on every network, and print and write the tables."""
    import pandas as pd
    import torch
    from flopledger.counting import profiling  # noqa: F401  every process has imported it
    from flopledger.reports.profile_exports import to_markdown
    from flopledger.storage.files import write_whole

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for library in sets or CASES:
        names, _ = CASES[library]()
        fork, spawn = map(multiprocessing.get_context, ("fork", "spawn"))
        measured = 0
        with fork.Pool(1) as timer, spawn.Pool(1, maxtasksperchild=1) as fresh:
            for model in names:
                if measured > number and library != "zoo":
                    break
                row = timer.apply(_row, (library, model))
                measured += row is not None
                if row and measured > 1:
                    for method in ("ours", *PEERS):
                        row[f"{method}, MiB"] = fresh.apply(_peak, (library, model, method))
                    rows.append(row)
                    print(*row.values(), file=sys.stderr, flush=True)
    frame = pd.DataFrame(rows)
    sums = to_markdown(pd.DataFrame([_summary(name, part) for name, part in frame.groupby("set")]))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, f"{sums}\n{to_markdown(frame)}")
    print(sums, end="")


def _summary(name: str, part: Any) -> dict[str, str]:
    to_fvcore = part["ours"].sum() / part["fvcore"].sum()
    modes, alone = (
        part["ours"] / part["FlopCounterMode"],
        part["dispatch"] / part["FlopCounterMode"],
    )
    memory = part["ours, MiB"] / part[[f"{peer}, MiB" for peer in PEERS]].min(axis=1)
    return {
        "set": name,
        "networks": str(len(part)),
        "agree": str(int(part["agrees"].sum())),
        "ours (s)": f"{part['ours'].sum():.2f}",
        "fvcore (s)": f"{part['fvcore'].sum():.2f}",
        "/ fvcore": f"{to_fvcore:.2f}",
        "/ FlopCounterMode, median": f"{median(modes.dropna()):.2f}",
        "at worst": f"{modes.max():.2f}",
        "dispatch / FlopCounterMode, median": f"{median(alone.dropna()):.2f}",
        "peak / leanest peer's, median": f"{median(memory.dropna()):.2f}",
        "at worst ": f"{memory.max():.2f}",
    }


def _row(library: str, model: str) -> dict[str, Any] | None:
    """CPU seconds of each method; None for a network that is too large, or takes no guess."""
    factory, inputs = CASES[library]()[1](model)
    from flopledger.counting.dispatch import dispatch_counter
    from flopledger.counting.profiling import counted
    from flopledger.counting.shapes.weightless import build

    try:
        module = build(factory).eval()
        if sum(p.numel() for p in module.parameters()) > LARGEST:
            return None
        args, kwargs = inputs(module)
        count = counted(model, module, (args, kwargs))
    except Exception:
        return None
    row = {"set": library, "network": model, "MACs": count.total("macs")}
    row["agrees"] = count.check.agrees is True
    row["ours"] = _seconds(lambda: counted(model, module, (args, kwargs)))
    row["dispatch"] = _seconds(lambda: dispatch_counter.count(module, args, kwargs))
    for peer in ("FlopCounterMode", "fvcore"):
        row[peer] = _seconds(_counter(peer, model, factory, inputs))
    return row


def _counter(method: str, model: str, factory: Any, inputs: Any) -> Callable[[], Any]:
    """A count by that method, of a network built as the method wants it: random weights, seeded."""
    import torch
    from torch.utils._pytree import tree_leaves, tree_map

    torch.manual_seed(SEED)
    if method in ("ours", "FlopCounterMode"):
        from flopledger.counting.shapes.weightless import build

        module = build(factory).eval()
    else:
        module = factory().eval()
    args, kwargs = inputs(module)
    if method == "ours":
        from flopledger.counting.profiling import counted

        return lambda: counted(model, module, (args, kwargs))
    if method == "torchinfo":
        import torchinfo

        return lambda: torchinfo.summary(module, input_data=[*args], verbose=0, **kwargs)
    if method == "fvcore":
        from fvcore.nn import FlopCountAnalysis

        class Bound(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.module = module

            def forward(self, *values: Any) -> Any:
                named = dict(zip(kwargs, values[len(args) :], strict=True))
                leaves = tree_leaves(self.module(*values[: len(args)], **named))
                return tuple(leaf for leaf in leaves if isinstance(leaf, torch.Tensor))

        def fvcore() -> None:
            analysis = FlopCountAnalysis(Bound().eval(), (*args, *kwargs.values()))
            analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()

        return fvcore
    from torch.utils.flop_counter import FlopCounterMode

    bare, given = (
        module.to("meta"),
        tree_map(lambda x: x.to("meta") if isinstance(x, torch.Tensor) else x, (args, kwargs)),
    )

    def mode() -> None:
        with torch.no_grad(), FlopCounterMode(display=False):
            bare(*given[0], **given[1])

    return mode


def _peak(library: str, model: str, method: str) -> float:
    """MiB that building and counting the network holds at most; NaN if it fails."""
    try:
        _counter(method, model, *CASES[library]()[1](model))()
    except Exception:
        return float("nan")
    # getrusage would say at least what the process that began this one held as it did
    status = Path("/proc/self/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _seconds(count: Callable[[], Any]) -> float:
    """The least CPU time of two to ten runs, half a second in all; NaN where it fails."""
    times: list[float] = []
    while len(times) < 2 or (len(times) < 10 and sum(times) < 0.5):
        start = time.process_time()
        try:
            count()
        except Exception:
            return float("nan")
        times.append(time.process_time() - start)
    return round(min(times), 3)


@cache
def _zoo() -> tuple[list[str], Callable[[str], Case]]:
    from flopledger.zoo.registry import find_model, list_models

    def case(name: str) -> Case:
        spec = find_model(name)
        return spec.factory, lambda _: (spec.inputs(), {})

    names = [listing.name for listing in list_models()]
    return [names[0], *names], case


@cache
def _timm() -> tuple[list[str], Callable[[str], Case]]:
    """One network of each of timm's families, by the names' first words."""
    import torch
    from flopledger.zoo.libraries import imported as library

    timm = library("timm", "timm")
    families: dict[str, str] = {}
    for name in timm.list_models():
        families.setdefault(name.split("_")[0].rstrip("0123456789x"), name)

    def case(name: str) -> Case:
        return (
            lambda: timm.create_model(name),
            lambda m: ((torch.zeros(1, *m.default_cfg["input_size"]),), {}),
        )

    return [*families.values()], case


@cache
def _transformers() -> tuple[list[str], Callable[[str], Case]]:
    """One network of each of transformers' families, its configuration cut to two layers."""
    from flopledger.zoo.guessed_inputs import guessed
    from flopledger.zoo.libraries import imported as library

    library("transformers", "transformers")
    from transformers import AutoConfig, AutoModel
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    def make(name: str) -> Any:
        config = AutoConfig.for_model(name)
        for field in ("num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers"):
            if isinstance(getattr(config, field, None), int):
                setattr(config, field, 2)
        return AutoModel.from_config(config)

    def case(name: str) -> Case:
        return lambda: make(name), lambda m: guessed(m)[0]

    return sorted(MODEL_MAPPING_NAMES), case


CASES = {"zoo": _zoo, "timm": _timm, "transformers": _transformers}

if __name__ == "__main__":
    typer.run(main)
