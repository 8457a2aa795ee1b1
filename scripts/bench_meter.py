"""What metering costs, in CPU time: small and large networks, beside FlopCounterMode."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import time
from collections.abc import Callable
from statistics import median

import flopledger
import psutil
import torch
from flopledger.models.alphazero import AlphaZero
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

RUNS = 5


def main() -> None:
    """Print microseconds a call, the share that each tool adds, and what a long loop holds."""
    torch.set_num_threads(1)
    mlp = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    policy = nn.Sequential(nn.Conv2d(64, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(722, 362))
    tower = AlphaZero(17, 19 * 19, policy, blocks=4, filters=64)
    batch, boards = torch.rand(8, 64), torch.rand(8, 17, 19, 19)
    print("loop | bare, us a call | meter adds | FlopCounterMode adds")
    print(":-- | --: | --: | --:")
    _line("2,000 calls of an MLP", mlp, _forward(mlp, batch), 2000)
    _line("2,000 training steps of it", mlp, _step(mlp, batch), 2000)
    _line("AlphaZero Go, 4 x 64, batch 8", tower.eval(), _forward(tower, boards), 100)
    _line("training steps of it", tower.train(), _step(tower, boards), 50)
    varying = Varying()
    _line("500 calls of a varying network", varying, _forward(varying, batch), 500)
    _line("3,000 steps of 1,500 lengths", *_lengths(), 3000)
    print(f"30,000 steps of 1,500 lengths hold {_growth():.1f} MiB more than 6,000 do")


class Varying(nn.Module):
    """One layer or two, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.calls = nn.Linear(64, 64), 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of [batch, 64]."""
        self.calls += 1
        y = self.layer(x)
        return self.layer(y) if self.calls % 2 else y


Work = Callable[[int], object]


def _forward(net: nn.Module, x: torch.Tensor) -> Work:
    return torch.no_grad()(lambda _: net(x))


def _step(net: nn.Module, x: torch.Tensor) -> Work:
    def step(_: int) -> None:
        out = net(x)
        parts = out if isinstance(out, tuple) else (out,)
        sum(part.sum() for part in parts).backward()

    return step


def _lengths() -> tuple[nn.Module, Work]:
    """A layer of a transformer, at 1,500 lengths in turn."""
    net = nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True)
    return net, lambda step: net(torch.zeros(1, 1 + step % 1500, 64)).sum().backward()


def _growth() -> float:
    net, process = nn.Linear(16, 16), psutil.Process()
    held = []
    with flopledger.meter(net) as m:
        for step in range(30_000):
            with m.unit("step"):
                net(torch.zeros(1, 1 + step % 1500, 16)).sum().backward()
            if step in (5_999, 29_999):
                held.append(process.memory_info().rss / 2**20)
    return held[1] - held[0]


def _line(name: str, net: nn.Module, work: Work, calls: int) -> None:
    def loop() -> float:
        start = time.process_time()
        for call in range(calls):
            work(call)
        return (time.process_time() - start) / calls * 1e6

    def metered() -> float:
        with flopledger.meter(net):
            return loop()

    def peer() -> float:
        with FlopCounterMode(display=False):
            return loop()

    loop()
    bare, ours, theirs = _medians(loop, metered, peer)
    print(f"{name} | {bare:.1f} | {_added(ours, bare)} | {_added(theirs, bare)}", flush=True)


def _medians(*jobs: Callable[[], float]) -> list[float]:
    """Of runs that take turns, so that what else the machine does meets all of them."""
    runs = [[job() for job in jobs] for _ in range(RUNS)]
    return [median(times) for times in zip(*runs, strict=True)]


def _added(taken: float, bare: float) -> str:
    return f"{taken - bare:+.1f} us ({taken / bare - 1:+.1%})"


if __name__ == "__main__":
    main()
