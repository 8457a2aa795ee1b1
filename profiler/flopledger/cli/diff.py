"""What moved between two counts: flopledger diff."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flopledger.cli.console import NOT_CONFIRMED, Debug
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)
from flopledger.cli.profile import Asked, Kwargs, Order, counted
from flopledger.zoo.registry import find_listings

if TYPE_CHECKING:
    from flopledger.profiles.tables import Profile


EXAMPLES = """
flopledger profile resnet18 --output baseline.json
flopledger diff baseline.json resnet18 --fail-over 1%
"""


def diff(
    before: Annotated[
        str, typer.Argument(help="A file that profile --format json wrote, or a model.")
    ],
    after: Annotated[
        str, typer.Argument(help="The model that is compared with it, or another such file.")
    ],
    asked: Asked = None,
    inputs: Annotated[
        str | None, typer.Option(help="FILE.py:FUNCTION returns the arguments of the forward pass.")
    ] = None,
    kwargs: Kwargs = None,
    fail_over: Annotated[
        str | None,
        typer.Option(
            help="With 1%, the exit code is 3 if parameters or MACs moved by more, up or down."
        ),
    ] = None,
    form: Annotated[str | None, format_option("diff")] = None,
    output: Output = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Say what moved between two counts, layer by layer.

    Either is a file that flopledger profile --format json wrote, or a model, which is counted now:
    a network of the zoo on its own inputs, any other on the baseline's, unless --input says.
    """
    from flopledger.differences.find_changes import diff as compared
    from flopledger.differences.find_changes import is_saved
    from flopledger.options import parse_percent
    from flopledger.profiles.saved import read_profile
    from flopledger.reports.diff import FORMATS
    from flopledger.zoo.inputs import parse_input
    from flopledger.zoo.sources import parse_options

    chosen = check_form("diff", form, output, columns, column_titles("diff"))
    limit = parse_percent(fail_over) if fail_over is not None else None
    order = Order(
        asked=[parse_input(text) for text in asked or []],
        inputs=inputs,
        options=parse_options(kwargs or []),
    )
    sides = {text: read_profile(Path(text)) for text in (before, after) if is_saved(text)}
    given = bool(asked or inputs)
    for text in (before, after):
        if text not in sides:
            like = None if given else next(iter(sides.values()), None)
            sides[text] = _count(text, order, like)
    moved = compared(sides[before], sides[after])
    deliver(lambda: FORMATS[chosen](moved), chosen, output, columns)
    return NOT_CONFIRMED if limit is not None and moved.exceeds(limit) else 0


def _count(text: str, order: Order, like: "Profile | None") -> "Profile":
    """A model, counted: one that is not the zoo's on the inputs of that other count."""
    from flopledger.zoo.inputs import AskedInput

    if like is not None and not find_listings(text):
        asked = [AskedInput(shape=i.shape, dtype=i.dtype) for i in like.inputs]
        order = replace(order, asked=asked)
    return counted(text, order)[1]
