"""What moved between two counts: flopledger diff."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flopledger.cli.console import NOT_CONFIRMED, Debug, write_out
from flopledger.cli.formats import format_option
from flopledger.cli.profile import Asked, Kwargs, Order, counted

if TYPE_CHECKING:
    from flopledger.profiles.tables import Profile


def diff(
    before: Annotated[
        str, typer.Argument(help="A file that profile --format json wrote, or a model.")
    ],
    after: Annotated[
        str, typer.Argument(help="The model that is compared with it, or another such file.")
    ],
    asked: Asked = None,
    kwargs: Kwargs = None,
    fail_over: Annotated[
        str | None,
        typer.Option(
            help="With 1%, the exit code is 3 if parameters or MACs moved by more, up or down."
        ),
    ] = None,
    form: Annotated[str, format_option("diff")] = "table",
    debug: Debug = False,
) -> int:
    """Say what moved between a baseline and a model, or between two models, layer by layer."""
    from flopledger.differences.find_changes import diff as compared
    from flopledger.options import parse_percent
    from flopledger.reports.diff import FORMATS
    from flopledger.zoo.inputs import parse_input
    from flopledger.zoo.sources import parse_options

    limit = parse_percent(fail_over) if fail_over is not None else None
    order = Order(
        asked=[parse_input(text) for text in asked or []], options=parse_options(kwargs or [])
    )
    moved = compared(_count(before, order), _count(after, order))
    write_out(FORMATS[form](moved), form)
    return NOT_CONFIRMED if limit is not None and moved.exceeds(limit) else 0


def _count(text: str, order: Order) -> "Profile":
    """A saved profile; a model, counted."""
    from flopledger.differences.find_changes import is_saved
    from flopledger.profiles.saved import read_profile

    return read_profile(Path(text)) if is_saved(text) else counted(text, order)[1]
