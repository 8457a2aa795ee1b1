"""How far long work has come, and what there is of its result when it is stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flopledger.errors import FlopledgerError


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A step of long work, as its `progress` callback is given it.

    Attributes:
        done: rows, games, trials, rounds or epochs that are finished, earlier ones of a resumed
            file among them.
        total: how many there will be.
        message: what happened last, in one line; "" where the numbers say it all.
    """

    done: int
    total: int
    message: str = ""


OnProgress = Callable[[Progress], None]


def unheard(progress: Progress) -> None:
    """The callback of those who gave none."""


class Unfinished(FlopledgerError):
    """The work could not go on; `result` is what was done before."""

    exit_code = 1

    def __init__(self, line: str, result: Any) -> None:
        super().__init__(line)
        self.result = result


class Interrupted(KeyboardInterrupt):
    """The work was interrupted; `result` is what was done before."""

    def __init__(self, line: str, result: Any) -> None:
        super().__init__(line)
        self.result = result
