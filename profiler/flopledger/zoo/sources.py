"""Where a network may come from: a zoo, a file, a package, timm, transformers, torchvision."""

import ast
import importlib
import importlib.util
import inspect
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from flopledger.zoo.libraries import LIBRARIES, UnfitOptions, WrongSource, in_one_line
from flopledger.zoo.registry import ModelSpec, find_listings, find_model, registered, zoo_module

HINT = "--list shows the zoo; or say FILE.py:FACTORY, PACKAGE.MODULE:FACTORY, timm:NAME, hf:PATH"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A network that somebody named.

    Attributes:
        name: as it was asked for.
        factory: makes the module; what it may raise is anybody's.
        spec: the zoo's, with its example inputs and published figures; None for any other network.
    """

    name: str
    factory: Callable[[], Any]
    spec: ModelSpec | None = None


def find(text: str, options: dict[str, Any] | None = None) -> Found:
    """The network of that name; runs the code of the file or package that it names.

    Args:
        text: a name of the zoo; "path/to/file.py:Factory"; "package.module:factory"; "timm:NAME";
            "torchvision:NAME"; or "hf:PATH" of a transformers configuration or its folder.
        options: what the factory takes by name.

    Raises:
        UnknownModel, BrokenModel: as `find_model`.
        WrongSource: there is no such file, package or factory, or a package is missing.
        UnfitOptions: the factory takes other options.
    """
    options = options or {}
    before, colon, after = text.rpartition(":")
    kind, _, rest = text.partition(":")
    if (file := Path(text.removesuffix(":"))).suffix == ".py":
        raise WrongSource(_choices(file, text))
    if not colon:
        spec = find_model(text)
        return Found(name=text, factory=_called(text, spec.factory, options), spec=spec)
    if kind in LIBRARIES:
        return Found(name=text, factory=LIBRARIES[kind](rest, options))
    if not before:
        raise WrongSource(f"{text} names no file or package; {HINT}")
    if before.endswith(".py"):
        made = _attribute(_from_file(Path(before), text), after, text)
    else:
        made = _attribute(_imported(before, text), after, text)
    return Found(name=text, factory=_called(text, made, options), spec=registered(made))


def check_names(texts: Sequence[str]) -> None:
    """See that the zoo has the networks, and that the files are there, without making any.

    Raises:
        UnknownModel: the zoo has no network of a name without a source.
        WrongSource: there is no such file, or it is named without a factory.
    """
    for text in texts:
        file = Path(text.rpartition(":")[0] or text)
        if file.suffix == ".py":
            if not _is_file(file):
                raise WrongSource(f"there is no file {file}; name one as FILE.py:FACTORY")
            if not text.rpartition(":")[2] or ":" not in text:
                raise WrongSource(_choices(file, text))
        elif ":" not in text and not find_listings(text):
            if _is_file(file):
                raise WrongSource(
                    f"{text} is a file and no Python; name the code that makes the network, "
                    "FILE.py:FACTORY"
                )
            find_model(text)  # raises, and names the nearest


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Read "depth=18", "name=tiny", "bias=false".

    Raises:
        WrongSource: one has no "=".
    """
    read: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise WrongSource(f"--kwargs {text}: say NAME=VALUE, such as depth=18")
        read[key] = _literal(value)
    return read


def call(text: str) -> Any:
    """What the function "FILE.py:function" or "package.module:function" returns.

    Raises:
        WrongSource: there is no such function, or it raises.
    """
    source = find(text)
    try:
        return source.factory()
    except (Exception, SystemExit) as error:
        raise WrongSource(f"{text} raises {in_one_line(error)}") from error


def function(text: str) -> Callable[..., Any]:
    """The function "FILE.py:function" or "package.module:function", to be called with arguments.

    Raises:
        WrongSource: there is no such function.
    """
    before, _, after = text.rpartition(":")
    if not before or not after:
        raise WrongSource(f"{text} names no function; say FILE.py:FUNCTION")
    is_file = before.endswith(".py")
    home = _from_file(Path(before), text) if is_file else _imported(before, text)
    made = _attribute(home, after, text)
    if not callable(made):
        raise WrongSource(f"{text} is a {type(made).__name__}, no function")
    return made  # type: ignore[no-any-return]


@contextmanager
def set_apart(own_thread: bool = False) -> Iterator[None]:
    """In the body a network is made and run for a report: offline, and it prints to stderr.

    Args:
        own_thread: as `offline`.
    """
    with redirect_stdout(sys.stderr), offline(own_thread):
        yield


@contextmanager
def offline(own_thread: bool = False) -> Iterator[None]:
    """In the body, no code connects to anything: a model that wants its weights is refused.

    Args:
        own_thread: refuse the body's own thread alone, in a process whose other threads need the
            network (a Dask worker's).
    """
    import socket

    own = threading.get_ident() if own_thread else None

    def refuse(self: Any, address: Any, *rest: Any) -> Any:
        if own not in (None, threading.get_ident()) or isinstance(address, str | bytes):
            return connect(self, address, *rest)  # another thread's, or a local socket
        raise WrongSource(
            f"it would connect to {address[0]}; nothing is downloaded here, and a count needs no "
            "weights: build it without pretrained ones"
        )

    def refuse_name(host: Any, *rest: Any, **more: Any) -> Any:
        if own not in (None, threading.get_ident()):
            return look_up(host, *rest, **more)
        return refuse(None, (host,))

    connect, look_up = socket.socket.connect, socket.getaddrinfo
    kept = {name: os.environ.get(name) for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")}
    os.environ.update(dict.fromkeys(kept, "1"))
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse_name
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.getaddrinfo = look_up
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _called(text: str, factory: Any, options: dict[str, Any]) -> Callable[[], Any]:
    """The factory with its options, checked before it is called; a module is its own."""
    if not callable(factory):
        raise WrongSource(
            f"{text} is a {type(factory).__name__}, no factory; name a function or class"
        )
    if not inspect.isclass(factory) and hasattr(factory, "forward"):  # a module, made already
        return lambda: factory
    if held := _networks_in(factory):
        raise WrongSource(
            f"{text} is a {type(factory).__name__} that holds networks ({', '.join(held)}), and no "
            "factory; write a function that returns one of them"
        )
    try:
        signature = inspect.signature(factory)
        signature.bind(**options)
    except TypeError as error:
        raise UnfitOptions(f"{text}{signature}: {error}; give --kwargs NAME=VALUE") from error
    except ValueError:  # a builtin, without a signature
        pass
    return partial(factory, **options)


def _networks_in(made: Any) -> list[str]:
    """The names of the networks in a pipeline's object; none in a function or class."""
    if inspect.isclass(made) or inspect.isroutine(made):
        return []
    return [
        name for name, part in getattr(made, "__dict__", {}).items() if hasattr(part, "forward")
    ]


def _attribute(module: ModuleType, name: str, text: str) -> Any:
    if not hasattr(module, name):
        own = ", ".join(_factories(module))
        raise WrongSource(f"{text}: it has no {name!r}; it has {own or 'no factory'}")
    return getattr(module, name)


def _choices(file: Path, text: str) -> str:
    """The factories in a file that was named without one."""
    own = _factories(_from_file(file, text))
    if not own:
        return f"{file} has no factory; write a function in it that returns a torch.nn.Module"
    return f"{file} has {', '.join(own)}; name one, such as {file}:{own[0]}"


def _factories(module: ModuleType) -> list[str]:
    """The names of its own functions, and of its own classes that are networks."""
    return [
        key
        for key, value in vars(module).items()
        if callable(value)
        and getattr(value, "__module__", "") == module.__name__
        and (not inspect.isclass(value) or hasattr(value, "forward"))
    ]


def _from_file(file: Path, text: str) -> ModuleType:
    if not file.is_file():
        raise WrongSource(f"{text}: there is no file {file}")
    file = file.resolve()
    if (zoo := zoo_module(file)) is not None:
        return _imported(zoo, text)
    package = [file.stem]
    root = file.parent
    while (root / "__init__.py").is_file():  # so that its relative imports work
        package.insert(0, root.name)
        root = root.parent
    _reachable(root)
    if len(package) > 1:
        return _imported(".".join(package), text)
    name = f"flopledger_file_{file.stem}"
    loader = _FromSource(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    assert spec is not None and spec.loader is not None  # noqa: PT018  a .py file always has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look it up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # the file is anybody's code: it may raise anything
        del sys.modules[name]
        raise WrongSource(_cannot_import(text, error, str(file))) from error
    return module


class _FromSource(SourceFileLoader):
    """Compiles the file as it is: what Python keeps of one is told by its size and its second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _imported(name: str, text: str) -> ModuleType:
    _reachable(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise WrongSource(f"{text}: no package is called {error.name!r}; {HINT}") from error
        raise WrongSource(_cannot_import(text, error, name)) from error
    except (Exception, SystemExit) as error:  # as a file
        raise WrongSource(_cannot_import(text, error, name)) from error


def _reachable(folder: Path) -> None:
    # last: a profile.py or a random.py of theirs must not hide the standard library's
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _cannot_import(text: str, error: BaseException, where: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    at = f" at {theirs[-1].filename}:{theirs[-1].lineno} ({theirs[-1].line})" if theirs else ""
    return f"{text}: {where} cannot be imported: {in_one_line(error)}{at}"


def _literal(value: str) -> Any:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
