"""What metering costs: a small MLP's calls, and AlphaZero's tower, beside FlopCounterMode."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import time
from collections.abc import Callable
from statistics import median

import flopledger
import torch
from flopledger.models.alphazero import AlphaZero
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

RUNS = 5


def main() -> None:
    """Print microseconds a call, and the share that each tool adds."""
    mlp = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    policy = nn.Sequential(nn.Conv2d(64, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(722, 362))
    tower = AlphaZero(17, 19 * 19, policy, blocks=4, filters=64)
    print("loop | bare, us a call | meter adds | FlopCounterMode adds")
    print(":-- | --: | --: | --:")
    _line("2,000 calls of an MLP", mlp, torch.rand(8, 64), 2000)
    _line("AlphaZero Go, 4 x 64, batch 8", tower.eval(), torch.rand(8, 17, 19, 19), 400)


def _line(name: str, net: nn.Module, x: torch.Tensor, calls: int) -> None:
    def loop() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            net(x)
        return (time.perf_counter() - start) / calls * 1e6

    def metered() -> float:
        with flopledger.meter(net):
            return loop()

    def peer() -> float:
        with FlopCounterMode(display=False):
            return loop()

    with torch.no_grad():
        loop()
        bare, ours, theirs = _medians(loop, metered, peer)
    print(f"{name} | {bare:.1f} | {_added(ours, bare)} | {_added(theirs, bare)}")


def _medians(*jobs: Callable[[], float]) -> list[float]:
    """Of runs that take turns, so that what else the machine does meets all of them."""
    runs = [[job() for job in jobs] for _ in range(RUNS)]
    return [median(times) for times in zip(*runs, strict=True)]


def _added(taken: float, bare: float) -> str:
    return f"{taken - bare:+.1f} us ({taken / bare - 1:+.1%})"


if __name__ == "__main__":
    main()
