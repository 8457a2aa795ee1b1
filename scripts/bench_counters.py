"""CPU seconds of counting: ours, fvcore, FlopCounterMode; over the zoo, timm, transformers.

Each network is counted in turn by every method in one process, after one network that is not
measured: what the methods import is in no figure. The lesser of two runs counts. Prints a table of
sums and ratios, writes it and a row a network to build/bench_counters.md, and asserts nothing.
"""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

SETS = ("zoo", "timm", "transformers")
LARGEST = 150_000_000  # parameters of a network that fvcore, as it comes, computes here

# a network's name, its factory, and its arguments, given the network
Case = tuple[str, Callable[[], Any], Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]]


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
    from flopledger.reports.profile_exports import to_markdown
    from flopledger.storage.files import write_whole

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for name in sets or SETS:
        cases = {"zoo": _zoo, "timm": _timm, "transformers": _transformers}[name]()
        measured = 0
        for case in cases:
            if measured > number and name != "zoo":
                break
            row = _row(name, *case)
            measured += row is not None
            if row and measured > 1:
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
    }


def _row(name: str, model: str, factory: Any, inputs: Any) -> dict[str, Any] | None:
    """CPU seconds of each method; None for a network that is too large, or takes no guess."""
    import torch
    from flopledger.counting import dispatch_counter
    from flopledger.counting.profiling import counted
    from flopledger.counting.weightless import build
    from fvcore.nn import FlopCountAnalysis
    from torch.utils._pytree import tree_map
    from torch.utils.flop_counter import FlopCounterMode

    class Bound(torch.nn.Module):
        def __init__(self, module: Any) -> None:
            super().__init__()
            self.module = module

        def forward(self, *values: Any) -> Any:
            args, named = values[: len(values) - len(kwargs)], values[len(values) - len(kwargs) :]
            out = self.module(*args, **dict(zip(kwargs, named, strict=True)))
            leaves = torch.utils._pytree.tree_leaves(out)
            return tuple(leaf for leaf in leaves if isinstance(leaf, torch.Tensor))

    def mode() -> None:
        with torch.no_grad(), FlopCounterMode(display=False):
            bare(*on_meta[0], **on_meta[1])

    def fvcore() -> None:
        analysis = FlopCountAnalysis(Bound(whole).eval(), (*args, *kwargs.values()))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()

    try:
        module = build(factory).eval()
        if sum(p.numel() for p in module.parameters()) > LARGEST:
            return None
        args, kwargs = inputs(module)
        one = counted(model, module, (args, kwargs))
    except Exception:
        return None
    row = {"set": name, "network": model, "agrees": one.check.agrees is True}
    row["ours"] = _seconds(lambda: counted(model, module, (args, kwargs)))
    row["dispatch"] = _seconds(lambda: dispatch_counter.count(module, args, kwargs))
    bare = build(factory).eval().to("meta")
    on_meta = tree_map(
        lambda leaf: leaf.to("meta") if isinstance(leaf, torch.Tensor) else leaf, (args, kwargs)
    )
    row["FlopCounterMode"] = _seconds(mode)
    whole = factory().eval()
    row["fvcore"] = _seconds(fvcore)
    return row


def _seconds(count: Callable[[], Any]) -> float:
    """The lesser CPU time of two runs; NaN where it fails."""
    times = []
    for _ in range(2):
        start = time.process_time()
        try:
            count()
        except Exception:
            return float("nan")
        times.append(time.process_time() - start)
    return round(min(times), 3)


def _zoo() -> Iterator[Case]:
    from flopledger.zoo.registry import find_model, list_models

    names = [listing.name for listing in list_models()]
    for name in (names[0], *names):
        spec = find_model(name)
        yield name, spec.factory, lambda _, spec=spec: (spec.inputs(), {})


def _timm() -> Iterator[Case]:
    """One network of each of timm's families, by the names' first words."""
    import torch
    from flopledger.zoo.libraries import _library as library

    timm = library("timm", "timm")
    families = {}
    for name in timm.list_models():
        families.setdefault(name.split("_")[0].rstrip("0123456789x"), name)
    for name in families.values():
        yield (
            name,
            lambda name=name: timm.create_model(name),
            lambda m: ((torch.zeros(1, *m.default_cfg["input_size"]),), {}),
        )


def _transformers() -> Iterator[Case]:
    """One network of each of transformers' families, its configuration cut to two layers."""
    from flopledger.zoo.guessed_inputs import guessed
    from flopledger.zoo.libraries import _library as library

    library("transformers", "transformers")
    from transformers import AutoConfig, AutoModel
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    def make(name: str) -> Any:
        config = AutoConfig.for_model(name)
        for field in ("num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers"):
            if isinstance(getattr(config, field, None), int):
                setattr(config, field, 2)
        return AutoModel.from_config(config)

    for name in sorted(MODEL_MAPPING_NAMES):
        yield name, lambda name=name: make(name), lambda m: guessed(m)[0]


if __name__ == "__main__":
    typer.run(main)
