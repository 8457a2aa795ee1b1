"""What an option may be; what is refused is refused here and on the command line in one line."""

import inspect
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from math import isfinite
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from flopledger.errors import WrongOption
from flopledger.storage.files import check_writable

F = TypeVar("F", bound=Callable[..., Any])

Picture = Literal["svg", "png", "html"]  # what a chart is drawn as; "html" is a page

# what an option's annotation takes, in words; a number that is not whole, or not above 0, is
# refused by its own check
_WORDS: dict[Any, str] = {
    int: "whole number", float: "number", str: "text", Path: "path", PathLike: "path",
    Literal: "name", bool: "True or False",
}  # fmt: skip
_TAKES: dict[Any, type | tuple[type, ...]] = {
    int: Real, float: Real, str: str, Path: PathLike, PathLike: PathLike, Literal: str, bool: Real,
    type(None): type(None),
}  # fmt: skip


def checks_arguments(verb: F) -> F:
    """A public function whose arguments are held to their annotations, where these are simple.

    What is given as a number, a text, a path, a choice or a function and is of another type raises
    WrongOption, which names the option: Python's own complaint would come from somewhere inside.
    What has an `optimiser` takes it as `optimizer`, too, as torch spells it.
    """
    signature = inspect.signature(verb)

    @wraps(verb)
    def called(*args: Any, **kwargs: Any) -> Any:
        if "optimizer" in kwargs and "optimiser" in signature.parameters:
            if "optimiser" in kwargs:
                raise WrongOption("optimiser and optimizer are one option; give it once")
            kwargs["optimiser"] = kwargs.pop("optimizer")
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            _check_type(name, value, signature.parameters[name].annotation)
        return verb(*args, **kwargs)

    return called  # type: ignore[return-value]


def _check_type(name: str, value: object, annotation: Any) -> None:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    kinds = tuple(get_origin(kind) or kind for kind in kinds)
    if Callable in map(_as_callable, kinds):
        if not (callable(value) or (value is None and type(None) in kinds)):
            raise WrongOption(f"--{name} {brief(value)} is no function; give one, or leave it out")
        return
    simple = all(kind in _TAKES for kind in kinds)
    if simple and not any(_takes(kind, value) for kind in kinds):
        words = " or ".join(dict.fromkeys(_WORDS[kind] for kind in kinds if kind in _WORDS))
        raise WrongOption(f"--{name} {brief(value)} is no {words}; give one")


def _takes(kind: Any, value: object) -> bool:
    numpys = kind is bool and type(value).__name__ == "bool_"
    return numpys or isinstance(value, _TAKES[kind])


def _as_callable(kind: Any) -> Any:
    return Callable if inspect.isclass(kind) and kind.__name__ == "Callable" else kind


def brief(value: object) -> str:
    """The value in a line that is not long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # anybody's __repr__ may raise anything
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}..."


def check_seconds(name: str, value: float | None) -> None:
    """See that an option is a number of seconds that a clock can wait, or None.

    Raises:
        WrongOption: it is not.
    """
    if value is None:
        return
    if not value > 0:
        raise WrongOption(f"--{name} {value:g} is too small; give seconds above 0")
    if value > threading.TIMEOUT_MAX:
        raise WrongOption(f"--{name} {value:g} is too long to wait; leave it out for no limit")


def check_least(least: Mapping[str, tuple[int | None, int]]) -> None:
    """See that options are whole numbers, none below its least; None is left out.

    Args:
        least: by the option's name, its value and the least that it may be.

    Raises:
        WrongOption: one is not.
    """
    for name, (value, low) in least.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | Integral):
            raise WrongOption(f"--{name} {brief(value)} is no whole number; give {low} or more")
        if value < low:
            raise WrongOption(f"--{name} {value} is too small; give {low} or more")
        if value > sys.maxsize:
            raise WrongOption(f"--{name} {value} is beyond 64 bits; give at most {sys.maxsize}")


def check_above_zero(name: str, value: float | None, what: str) -> None:
    """See that an option is a number above 0, or None.

    Args:
        name: the option's.
        value: its value.
        what: the number that it should be: "learning rate".

    Raises:
        WrongOption: it is not.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, float | Real):
        raise WrongOption(f"--{name} {brief(value)} is no {what}; give a number above 0")
    if not (isfinite(value) and value > 0):
        raise WrongOption(f"--{name} {value:g} is no {what}; give a number above 0")


def check_file(path: Path | None, resume: bool, name: str) -> None:
    """See that the file that an option names can be written, and is there to be resumed.

    Raises:
        WrongOption: it cannot, or `resume` comes without a file.
    """
    if resume and path is None:
        raise WrongOption(f"--resume goes on with a file; name it with --{name}")
    if path is not None:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise WrongOption(f"{path} is no plain file, and --{name} is read again; name one")
        check_writable(path)


def check_choice(
    name: str, value: object, choices: Sequence[object], *, positional: bool = False
) -> None:
    """See that an option, or a positional argument, has one of its values.

    Raises:
        WrongOption: it has not.
    """
    if not isinstance(value, str) or value not in choices:
        word = name if positional else f"--{name}"
        raise WrongOption(f"{word} {brief(value)} is not one of {', '.join(map(str, choices))}")


def parse_percent(text: str) -> float:
    """The fraction that "1%" or "0.01" says.

    >>> parse_percent("1%"), parse_percent("0.01")
    (0.01, 0.01)

    Raises:
        WrongOption: it says none from 0 up, or does not say whether 1 and more are percent.
    """
    from decimal import Decimal, InvalidOperation  # a count does without, and half a MiB

    number = text.strip()
    try:
        value = Decimal(number.removesuffix("%").strip())
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise WrongOption(f"{text!r} is no share; say 1% or 0.01")
    if number.endswith("%"):
        return float(value / 100)
    if value >= 1:
        raise WrongOption(
            f"{text!r} may be a fraction or percent; say {value:f}% or {100 * value:f}%"
        )
    return float(value)
