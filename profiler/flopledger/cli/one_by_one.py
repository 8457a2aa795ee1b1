"""Every model of a command, one after the other, and what is said of those that fail."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from flopledger.cli.console import INTERRUPTED, NOT_PROFILED, complain, say, with_progress
from flopledger.cli.timeout import TimedOut
from flopledger.zoo.registry import BrokenModel

if TYPE_CHECKING:
    from flopledger.profiles.tables import Profile

Made = TypeVar("Made")


def each_model(
    models: Sequence[str], count: Callable[[str], Made], debug: bool
) -> tuple[list[Made], int]:
    """What was made of each model that could be counted; the exit code of what could not.

    Args:
        models: their names.
        count: makes it of a name.
        debug: whether an error is shown whole.
    """
    from flopledger.profiles.tables import ProfilingError

    made: list[Made] = []
    code = 0
    for name in with_progress(models):
        try:
            made.append(count(name))
        except (ProfilingError, BrokenModel) as error:
            complain(error, debug)
            code = NOT_PROFILED
        except TimedOut as error:
            say(str(error))
            code = NOT_PROFILED
        except KeyboardInterrupt:
            say(f"interrupted at {name}{'; what was counted before it follows' * bool(made)}")
            code = INTERRUPTED
            break
    return made, code


def doubts(profile: "Profile") -> list[str]:
    """A line for each operator without a formula, and for a disagreement."""
    lines = [
        f"{profile.model}: {row.operator} is not counted ({row.calls} calls); totals are lower "
        "bounds"
        for row in profile.unsupported().itertuples()
    ]
    if profile.check.agrees is False:
        lines.append(
            f"{profile.model}: {profile.counter} counts {profile.total('macs'):,} MACs, "
            f"{profile.check.counter} {profile.check.macs:,}: {profile.check.reason}"
        )
    check, backward = profile.backward_check, profile.backward
    if check is not None and backward is not None and check.agrees is False:
        lines.append(
            f"{profile.model}: the backward pass has {backward.macs:,} MACs, of which "
            f"{check.counter}'s graph shows {check.macs:,}: {check.reason}"
        )
    return lines
