"""A meter in other people's loops and loggers, one line each: laps of work beside the loss."""

import csv as csv_files
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from warnings import warn

from torch import nn

from flopledger.metering.lap import FIGURES, Lap, together
from flopledger.metering.loggers import check_tracker
from flopledger.metering.module_meter import Meter, meter
from flopledger.options import checks_arguments

# a lap, and the step at which it ended
Write = Callable[[Lap, int], None]


class _Training:
    """The meter of a training, one after the other."""

    def __init__(self, model: nn.Module, peak: float | None) -> None:
        meter(model, peak=peak)  # says now what is wrong with them
        self._model, self._peak = model, peak
        self.meter: Meter | None = None
        self._aside: list[Lap] = []
        self.apart = True  # whether what comes now belongs to no step

    def begin(self, trained: nn.Module | None = None) -> None:
        """A training begins, of that network if the other is no part of it."""
        self.end()  # one that was broken off
        model = self._model
        if trained is not None and not any(part is model for part in trained.modules()):
            model = trained
        self.meter, self._aside, self.apart = meter(model, peak=self._peak), [], True
        self.meter.attach()

    def set_aside(self) -> None:
        """An evaluation begins: what was done belongs to the next lap of the training."""
        if self.meter is not None:
            self._aside.append(self.meter.lap())
        self.apart = True

    def evaluated(self) -> dict[str, float]:
        """What is known of the work of all ranks in an evaluation; none out of a training."""
        if self.meter is None or not self.apart:
            return {}
        lap = self.meter.lap().over_ranks()
        return lap.to_dict() if lap.passes else {}

    def lap(self) -> dict[str, float]:
        """What is known of the work of all ranks since the last, without evaluations."""
        if self.meter is None:
            return {}
        self.set_aside()
        parts, self._aside = self._aside, []
        lap = together(parts, sum(part.seconds for part in parts), parts[-1].peak).over_ranks()
        if lap.passes:
            return lap.to_dict()
        warn(
            f"the training has not called the {type(self._model).__name__} that is metered, and "
            "nothing is logged of it; give the callback the network that a step calls",
            stacklevel=2,
        )
        return {}

    def end(self) -> None:
        if self.meter is not None:
            self.meter.detach()
        self.meter = None

    def made_by(self, callback: Callable[..., Any]) -> tuple[Any, ...]:
        """How a copy of a callback is made, also in another process: it meters the copied model."""
        return partial(callback, peak=self._peak), (self._model,)


def transformers(model: nn.Module, *, peak: float | None = None) -> Any:
    """A callback for the Trainer of transformers, which logs laps where that logs.

    With the loss it logs those figures of `Lap.to_dict` (`flops`, `mfu`, `tokens_per_second`, ...)
    that the Trainer has not, with an evaluation's results the same as `eval_flops` and so on, and
    at the end `train_model_flops`, `train_recomputed_flops`, `train_mfu` and `train_hfu` of this
    process from beginning to end, evaluations among it.

    Args:
        model: what the Trainer is given, or a part of it; if it is neither (`model_init`), what the
            Trainer trains is metered.
        peak: as `meter`.

    Raises:
        MeterError: as `meter`.
        ImportError: transformers is not installed.
    """
    base: Any = import_module("transformers").TrainerCallback
    training = _Training(model, peak)

    class Laps(base):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, model: Any = None, **__: Any) -> None:
            training.begin(model)  # another where the Trainer made its own, by model_init

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            training.apart = False

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if control.should_evaluate:
                training.set_aside()

        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            training.set_aside()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            kept = state.log_history[-1]  # other callbacks take things out of the logs
            figures = _beside(kept, training)
            for seen in (logs, kept):
                seen |= {name: value for name, value in figures.items() if name not in seen}

        def on_train_end(self, *_: Any, **__: Any) -> None:
            training.end()

        def __reduce__(self) -> Any:
            return training.made_by(transformers)

    return Laps()


def _beside(logs: dict[str, float], training: _Training) -> dict[str, float]:
    """What belongs beside that which transformers logs."""
    if "loss" in logs:
        return training.lap()
    if "total_flos" in logs and training.meter is not None:  # the training ends
        totals = training.meter.read().totals
        names = ("model_flops", "recomputed_flops", "mfu", "hfu")
        every = {f"train_{name}": getattr(totals, name) for name in names}
        return {name: value for name, value in every.items() if value is not None}
    for name in logs:
        if name.endswith("_runtime"):  # an evaluation's: "eval_", or as the caller has it
            begins = name.removesuffix("runtime")
            return {begins + figure: value for figure, value in training.evaluated().items()}
    return {}


def lightning(model: nn.Module, *, peak: float | None = None) -> Any:
    """A callback for Lightning's Trainer, which logs a lap every `log_every_n_steps` steps.

    Validations are in no lap. Where no step calls the model nothing is logged, and a warning tells.

    Args:
        model: what `training_step` calls: the LightningModule if it calls `self(...)`, or the
            network in it that it calls.
        peak: as `meter`.

    Raises:
        MeterError: as `meter`.
        ImportError: neither lightning nor pytorch_lightning is installed.
    """
    try:
        base: Any = import_module("lightning.pytorch").Callback
    except ImportError:
        base = import_module("pytorch_lightning").Callback  # the same, by its older name
    training = _Training(model, peak)

    class Laps(base):  # type: ignore[misc]
        def on_train_start(self, *_: Any) -> None:
            training.begin()

        def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
            # where and by what number Lightning itself logs, which it tells no other way
            loop = trainer.fit_loop
            accumulates = module.automatic_optimization and loop._should_accumulate()
            if trainer._logger_connector.should_update_logs and not accumulates:
                figures = training.lap()
                for logger in trainer.loggers if figures else ():
                    logger.log_metrics(figures, loop.epoch_loop._batches_that_stepped)

        def on_validation_start(self, *_: Any) -> None:
            training.set_aside()

        def on_validation_end(self, *_: Any) -> None:
            training.evaluated()

        def on_train_end(self, *_: Any) -> None:
            training.end()

        on_exception = on_train_end

        def __reduce__(self) -> Any:
            return training.made_by(lightning)

    return Laps()


def accelerate(accelerator: Any) -> Write:
    """Write laps to the trackers of an `accelerate.Accelerator`.

    Raises:
        WrongTracker: it is none.
    """
    check_tracker(accelerator, "log", "an accelerate.Accelerator")
    return lambda lap, step: accelerator.log(lap.to_dict(), step=step)


def wandb(run: Any) -> Write:
    """Write laps to a run of W&B, as `wandb.init` gives it.

    Raises:
        WrongTracker: it is none.
    """
    check_tracker(run, "log", "what wandb.init gave")
    return lambda lap, step: run.log(lap.to_dict(), step=step)


def tensorboard(writer: Any) -> Write:
    """Write laps with a SummaryWriter's `add_scalar`, as `lap/mfu` and so on.

    Raises:
        WrongTracker: it has none.
    """
    check_tracker(writer, "add_scalar", "a SummaryWriter")

    def write(lap: Lap, step: int) -> None:
        for name, value in lap.to_dict().items():
            writer.add_scalar(f"lap/{name}", value, step)

    return write


def mlflow() -> Write:
    """Write laps as metrics of MLflow's running run.

    Raises:
        ImportError: mlflow is not installed.
    """
    library = import_module("mlflow")
    return lambda lap, step: library.log_metrics(lap.to_dict(), step=step)


@checks_arguments
def csv(path: str | Path) -> Write:
    """Write laps as rows of a CSV file, which is begun anew; what is unknown stays empty.

    Raises:
        WrongOption: the path is none.
        OSError: it cannot be written.
    """
    path = Path(path)
    path.write_text(",".join(("step", *FIGURES)) + "\n", encoding="utf-8")

    def write(lap: Lap, step: int) -> None:
        with path.open("a", encoding="utf-8", newline="") as file:
            known = {"step": step, **lap.to_dict()}
            csv_files.DictWriter(file, ("step", *FIGURES), lineterminator="\n").writerow(known)

    return write
