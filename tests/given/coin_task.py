"""A task whose trials take what a formula says: 1,000 samples, and 100 more for each step."""

from flopledger.experiments import estimates, growth
from flopledger.experiments.run_horizon import TASKS
from flopledger.experiments.trials import Arm, Experiment, Row, Trial, row_of

SPREAD = (0.9, 1.0, 1.1)  # a seed's samples, over what the formula says
GRID = ({"rate": 1.0}, {"rate": 2.0})  # the second takes twice as many


def offer(monkeypatch) -> None:
    """Make it a task of flopledger.horizon, and intervals of it quick: few resamples."""
    monkeypatch.setitem(TASKS, "coin", ("coin_task", "experiment"))
    for module in (estimates, growth):
        monkeypatch.setattr(module, "RESAMPLES", 30)


def experiment() -> Experiment:
    """Supervised, and five horizons."""
    arms = [Arm(name="supervised", horizon=None, grid=GRID[:1])]
    arms += [Arm(name=f"h = {h}", horizon=h, grid=GRID) for h in (1, 4, 16, 64, 256)]
    return Experiment(
        task="coin", title="a formula", arms=tuple(arms), target=0.5, budget=100_000,
        libraries=("torch",), run=learn,
    )  # fmt: skip


def learn(trial: Trial) -> Row:
    """1 FLOP of learning for each sample and 2 of making it."""
    wanted = (1000 + 100 * (trial.horizon or 0)) * trial.settings["rate"]
    wanted = round(wanted * SPREAD[trial.seed % 3])
    samples = min(wanted, trial.budget)
    return row_of(
        trial, reached=wanted <= trial.budget, samples=samples, flops_learning=float(samples),
        flops_making=2.0 * samples, score=0.5 * samples / wanted, seconds=1.0,
    )  # fmt: skip
