"""Forms of a training step on three networks: their peaks worked out, and allocated."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import argparse
from pathlib import Path
from typing import Any

import flopledger
import torch

PAGE = Path(here).parent / "docs" / "memory.md"
HEADING = "## Beside the allocator\n"
MIB = 2**20

FORMS: list[dict[str, Any]] = [
    {"optimiser": "sgd"},
    {"optimiser": "adamw"},
    {"optimiser": "lion"},
    {"optimiser": "adafactor"},
    {"optimiser": "adafactor-momentum"},
    {"optimiser": "adam8bit"},
    {"accumulate": 4},
    {"precision": "bf16-mixed"},
    {"precision": "bf16-true"},
    {"precision": "bf16-masters"},
    {"checkpoint": "blocks", "optimiser": "sgd"},
    {"checkpoint": "blocks", "precision": "bf16-mixed", "accumulate": 4, "optimiser": "momentum"},
]
NETWORKS = {
    "ResNet-50, 4 images": ("resnet50", lambda: torch.zeros(4, 3, 224, 224)),
    "GPT-2 small, 2 x 128 tokens": ("gpt2", lambda: torch.zeros(2, 128, dtype=torch.int64)),
    "ViT-B/16, 4 images": ("vit-b-16", lambda: torch.zeros(4, 3, 224, 224)),
}


def main() -> None:
    """Run every form of every network, and put the table at the page's end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="the page that the table ends")
    page = parser.parse_args().output
    torch.set_num_threads(1)
    rows = ["| form | " + " | ".join(NETWORKS) + " |", "|:--|" + "--:|" * len(NETWORKS)]
    for form in FORMS:
        words = ", ".join(f"--{name} {value}" for name, value in form.items())
        rows.append(f"| {words} | {' | '.join(_cell(*case, form) for case in NETWORKS.values())} |")
        print(rows[-1], flush=True)
    before, heading, after = page.read_text().partition(HEADING)
    said = after.partition("\n|")[0].rstrip()
    page.write_text(before + heading + said + "\n\n" + "\n".join(rows) + "\n")


def _cell(name: str, inputs: Any, form: dict[str, Any]) -> str:
    network = flopledger.find_model(name).factory().train()
    told = flopledger.memory(network, inputs(), **form).training_peak_bytes
    try:
        taken = flopledger.allocated(network, inputs(), **form).training_peak_bytes
    except flopledger.FlopledgerError as error:  # a library that is not installed
        print(error, file=sys.stderr)
        taken = None
    if told is None or taken is None:
        return f"{'-' if told is None else f'{told / MIB:,.1f}'} / -"
    return f"{told / MIB:,.1f} / {taken / MIB:,.1f} ({told / taken - 1:+.1%})"


if __name__ == "__main__":
    main()
