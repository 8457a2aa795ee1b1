"""Real networks beside an independent truth; writes docs/coverage.md.

Each is made with random weights (nothing is downloaded), and counted by flopledger and by truth.py.
Rows are kept in build/coverage.jsonl: what was counted by the same code is not counted again.
"""

import hashlib
import importlib
import json
import sys
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import flopledger
import torch
import typer
from flopledger.storage.files import write_whole
from flopledger.storage.journal import append, begin
from flopledger.zoo.sources import find
from page import is_settled, page
from rows import Network, Row, measured, warm_up

HERE = Path(__file__).resolve().parent
KEPT = Path("build/coverage.jsonl")
AT_LEAST = 0.98  # of the networks are to be exact
SUBJECTS = ("transformers", "timm", "diffusers", "peft", "vision", "others")


def main(
    only: Annotated[
        list[str] | None,
        typer.Argument(help="Names of libraries or networks; all, and the page, if left out."),
    ] = None,
) -> None:
    """Count the networks twice, and write the page."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # a fork of a process with threads may hang
    warm_up()
    find("timm:resnet18")  # imports a torchvision without its own operators, which others cannot
    modules = [importlib.import_module(f"networks_{subject}") for subject in SUBJECTS]
    listed = {key: made for module in modules for key, made in module.networks().items()}
    chosen = {key: made for key, made in listed.items() if not only or {*key} & {*only}}
    if not chosen:
        raise typer.BadParameter(f"no library or network is called {', '.join(only or ())}")
    reasons = tomllib.loads((HERE / "explanations.toml").read_text(encoding="utf-8"))
    rows = _rows(chosen)
    if not only:
        packages = ("torch", *dict.fromkeys(name for m in modules for name in m.PACKAGES))
        write_whole(Path("docs/coverage.md"), page(rows, reasons, packages, _digest()))
        print("docs/coverage.md")
    exact = sum(row.truth is not None and row.macs == row.truth for row in rows)
    loose = [row for row in rows if not is_settled(row, reasons)]
    for row in loose:
        print(f"{row.library} {row.network}: {row.macs} for {row.truth}; {row.ended or 'differs'}")
    print(f"{exact} of {len(rows)} exact, {len(loose)} neither exact nor explained")
    if loose or exact < AT_LEAST * len(rows):
        raise typer.Exit(1)


def _rows(chosen: dict[tuple[str, str], Callable[[], Network]]) -> list[Row]:
    KEPT.parent.mkdir(exist_ok=True)
    head = {"code": _digest()}
    if KEPT.exists() and not KEPT.read_text(encoding="utf-8").startswith(json.dumps(head)):
        KEPT.unlink()
    lines, _ = begin(KEPT, head, lambda lines: lines[1:])
    kept = {(row.library, row.network): row for row in (Row(**json.loads(x)) for x in lines)}
    rows = []
    for place, (key, factory) in enumerate(chosen.items(), 1):
        if key not in kept:
            kept[key] = measured(*key, factory)
            append(KEPT, asdict(kept[key]))
        rows.append(kept[key])
        print(f"{place} of {len(chosen)}: {' '.join(key)}", file=sys.stderr)
    return rows


def _digest() -> str:
    """Of the code that counts and that makes the networks."""
    files = sorted([*Path(flopledger.__file__).parent.rglob("*.py"), *HERE.glob("*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


if __name__ == "__main__":
    typer.run(main)
