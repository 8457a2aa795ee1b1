"""make new-model NAME=foo: models/foo.py and its test, to be filled in."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import keyword
from datetime import date
from pathlib import Path

ROOT = Path(here).parent

MODEL = '''"""{name}: say in a line what it is known for."""

import torch
from torch import nn

from flopledger import Published, register


@register(
    inputs=lambda: (torch.zeros(1, 3, 32, 32),),
    axes=("image, colour, row, column",),
    year={year},
    paper="none: say author, year, title, section",
    published=[Published("params", 15_158, "by hand: say paper and table")],
)
def {name}() -> nn.Module:
    """Say in a line what this one is."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(8 * 49, 38)
    )
'''

TEST = '''"""{name} by hand; what every model is held to, test_zoo.py holds it to as well."""

from flopledger import profile


def test_macs_by_hand():
    conv = (30 * 30) * 8 * (3 * 3 * 3)  # positions x filters x kernel
    linear = (8 * 7 * 7) * 38
    assert profile("{shown}").total("macs") == conv + linear
'''


def main(name: str) -> str:
    """Write both files, and say so; or say in one line why not."""
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        sys.exit(f"new-model: {name!r} is no name of a file; say make new-model NAME=tiny_net")
    model, test = ROOT / "models" / f"{name}.py", ROOT / "tests" / "models" / f"test_{name}.py"
    taken = [str(file.relative_to(ROOT)) for file in (model, test) if file.exists()]
    if taken:
        sys.exit(f"new-model: {' and '.join(taken)} exist already; choose another NAME")
    shown = name.replace("_", "-")
    model.write_text(MODEL.format(name=name, year=date.today().year), encoding="utf-8")
    test.write_text(TEST.format(name=name, shown=shown), encoding="utf-8")
    return (
        f"models/{name}.py and tests/models/test_{name}.py are a network that works: "
        f"make it yours, then python scripts/profile.py {shown}"
    )


if __name__ == "__main__":
    print(main(sys.argv[1] if len(sys.argv) > 1 else ""))
