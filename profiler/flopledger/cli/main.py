"""The command line: arguments in, exit code out; torch is imported by the verb that needs it."""

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException

from flopledger import cli
from flopledger.cli.console import WRONG_CALL, say
from flopledger.zoo.registry import UnknownModel

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Where a PyTorch network spends arithmetic and where it keeps its parameters.",
)
# a verb is a file of this package that holds a function, or a Typer of several, of its own name
for name in sorted(module.name for module in iter_modules(cli.__path__)):
    if name == "main":
        continue
    verb = getattr(import_module(f"flopledger.cli.{name}"), name, None)
    if isinstance(verb, typer.Typer):
        app.add_typer(verb, name=name)
    elif verb is not None:
        app.command()(verb)


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
