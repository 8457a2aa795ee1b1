"""What every verb says, and how: one line on stderr, exit codes, progress."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from flopledger.progress import Interrupted, OnProgress, Unfinished, unheard
from flopledger.storage.files import naming
from flopledger.storage.visible import visible, visible_lines

WRONG_CALL, NOT_PROFILED, NOT_CONFIRMED, INTERRUPTED = 2, 1, 3, 130

_FOR_PEOPLE = ("table", "csv", "markdown", "latex")  # the others have escapes of their own

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
    """One line on stderr; what would steer the terminal is shown as an escape."""
    print(f"flopledger: {visible(line)}", file=sys.stderr)


def write_out(content: str | bytes, form: str = "table", colour: bool = False) -> None:
    """A report to stdout: what every verb prints.

    Args:
        content: what it says, a picture in bytes.
        form: as --format names it; of a table, CSV or Markdown no character steers the terminal.
        colour: whether ANSI codes in it are its own.

    Raises:
        OSError: stdout cannot be written.
    """
    with naming("stdout"):
        if isinstance(content, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
        else:
            sys.stdout.write(readable(content, form, colour))
        sys.stdout.flush()


def readable(content: str, form: str, colour: bool = False) -> str:
    """The text of that format, without characters that steer a terminal.

    Args:
        content: the text.
        form: as --format names it.
        colour: whether the text may have colours of its own.
    """
    return visible_lines(content, colour) if form in _FOR_PEOPLE else content


def stopped(stop: Interrupted | Unfinished, follows: str, debug: bool) -> int:
    """Say what stopped the work, and what follows an interrupt; the exit code."""
    if isinstance(stop, Interrupted):
        say(f"{stop}; {follows}")
        return INTERRUPTED
    if debug:
        raise stop
    say(str(stop))
    return stop.exit_code


@contextmanager
def progress_bar(what: str) -> Iterator[OnProgress]:
    """A bar on stderr, where that is a screen; what it yields is a `progress` callback.

    Args:
        what: the bar's name: "games".
    """
    if not sys.stderr.isatty():
        yield unheard
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[message]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, message="")
        yield lambda step: bar.update(
            task, completed=step.done, total=step.total, message=step.message
        )
