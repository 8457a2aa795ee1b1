"""The command line: arguments in, exit code out; torch is imported by the verb that needs it."""

import errno
import gc
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from flopledger import cli
from flopledger.cli.console import INTERRUPTED, NOT_PROFILED, WRONG_CALL, say
from flopledger.cli.timeout import TimedOut
from flopledger.errors import FlopledgerError
from flopledger.storage.links import check_links

# what is imported makes as many objects, which stay: the collector of cycles would go through them
# again and again, a twentieth of a short command's time
_OBJECTS = 100_000


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"flopledger {metadata.version('flopledger')}")
        raise typer.Exit


app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Where a PyTorch network spends arithmetic and where it keeps its parameters.",
)


def _examples(lines: str) -> str:
    """What --help ends with: commands as they are typed; \b keeps their lines apart."""
    commands = lines.strip().splitlines()
    return "\b\n" + "\n".join(["Examples:", *(f"  {command}" for command in commands)])


# a verb is a file of this package that holds a function, or a Typer of several, of its own name,
# and EXAMPLES of commands, a line each
for name in sorted(module.name for module in iter_modules(cli.__path__)):
    if name == "main":
        continue
    file = import_module(f"flopledger.cli.{name}")
    verb, epilog = getattr(file, name, None), _examples(getattr(file, "EXAMPLES", ""))
    if isinstance(verb, typer.Typer):
        app.add_typer(verb, name=name, epilog=epilog)
    elif verb is not None:
        app.command(epilog=epilog)(verb)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="The version is shown.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Where a PyTorch network spends arithmetic and where it keeps its parameters."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit: 0; 1 not profiled; 2 wrong call; 3 not confirmed; 130 interrupted."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler would write to stderr
    words = list(sys.argv[1:] if arguments is None else arguments)
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *thresholds[1:])
    if "--debug" not in words:
        warnings.showwarning = _one_line_each()
    _take_every_character()
    try:
        check_links()
        code = app(words, prog_name="flopledger", standalone_mode=False)
    except BrokenPipeError:  # whoever read, as `head` does, has enough
        code = _no_reader()
    except (TyperException, FlopledgerError, OSError, TimedOut) as error:
        if "--debug" in words:
            raise
        say(_in_one_line(error))
        code = _exit_code(error)
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        code = INTERRUPTED
    finally:
        gc.set_threshold(*thresholds)
    sys.exit(code or 0)


def _in_one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename and not isinstance(error, FlopledgerError):
        return f"{error.filename}: {error.strerror}"
    text = error.format_message() if isinstance(error, TyperException) else str(error)
    return " ".join(text.replace("Value error, ", "").removeprefix("Invalid value: ").splitlines())


def _exit_code(error: BaseException) -> int:
    if isinstance(error, TimedOut):
        return NOT_PROFILED
    if isinstance(error, OSError) and error.filename == "stdout":
        _no_reader()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return NOT_PROFILED  # the work was done, and its result has no place
    return error.exit_code if isinstance(error, FlopledgerError) else WRONG_CALL


def _take_every_character() -> None:
    """What a stream's encoding lacks is written as an escape, and no traceback.

    Python has no object for a stream that was closed before it began: stdout is then one that
    cannot be written, as the error says; stderr is nowhere.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _no_reader() -> int:
    """Give up stdout, which Python would try once more at its end; the shell's code for that."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _one_line_each() -> Callable[..., None]:
    """A `warnings.showwarning`: each warning in one line, once, however often it is given."""
    given: set[str] = set()

    def show(message: Any, category: Any, *_: Any, **__: Any) -> None:
        line = str(message).strip().splitlines()[0]
        if line not in given:
            given.add(line)
            say(f"warning: {line}")

    return show


if __name__ == "__main__":
    main()
