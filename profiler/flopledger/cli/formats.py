"""The option --format: its choices are the names in a verb's table of formats in reports/."""

import ast
from importlib.resources import files
from typing import Any

import typer


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
        "--format", parser=chosen, metavar=f"[{'|'.join(names)}]", help="How stdout is written."
    )


def format_names(report: str) -> list[str]:
    """The keys of that file's FORMATS, read and not imported: --help needs no pandas."""
    text = files("flopledger.reports").joinpath(f"{report}.py").read_text(encoding="utf-8")
    table = ast.parse(text[text.index("\nFORMATS") :]).body[0]
    assert isinstance(table, ast.Assign | ast.AnnAssign)
    assert isinstance(table.value, ast.Dict)
    return [ast.literal_eval(key) for key in table.value.keys if key is not None]
