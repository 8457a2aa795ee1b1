"""The one class that every error of this library is."""


class FlopledgerError(Exception):
    """Something that was asked for cannot be had; the message says what to change, in one line."""


class WrongOption(FlopledgerError, ValueError):
    """An option has a value that means nothing; the message says which values do."""
