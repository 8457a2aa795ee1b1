"""The zoo's register: what a model is called, how it is built and what its paper printed."""

import ast
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from flopledger.errors import FlopledgerError
from flopledger.storage.links import check_links
from flopledger.storage.nearest_name import did_you_mean

_ZOO = "flopledger.models"

# other packages name the module or package of their own zoo under this entry point
GROUP = "flopledger.models"


class BrokenModel(FlopledgerError, ImportError):
    """A model's file cannot be imported; the message names the file and what it raised."""

    exit_code = 1


class UnknownModel(FlopledgerError, LookupError):
    """No model of that name is registered; the message names the nearest ones."""


@dataclass(frozen=True)
class Published:
    """A figure that a paper or a code base prints of a model, in this project's units.

    Attributes:
        quantity: "params" (trainable parameters) or "macs" (multiply-accumulates of one sample's
            forward pass). A source that calls MACs "FLOPs" is written down here as macs.
        value: the figure, as printed.
        source: where it stands: paper and section, or repository and file.
        rtol: how far the measured figure may be from it, relatively: the rounding of the print.
        differs: why the measured figure lies outside rtol; empty where it should not.
    """

    quantity: str
    value: float
    source: str
    rtol: float = 0.0
    differs: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A network of the zoo.

    Attributes:
        name: "alphazero-go".
        description: one line.
        factory: builds the module; called under torch.device("meta") where no weights are needed.
        inputs: builds the example inputs, one sample each.
        axes: what each input's axes mean, one string an input: "image, colour, row, column".
        year: of the paper.
        paper: author, year, title or venue, section.
        published: figures to hold the count against.
    """

    name: str
    description: str
    factory: Callable[[], Any]
    inputs: Callable[[], tuple[Any, ...]]
    axes: tuple[str, ...] = ()
    year: int | None = None
    paper: str = ""
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a model's file says of it without being imported (so without importing torch)."""

    name: str
    description: str
    year: int | None
    paper: str
    module: str


_specs: dict[str, ModelSpec] = {}


def register(
    *,
    inputs: Callable[[], tuple[Any, ...]],
    axes: tuple[str, ...] = (),
    year: int | None = None,
    paper: str = "",
    published: tuple[Published, ...] | list[Published] = (),
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register the decorated factory as a model: its name (hyphens for underscores), its docstring.

    Args:
        inputs: builds the example inputs, a tuple of tensors with one sample each.
        axes: what each input's axes mean, one string an input.
        year: the paper's.
        paper: author, year, title or venue.
        published: what the paper, or code that others use, prints of the model.

    Raises:
        ValueError: the name is taken, or the factory has no docstring.
    """

    def decorate(factory: Callable[[], Any]) -> Callable[[], Any]:
        name = _model_name(factory.__name__)
        if name in _specs:
            raise ValueError(f"model {name!r} is registered twice; rename one of the functions")
        _specs[name] = ModelSpec(
            name=name,
            description=_first_line(factory.__doc__, name),
            factory=factory,
            inputs=inputs,
            axes=axes,
            year=year,
            paper=paper,
            published=tuple(published),
        )
        return factory

    return decorate


def find_model(name: str) -> ModelSpec:
    """The model of that name; imports the one file that defines it.

    Raises:
        UnknownModel: there is none.
        BrokenModel: its file cannot be imported.
    """
    if name not in _specs:
        for listing in find_listings(name):
            _import(listing)
    if name not in _specs:
        known = sorted({*_specs, *(listing.name for listing in list_models())})
        hint = did_you_mean(name, known, otherwise="flopledger profile --list shows the names")
        raise UnknownModel(f"no model is called {name!r}; {hint}")
    return _specs[name]


def find_listings(name: str) -> list[Listing]:
    """What files say of that model: one listing, or none; files without its name are not parsed."""
    definition = f"def {name.replace('-', '_')}("
    files = (*_zoo_files(), *_other_files())
    listings = (
        listing for module, file in files for listing in _listings(module, file, definition)
    )
    return [listing for listing in listings if listing.name == name]


def list_models() -> list[Listing]:
    """Every model in the zoo's files, by file and line; the files are read, not imported.

    Also those of installed packages with an entry point in the group flopledger.models, whose value
    is the module or the package in which they are registered. A file that cannot be read as Python
    is named in a warning, and the rest still work.
    """
    files = [*_zoo_files(), *_other_files()]
    return [listing for module, file in files for listing in _listings(module, file)]


def registered(factory: Any) -> ModelSpec | None:
    """The spec that a factory was registered with, if it was."""
    return next((spec for spec in _specs.values() if spec.factory is factory), None)


def zoo_module(file: Path) -> str | None:
    """The module's name, if the file is one of the zoo's."""
    return next((module for module, own in _zoo_files() if own.resolve() == file), None)


def _import(listing: Listing) -> None:
    try:
        importlib.import_module(listing.module)
    except (Exception, SystemExit) as error:  # the file is anybody's code: it may raise anything
        # what it registered before it failed must not be found the next time
        own = [name for name, spec in _specs.items() if spec.factory.__module__ == listing.module]
        for name in own:
            del _specs[name]
        package, _, stem = listing.module.rpartition(".")
        file = f"models/{stem}.py" if package == _ZOO else listing.module
        line = (str(error).strip().splitlines() or [""])[0]
        raise BrokenModel(
            f"{file} cannot be imported: {type(error).__name__}: {line}; mend or remove it"
        ) from error


def _zoo_files() -> Iterator[tuple[str, Path]]:
    """Each file with the name of its module."""
    check_links()
    yield from _files_of(_ZOO)


def _other_files() -> Iterator[tuple[str, Path]]:
    for entry in _entries(_installed_in()):
        try:
            yield from _files_of(entry.value)
        except ImportError as error:
            warnings.warn(f"the models of {entry.name}: {entry.value}: {error}", stacklevel=2)


@lru_cache(maxsize=8)
def _entries(installed_in: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """The entry points, for which a file of each installed package is read."""
    return tuple(entry_points(group=GROUP))


def _installed_in() -> tuple[tuple[str, int], ...]:
    """The folders of packages, each with the time at which one was last added or removed."""
    folders = [Path(folder).absolute() for folder in sys.path]
    return tuple((str(f), f.stat().st_mtime_ns) for f in folders if f.exists())


def _files_of(zoo: str) -> Iterator[tuple[str, Path]]:
    spec = importlib.util.find_spec(zoo)
    folders = (spec and spec.submodule_search_locations) or ()
    for folder in folders:
        yield from _files_in(zoo, Path(folder))
    if spec and spec.origin and not folders:
        yield zoo, Path(spec.origin)


def _files_in(package: str, folder: Path) -> Iterator[tuple[str, Path]]:
    return ((f"{package}.{file.stem}", file) for file in sorted(folder.glob("[!_]*.py")))


def _listings(module: str, file: Path, having: str = "") -> Iterator[Listing]:
    try:
        text = file.read_text(encoding="utf-8")
        if having not in text:
            return
        tree = ast.parse(text, filename=file.name)
        listings = [
            _listing(node, call, module)
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
            for call in node.decorator_list
            if isinstance(call, ast.Call) and _called_name(call) == "register"
        ]
    except (SyntaxError, ValueError, OSError) as error:  # ValueError: not UTF-8, or no docstring
        warnings.warn(f"{file}: not read as a model file: {error}", stacklevel=2)
        return
    yield from listings


def _listing(node: ast.FunctionDef, call: ast.Call, module: str) -> Listing:
    keywords = {word.arg: word.value for word in call.keywords}
    name = _model_name(node.name)
    return Listing(
        name=name,
        description=_first_line(ast.get_docstring(node), name),
        year=_literal(keywords.get("year")),
        paper=_literal(keywords.get("paper")) or "",
        module=module,
    )


def _called_name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:  # an expression: known once the file is imported
        return None


def _model_name(function: str) -> str:
    return function.replace("_", "-")


def _first_line(docstring: str | None, name: str) -> str:
    if not docstring or not docstring.strip():
        raise ValueError(f"model {name!r} has no docstring; its first line is the description")
    return docstring.strip().splitlines()[0]
