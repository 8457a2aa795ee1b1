"""What every verb says, and how: one line on stderr, exit codes, progress."""

import sys
from typing import Annotated, Any

import typer

WRONG_CALL, NOT_PROFILED, NOT_CONFIRMED = 2, 1, 3

Debug = Annotated[bool, typer.Option("--debug", help="The traceback of an error is shown.")]


def with_progress(items: Any, total: int | None = None) -> Any:
    """The items, with a progress bar on stderr while they are worked through, on a screen.

    Args:
        items: a list, or an iterator of that many.
        total: how many they are; None for the list's length.
    """
    total = len(items) if total is None else total
    if total < 2 or not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description="counting", total=total, console=console, transient=True)


def complain(error: Exception, debug: bool) -> None:
    """The error in one line; with --debug, the error itself."""
    if debug:
        raise error
    say(str(error))


def say(line: str) -> None:
    """One line on stderr."""
    print(f"flopledger: {line}", file=sys.stderr)


def stopped_by(cause: BaseException, follows: str, debug: bool = False) -> int:
    """Say what stopped the work, and what follows an interrupt; the exit code."""
    if isinstance(cause, KeyboardInterrupt):
        say(f"interrupted; {follows}")
        return 130
    if debug:
        raise cause
    say(str(cause))
    return NOT_PROFILED
