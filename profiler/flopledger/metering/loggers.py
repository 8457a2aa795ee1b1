"""Where a meter may write after every unit of work: a progress bar, TensorBoard, any callable."""

from collections.abc import Callable, Mapping
from typing import Any

# the unit's kind, its number from 0, and its figures (one row of Reading.by_unit)
Log = Callable[[str, int, Mapping[str, float]], None]


def progress(bar: Any) -> Log:
    """Show a unit's passes and FLOP/s behind a bar that has tqdm's `set_postfix`."""

    def log(kind: str, number: int, figures: Mapping[str, float]) -> None:
        bar.set_postfix(passes=int(figures["passes"]), flops_per_second=f"{_rate(figures):.3g}")

    return log


def tensorboard(writer: Any) -> Log:
    """Write every figure of a unit, by its number, with a SummaryWriter's `add_scalar`."""

    def log(kind: str, number: int, figures: Mapping[str, float]) -> None:
        for name, value in {**figures, "flops_per_second": _rate(figures)}.items():
            writer.add_scalar(f"{kind}/{name}", value, number)

    return log


def _rate(figures: Mapping[str, float]) -> float:
    flops = figures["flops"] + (figures["backward_flops"] or 0)
    return flops / figures["seconds"] if figures["seconds"] else 0.0
