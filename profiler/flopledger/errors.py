"""The one class that every error of this library is."""

from typing import ClassVar, Self


class FlopledgerError(Exception):
    """Something that was asked for cannot be had; the message says what to change, in one line.

    Attributes:
        exit_code: the command line's: 2, the call was wrong; 1, the work that it asked for failed.
    """

    exit_code: ClassVar[int] = 2

    def at(self, place: str) -> Self:
        """The same error, with the file and key that led to it before its message."""
        return type(self)(f"{place} {self}")


class WrongOption(FlopledgerError, ValueError):
    """An option has a value that means nothing; the message says which values do."""
