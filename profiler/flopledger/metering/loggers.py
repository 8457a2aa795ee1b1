"""Where a meter may write after every unit of work: a progress bar, TensorBoard, any callable."""

from collections.abc import Callable, Mapping
from typing import Any

from flopledger.errors import FlopledgerError
from flopledger.options import brief

# the unit's kind, its number from 0, and its figures: a row of Reading.by_unit without the unknown
Log = Callable[[str, int, Mapping[str, float]], None]


class WrongTracker(FlopledgerError, TypeError):
    """What figures shall be written to takes none; the message says what does."""


def check_tracker(tracker: Any, method: str, right: str) -> None:
    """See that figures can be written to it, before a long training rather than in it.

    Raises:
        WrongTracker: it has no such method.
    """
    if not callable(getattr(tracker, method, None)):
        raise WrongTracker(f"{brief(tracker)} has no {method}(); give {right}")


def progress(bar: Any) -> Log:
    """Show a unit's passes and FLOP/s behind a bar that has tqdm's `set_postfix`.

    Raises:
        WrongTracker: it has none.
    """
    check_tracker(bar, "set_postfix", "a bar of tqdm")

    def log(kind: str, number: int, figures: Mapping[str, float]) -> None:
        rate = _rate(figures)
        words = "unknown" if rate is None else f"{rate:.3g}"
        bar.set_postfix(passes=int(figures["passes"]), flops_per_second=words)

    return log


def tensorboard(writer: Any) -> Log:
    """Write every figure of a unit, by its number, with a SummaryWriter's `add_scalar`.

    Raises:
        WrongTracker: it has none.
    """
    check_tracker(writer, "add_scalar", "a SummaryWriter")

    def log(kind: str, number: int, figures: Mapping[str, float]) -> None:
        rate = _rate(figures)
        known = figures if rate is None else {**figures, "flops_per_second": rate}
        for name, value in known.items():
            writer.add_scalar(f"{kind}/{name}", value, number)

    return log


def _rate(figures: Mapping[str, float]) -> float | None:
    """Forward and backward; None where one is unknown or no time passed."""
    if not {"flops", "backward_flops"} <= figures.keys() or not figures["seconds"]:
        return None
    return (figures["flops"] + figures["backward_flops"]) / figures["seconds"]
