"""Figures of the experiments on the horizon, for expressions of claims."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from flopledger.experiments.estimates import Figure, figure_of, spent_of
from flopledger.experiments.growth import LINE, POWER, at
from flopledger.experiments.horizon_result import Horizon
from flopledger.experiments.measured import measured
from flopledger.ledger.quantity import Kind
from flopledger.statements.no_figure import NoFigure
from flopledger.statements.trend_figures import End

EXPERIMENT_FUNCTIONS = ("experiment", "spent", "growth", "exponent")


@dataclass(frozen=True)
class ExperimentFigures:
    """What expressions may ask of facts/measured/horizon.csv.

    Attributes:
        rests: told of everything that an answer rests on.
    """

    rests: Callable[[Kind, str], None]

    def experiment(self, task: str, arm: str, figure: Figure) -> float:
        """What an arm took to the target: samples, flops or flops_learning."""
        result = self._with_arm(task, arm, figure)
        value = figure_of(result.rows, arm, figure)
        if value is None:
            raise NoFigure(f"no trial of {arm} reached {result.target:g}; spent() bounds it")
        return value

    def spent(self, task: str, arm: str, figure: Figure) -> float:
        """What an arm's trials had spent at their ends: a lower bound of what `experiment` has."""
        return spent_of(self._with_arm(task, arm, figure).rows, arm, figure)

    def growth(self, task: str, form: str, horizon: float) -> float:
        """All FLOP at a horizon over those at 1, by a form fitted to them: "a + b h", "c h^d"."""
        if form not in (LINE, POWER):
            raise NoFigure(f"there is no form {form!r}; say {LINE} or {POWER}")
        rows = self._result(task).rows
        return at(rows, "flops", form, horizon) / at(rows, "flops", form, 1.0)

    def exponent(self, task: str, end: End = "value") -> float:
        """The d of c h^d, orders of samples for an order of h; "low", "high": of its interval."""
        growth = self._result(task).growth
        if growth is None:
            raise NoFigure(f"{task} has too few horizons for an exponent")
        ends: dict[str, float] = vars(growth.power.parameters["d"])
        if end not in ends:
            raise NoFigure(f"an exponent has no {end!r}; say {', '.join(ends)}")
        return ends[end]

    def _with_arm(self, task: str, arm: str, figure: Figure) -> Horizon:
        if figure not in get_args(Figure):
            raise NoFigure(f"an arm has no {figure!r}; say {', '.join(get_args(Figure))}")
        result = self._result(task)
        if arm not in result.arms:
            raise NoFigure(f"{task} has no arm {arm!r}; it has {', '.join(result.arms)}")
        return result

    def _result(self, task: str) -> Horizon:
        self.rests("measured", f"flopledger horizon {task}")
        return measured(task)
