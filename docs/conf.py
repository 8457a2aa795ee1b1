"""What `make docs` builds of this folder: a site that needs no network, by Sphinx with MyST."""

import ast
import importlib
from collections import defaultdict
from pathlib import Path

import flopledger
import typer
from flopledger.cli.main import app as command_line
from sphinx.application import Sphinx
from typer.cli import get_docs_for_click

project = "flopledger"
author = "the flopledger authors"
copyright = "2026, the flopledger authors, MIT licence"
release = flopledger.__version__

extensions = [
    "myst_nb",  # these pages, and the notebook
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
nb_execution_mode = "off"  # the tests run it
myst_heading_anchors = 3
highlight_language = "none"  # of a block that names no language
smartquotes = False  # options have two hyphens
default_role = "code"  # of docstrings, which are Markdown in this
autodoc_class_signature = "separated"  # results are made here, not by who reads them
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"flopledger {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]


def setup(app: Sphinx) -> None:
    """Two pages are written by the code that they describe."""
    app.connect("source-read", _complete)


def _complete(_: Sphinx, page: str, source: list[str]) -> None:
    if page == "command-line":
        source[0] += _verbs()
    if page == "api":
        source[0] += _public_names()


def _verbs() -> str:
    group = typer.main.get_command(command_line)
    context = typer.Context(group, info_name="flopledger")
    verbs = [group.get_command(context, name) for name in group.list_commands(context)]
    return "".join(
        "\n" + get_docs_for_click(obj=verb, ctx=context, indent=1, call_prefix="flopledger")
        for verb in verbs
        if verb is not None
    )


def _public_names() -> str:
    """Every name of the stub that lists them, under what its package says of itself."""
    stub = ast.parse(Path(flopledger.__file__).with_suffix(".pyi").read_text())
    packages = defaultdict(list)
    for line in stub.body:
        if isinstance(line, ast.ImportFrom):
            package = (line.module or line.names[0].name).partition(".")[0]
            packages[package] += [alias.name for alias in line.names]
    text = ""
    for package, names in packages.items():
        title = f"\n## {package}\n\n"
        if package not in names:  # a module that is public tells of itself below
            about = importlib.import_module(f"flopledger.{package}").__doc__ or ""
            title += f"{about.splitlines()[0]}\n\n"
        text += title + "```{eval-rst}\n"
        text += "".join(_directive(name) for name in names) + "```\n"
    return text


def _directive(name: str) -> str:
    if name == "__version__":
        return f".. autodata:: flopledger.{name}\n   :no-value:\n\n"
    known = getattr(flopledger, name)
    if not isinstance(known, type):
        kind = "function" if callable(known) else "module"
    else:
        kind = "exception" if issubclass(known, Exception) else "class"
    members = "   :members:\n" if kind in ("class", "module") else ""
    return f".. auto{kind}:: flopledger.{name}\n{members}\n"
