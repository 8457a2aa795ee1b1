"""What an option may be; what is refused is refused here and on the command line in one line."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from math import isfinite
from pathlib import Path

from flopledger.errors import WrongOption
from flopledger.storage.files import check_writable


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
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongOption(f"--{name} {value!r} is no whole number; give {low} or more")
        if value < low:
            raise WrongOption(f"--{name} {value} is too small; give {low} or more")


def check_above_zero(name: str, value: float | None, what: str) -> None:
    """See that an option is a number above 0, or None.

    Args:
        name: the option's.
        value: its value.
        what: the number that it should be: "learning rate".

    Raises:
        WrongOption: it is not.
    """
    if value is not None and not (isfinite(value) and value > 0):
        raise WrongOption(f"--{name} {value:g} is no {what}; give a number above 0")


def check_file(path: Path | None, resume: bool, name: str) -> None:
    """See that the file that an option names can be written, and is there to be resumed.

    Raises:
        WrongOption: it cannot, or `resume` comes without a file.
    """
    if resume and path is None:
        raise WrongOption(f"--resume goes on with a file; name it with --{name}")
    if path is not None:
        check_writable(path)


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """See that an option has one of its values.

    Raises:
        WrongOption: it has not.
    """
    if value not in choices:
        raise WrongOption(f"--{name} {value!r} is not one of {', '.join(map(str, choices))}")


def parse_percent(text: str) -> float:
    """The fraction that "1%" or "0.01" says.

    >>> parse_percent("1%"), parse_percent("0.01")
    (0.01, 0.01)

    Raises:
        WrongOption: it says none from 0 up, or does not say whether 1 and more are percent.
    """
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
