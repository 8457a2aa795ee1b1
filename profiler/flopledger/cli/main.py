"""The command line: arguments in, exit code out; torch is imported by the verb that needs it."""

import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException

from flopledger.cli import claims, compare, diff, profile, report, selfplay, sweep, train, tune
from flopledger.cli.console import WRONG_CALL, say
from flopledger.zoo.registry import UnknownModel

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Where a PyTorch network spends arithmetic and where it keeps its parameters.",
)
for verb in (
    profile.profile,
    diff.diff,
    report.report,
    compare.compare,
    claims.claims,
    selfplay.selfplay,
    tune.tune,
    sweep.sweep,
):
    app.command()(verb)
app.add_typer(train.train, name="train")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit: 0; 1 not profiled; 2 wrong call; 3 not confirmed under --strict."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" not in words:
        warnings.showwarning = _one_line_warning
    try:
        code = app(words, prog_name="flopledger", standalone_mode=False)
    except (TyperException, UnknownModel, OSError) as error:
        if "--debug" in words:
            raise
        said = error.format_message() if isinstance(error, TyperException) else str(error)
        say(said.replace("Value error, ", "").removeprefix("Invalid value: "))
        code = WRONG_CALL
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        code = 130
    sys.exit(code or 0)


def _one_line_warning(message: Any, category: Any, *_: Any, **__: Any) -> None:
    say(f"warning: {str(message).strip().splitlines()[0]}")


if __name__ == "__main__":
    main()
