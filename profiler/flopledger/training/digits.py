"""A small AlexNet on handwritten digits, trained from beginning to end, metered."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from flopledger.errors import FlopledgerError
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.run_file import facts_of
from flopledger.metering.module_meter import meter
from flopledger.training import checkpoints
from flopledger.zoo.registry import find_model

MODEL = "alexnet-digits"
TESTED = 360  # of the 1,797 images: a fifth
MOMENTUM, DECAY = 0.9, 5e-4  # AlexNet's


class MissingDigits(FlopledgerError, ImportError):
    """scikit-learn is not installed; the message says how to install it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training.

    Attributes:
        epochs: passes over the images.
        batch: images in a step; an epoch's last step has what is left.
        rate: SGD's learning rate.
        seed: of weights, the split into training and test, and the order of images.
    """

    epochs: int = 40
    batch: int = 64
    rate: float = 0.01
    seed: int = 0


@dataclass(kw_only=True)
class Totals:
    """What was done so far, as metered.

    Attributes:
        epochs: done.
        steps: of gradient descent.
        samples: trained on, each as often as it was seen.
        forward_flops: of the steps.
        backward_flops: of the steps.
        seconds: of the epochs' steps.
    """

    epochs: int = 0
    steps: int = 0
    samples: int = 0
    forward_flops: float = 0
    backward_flops: float = 0
    seconds: float = 0


@dataclass(frozen=True)
class Digits:
    """scikit-learn's digits: images [image, 1, 8, 8] in 0 to 1, and labels [image]."""

    trained: tuple[Tensor, Tensor] = field(repr=False)
    tested: tuple[Tensor, Tensor] = field(repr=False)


def read_digits(seed: int) -> Digits:
    """The 1,797 images, split at random into those for training and `TESTED` for the test.

    Raises:
        MissingDigits: scikit-learn, which ships them, is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingDigits(
            "the digits come with scikit-learn; pip install 'flopledger[digits]'"
        ) from error
    data: Any = load_digits()
    images = torch.from_numpy(data.images).float().unsqueeze(1) / 16
    labels = torch.from_numpy(data.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    tested, trained = order[:TESTED], order[TESTED:]
    return Digits((images[trained], labels[trained]), (images[tested], labels[tested]))


def before(plan: Plan, digits: Digits) -> dict[str, Quantity]:
    """What a training that has not begun will take, as the facts of a run: counts, all of them."""
    shipped = "scikit-learn's digits, less those of the test"
    return {
        **facts_of({"images": len(digits.trained[0])}, "cited", shipped),
        **facts_of({"epochs": plan.epochs}, "cited", "the plan of the training"),
    }


def after(totals: Totals) -> dict[str, Quantity]:
    """What a training took, as the facts of a run."""
    metered = {"images": totals.samples / totals.epochs, "epochs": totals.epochs}
    return facts_of(metered, "measured", "metered while it ran")


class Trainer:
    """A network in training. An epoch is the same whether or not it was stopped before it."""

    def __init__(self, plan: Plan, digits: Digits) -> None:
        self.plan, self.digits, self.totals = plan, digits, Totals()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            self.network = _with_weights(find_model(MODEL).factory())
        self._optimiser = torch.optim.SGD(
            self.network.parameters(), lr=plan.rate, momentum=MOMENTUM, weight_decay=DECAY
        )

    def epoch(self) -> float:
        """Train on every image once; the mean loss."""
        plan, totals = self.plan, self.totals
        images, labels = self.digits.trained
        self.network.train()
        loss = 0.0
        # dropout draws from torch's own generator
        with torch.random.fork_rng(devices=[]), meter({"network": self.network}) as metered:
            torch.manual_seed(plan.seed * 1_000_003 + totals.epochs)
            for drawn in torch.randperm(len(images)).split(plan.batch):  # type: ignore[no-untyped-call]
                loss += len(drawn) * self._step(images[drawn], labels[drawn])
        self.network.eval()
        counted = metered.read().totals
        totals.epochs += 1
        totals.steps += counted.passes
        totals.samples += counted.samples
        totals.forward_flops += counted.known("flops")
        totals.backward_flops += counted.known("backward_flops")
        totals.seconds += counted.seconds
        return loss / len(images)

    def _step(self, images: Tensor, labels: Tensor) -> float:
        loss = cross_entropy(self.network(images), labels)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return loss.item()

    def accuracy(self) -> float:
        """The share of the test's images that it names rightly."""
        images, labels = self.digits.tested
        with torch.no_grad():
            right: Tensor = self.network(images).argmax(1) == labels
        return right.float().mean().item()

    def save(self, path: Path) -> None:
        """Write all that the next epoch needs, whole or not at all."""
        checkpoints.save(path, self.plan, self.totals, self.network, self._optimiser)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            BadCheckpoint: it is none, or one of another plan.
        """
        totals, _ = checkpoints.load(path, self.plan, self.network, self._optimiser)
        self.totals = checkpoints.totals_of(path, Totals, totals)


def _with_weights(network: nn.Module) -> nn.Module:
    """He et al. 2015's weights: AlexNet's own, of 0.01 everywhere, do not learn in so few steps."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return network
