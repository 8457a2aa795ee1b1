"""What an expression is told that asks for what there is not."""

from flopledger.errors import FlopledgerError


class NoFigure(FlopledgerError, ValueError):
    """An expression asks for what there is not; the message says what there is."""
