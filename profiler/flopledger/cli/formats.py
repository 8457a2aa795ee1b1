"""How results leave a verb: --format, --output, --columns, and the suffix that names a format."""

import ast
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from flopledger.cli.console import readable, say, write_out
from flopledger.storage.files import check_writable, write_whole

_SUFFIXES = {
    ".json": "json", ".csv": "csv", ".md": "markdown", ".markdown": "markdown", ".html": "html",
    ".htm": "html", ".tex": "latex", ".svg": "svg", ".png": "png",
}  # fmt: skip

_TEXT = ("", ".txt", ".log", ".out")  # suffixes of a table

Output = Annotated[
    Path | None,
    typer.Option(
        help="The output is written to this file instead of stdout, in the format that its "
        "suffix names."
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="TITLE,TITLE",
        help="The columns of the table, by their titles, or all. Left out: as many as the screen "
        "has room for.",
    ),
]


def format_option(report: str) -> Any:
    """The option --format of the verb whose file in reports/ this is.

    Args:
        report: "claims", whose FORMATS maps each format's name to the function that writes it.
    """
    names = format_names(report)

    def chosen(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(names)}")
        return text

    return typer.Option(
        "--format",
        parser=chosen,
        metavar=f"[{'|'.join(names)}]",
        help="How the output is written. Left out: as the suffix of --output says, or a table.",
    )


def format_names(report: str) -> list[str]:
    """The keys of that file's FORMATS, read and not imported: --help needs no pandas."""
    table = _assigned(report, "FORMATS")
    assert isinstance(table, ast.Dict)
    return [ast.literal_eval(key) for key in table.keys if key is not None]


def column_titles(report: str, of: str = "") -> list[str]:
    """What the columns of that file's tables are called: its COLUMNS, read and not imported.

    Args:
        report: "sweep".
        of: of several tables, the one that is meant.
    """
    titles = ast.literal_eval(_assigned(report, "COLUMNS"))
    return list(titles[of] if of else titles)


def _assigned(report: str, name: str) -> ast.expr:
    text = files("flopledger.reports").joinpath(f"{report}.py").read_text(encoding="utf-8")
    table = ast.parse(text[text.index(f"\n{name}") :]).body[0]
    assert isinstance(table, ast.Assign | ast.AnnAssign)
    assert table.value is not None
    return table.value


def check_form(
    report: str,
    form: str | None,
    output: Path | None,
    columns: str | None,
    titles: Sequence[str] = (),
) -> str:
    """The format to write, and a file that can be written; said before any work is done.

    Args:
        report: the verb's file in reports/.
        form: what --format says, or None.
        output: what --output says, or None.
        columns: what --columns says, or None.
        titles: those that the tables may have; none where they are known with the result alone,
            which `deliver` then holds --columns to.

    Raises:
        WrongOption: no table has one of the columns.
        BadParameter: the verb has no such format, or the options contradict each other.
        OSError: the file cannot be written.
    """
    chosen = form or _of_suffix(report, output)
    if columns is not None and chosen != "table":
        raise typer.BadParameter(f"--columns is of a table; --format {chosen} has every column")
    if columns is not None and not any(name.strip() for name in columns.split(",")):
        raise typer.BadParameter("--columns names no column")
    if columns is not None and titles:
        from flopledger.reports.columns import Screen

        Screen(columns=_asked(columns), titles=list(titles)).check_columns()
    if output is not None:
        check_writable(output)
    return chosen


def journal_option(what: str) -> Any:
    """The option --output of a verb that keeps a journal, told apart by `journal_and_output`.

    Args:
        what: what has a line of it: "row".
    """
    return typer.Option(
        help=f"FILE.jsonl gets a line of JSON after every {what}; FILE.csv, FILE.md and so on get "
        "the result, in the format that the suffix names."
    )


def journal_and_output(output: Path | None, resume: bool) -> tuple[Path | None, Path | None]:
    """What --output names where a verb keeps a journal: FILE.jsonl is one, FILE.csv the result.

    Returns:
        The file that gets a line of JSON as the work goes on, and that of the result, or None.

    Raises:
        BadParameter: --resume with a file that is no journal.
    """
    if output is None or output.suffix.lower() not in _SUFFIXES:
        return output, None
    if resume:
        raise typer.BadParameter(
            f"--resume goes on with a journal, --output {output.with_suffix('.jsonl')}; "
            f"{output.name} is the result of whole work"
        )
    return None, output


def _of_suffix(report: str, output: Path | None) -> str:
    if output is None:
        return "table"
    names = format_names(report)
    for name in names:  # x.speedscope.json
        if output.name.endswith(f".{name}.json"):
            return name
    suffix = output.suffix.lower()
    form = _SUFFIXES.get(suffix, "table" if suffix in _TEXT else suffix[1:])
    if form not in names:
        raise typer.BadParameter(
            f"--output {output}: this verb writes no {form}; --format is one of {', '.join(names)}"
        )
    return form


def deliver(
    write: Callable[[], str | bytes], form: str, output: Path | None, columns: str | None
) -> None:
    """Write a result to the file, whole, or to stdout as wide as the screen.

    Args:
        write: makes the text, or a picture's bytes.
        form: as `check_form` gives it.
        output: the file, or None.
        columns: what --columns says, or None.

    Raises:
        WrongOption: no table has one of those columns.
        OSError: it cannot be written.
    """
    from flopledger.reports.columns import Screen, on_screen

    asked = _asked(columns or "")
    ansi = output is None and _shows_ansi()
    screen = Screen(width=None if output else _width(), columns=asked, bold=ansi)
    with on_screen(screen):
        content = write()
    screen.check_columns()
    if output is None:
        write_out(content, form, colour=ansi)
        return
    write_whole(output, readable(content, form) if isinstance(content, str) else content)
    say(f"written to {output}")


def _asked(columns: str) -> list[str]:
    return [name.strip() for name in columns.split(",") if name.strip()]


def _width() -> int | None:
    """Characters in a line of the terminal; None where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _shows_ansi() -> bool:
    """Whether the terminal takes ANSI codes, and its user wants them (https://no-color.org)."""
    dumb = os.environ.get("TERM", "") in ("", "dumb")
    return sys.stdout.isatty() and not dumb and not os.environ.get("NO_COLOR")
