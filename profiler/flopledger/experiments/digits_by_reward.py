"""Digits learned from their labels, or from rewards that several images share: `digits`."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from flopledger.experiments.trials import Arm, Experiment, Row, Settings, Trial, row_of
from flopledger.metering.module_meter import meter
from flopledger.metering.reading import Reading
from flopledger.training.digits import Digits, read_digits

HORIZONS = (1, 2, 4, 8, 16, 32, 64, 128)
RATES = (3e-3, 1e-2, 3e-2)  # Adam's, of labels and of rewards that few images share
BONUSES = (0.1, 0.3)  # for the answers' entropy: a digit that is never tried never pays
# more noise is learned from at a lower rate, and a high bonus drowns what little is learned
NOISY = 16  # images that share a reward
NOISY_RATES, NOISY_BONUSES = (1e-3, 3e-3, 1e-2), (0.1,)
BATCH = 128  # images of a step: whole episodes of any of the horizons
HIDDEN = 64
REMEMBERED = 0.95  # of the mean reward, which is the baseline, from step to step
BETWEEN = 1.05  # tests stand so many times as many samples apart: an answer is 5% too high at most
FIRST = 256  # samples before the first test
TARGET = 0.9
BUDGET = 1_000_000
SUPERVISED = "supervised"


def experiment() -> Experiment:
    """The task's arms: supervised, and a reward shared by h images for each of the horizons.

    Raises:
        MissingDigits: scikit-learn, which ships the images, is not installed.
    """
    read_digits(0)
    by_label = tuple({"rate": rate} for rate in RATES)
    arms = [Arm(name=SUPERVISED, horizon=None, grid=by_label)]
    arms += [Arm(name=f"h = {h}", horizon=h, grid=_by_reward(h)) for h in HORIZONS]
    return Experiment(
        task="digits",
        title=f"scikit-learn's digits, a network of 64, {HIDDEN} and 10 units",
        arms=tuple(arms),
        target=TARGET,
        budget=BUDGET,
        libraries=("torch", "scikit-learn"),
        run=learn,
    )


def _by_reward(horizon: int) -> tuple[Settings, ...]:
    noisy = horizon >= NOISY
    rates, bonuses = (NOISY_RATES, NOISY_BONUSES) if noisy else (RATES, BONUSES)
    return tuple({"rate": rate, "bonus": bonus} for rate in rates for bonus in bonuses)


def learn(trial: Trial) -> Row:
    """Train until two tests in a row reach the target, or the budget is spent."""
    start = time.perf_counter()
    digits, drawn = read_digits(trial.seed), torch.Generator().manual_seed(trial.seed)
    images, labels = digits.trained[0].flatten(1), digits.trained[1]
    network = _network(trial.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=trial.settings["rate"], fused=True)
    loss_of: Callable[[nn.Module, Tensor, Tensor], Tensor] = _by_label
    if trial.horizon is not None:
        loss_of = _ByReward(int(trial.horizon), trial.settings["bonus"], drawn)
    samples, next_test, passed, score = 0, float(FIRST), 0, 0.0
    with meter({"network": network}, peak=1.0) as metered:  # nobody asks for a share of the peak
        while passed < 2 and samples < trial.budget:
            batch = torch.randint(len(images), (BATCH,), generator=drawn)
            loss = loss_of(network, images[batch], labels[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            samples += BATCH
            if samples >= min(next_test, trial.budget):
                next_test = samples * BETWEEN
                score = _accuracy(network, digits)
                passed = passed + 1 if score >= trial.target else 0
    learning, making = _flops(metered.read())
    return row_of(
        trial,
        reached=passed == 2,
        samples=samples,
        flops_learning=learning,
        flops_making=making,
        score=score,
        seconds=time.perf_counter() - start,
    )


def _by_label(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The differentiable objective: cross-entropy of each image's label."""
    return cross_entropy(network(images), labels)


class _ByReward:
    """REINFORCE (Williams 1992): an answer is drawn, and episodes of images share their rewards.

    An episode's reward is how many of its images were answered rightly, less the baseline: what
    answers have earned lately. In expectation that is the same gradient for every horizon; only its
    noise grows.
    """

    def __init__(self, horizon: int, bonus: float, drawn: torch.Generator) -> None:
        self._horizon, self._bonus, self._drawn = horizon, bonus, drawn
        self._baseline = 0.1  # what a guess at one of ten digits earns

    def __call__(self, network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():  # the pass that makes what is learned from
            chances = network(images).softmax(1)
        answers = torch.multinomial(chances, 1, generator=self._drawn)
        right = (answers.squeeze(1) == labels).float().view(-1, self._horizon)
        advantage = (right - self._baseline).sum(1).repeat_interleave(self._horizon)
        self._baseline += (1 - REMEMBERED) * (right.mean().item() - self._baseline)
        logs = network(images).log_softmax(1)
        own = logs.gather(1, answers).squeeze(1)
        entropy = -(logs.exp() * logs).sum(1)
        gain: Tensor = (advantage * own + self._bonus * entropy).mean()
        return -gain


def _network(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))


def _accuracy(network: nn.Module, digits: Digits) -> float:
    """The share of the test's images whose most likely answer is right."""
    images, labels = digits.tested
    network.eval()  # by which the meter's reading tells these passes apart
    with torch.no_grad():
        right = int((network(images.flatten(1)).argmax(1) == labels).sum())
    network.train()
    return right / len(labels)  # 324 of 360 is 0.9, which float32 has no number for


def _flops(reading: Reading) -> tuple[float, float]:
    """Of the passes that were learned from, forward and backward, and of those that drew answers.

    Raises:
        UnknownFigure: some could not be counted.
    """
    reading.totals.known("model_flops")
    learning = making = 0.0
    for row in reading.rows.values():
        assert row.macs is not None
        assert row.backward_macs is not None
        if row.grad:
            learning += 2 * (row.macs + row.backward_macs)
        elif row.training:
            making += 2 * row.macs
    return learning, making
