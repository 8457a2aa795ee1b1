"""What metering costs, in CPU time: small and large networks, beside FlopCounterMode."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import time
from collections.abc import Callable
from contextlib import nullcontext
from operator import sub
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import flopledger
import psutil
import torch
from flopledger.models.alphazero import AlphaZero
from flopledger.zoo.libraries import imported
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

RUNS, PARTS = 7, 40  # of each job; of a loop
TURNS, STEPS = 200, 1000  # bare and metered ones each, of a tower and in a Trainer
FIRST = 300  # of the Trainer's, all metered: after 256 passes that are alike less is asked of one


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
    _turns("a call of AlphaZero Go, 4 x 64, batch 8", tower.eval(), _forward(tower, boards))
    _turns("a training step of it", tower.train(), _step(tower, boards))
    varying = Varying()
    _line("500 calls of a varying network", varying, _forward(varying, batch), 500)
    _lengths()
    imported("torchvision", "torchvision")  # which both Trainers import
    _transformers()
    _lightning()
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


def _lengths() -> None:
    """Training steps of a layer of a transformer, each at a length of its own."""
    net = nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True)
    bare, ours = _loops(net, lambda step: net(torch.zeros(1, 1 + step, 64)).sum().backward(), 1500)
    taken = [seconds / 1500 * 1e6 for seconds in _least(bare, ours, runs=2)]
    print(f"1,500 lengths of a transformer's layer | {taken[0]:.0f} | {_added(*taken[::-1])} |")


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


def _transformers() -> None:
    """A GPT-2 of 2 layers in the Trainer of transformers, without its callback and with it."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    config = transformers.GPT2Config(
        vocab_size=500, n_positions=64, n_embd=64, n_layer=2, n_head=2, bos_token_id=0,
        eos_token_id=0,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config)
    ids = torch.arange(8 * 32).reshape(8, 32) % 500
    texts = [{"input_ids": row, "labels": row} for row in ids] * 100  # steps an epoch
    ours = flopledger.callbacks.transformers(model, peak=1e12)
    steps = Steps(model)

    class Clock(transformers.TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            trainer.callback_handler.callbacks = [*(every if steps.next() else without)]

    with TemporaryDirectory() as folder:
        options = transformers.TrainingArguments(
            output_dir=folder, max_steps=FIRST + 2 * STEPS + 1, logging_steps=50, use_cpu=True,
            per_device_train_batch_size=8, save_strategy="no", report_to="none",
            disable_tqdm=True,
        )  # fmt: skip
        trainer = transformers.Trainer(
            model=model, args=options, train_dataset=texts, callbacks=[ours, Clock()]
        )
        trainer.remove_callback(transformers.PrinterCallback)
        every = trainer.callback_handler.callbacks
        without = [callback for callback in every if callback is not ours]
        trainer.train()
    steps.print("a step of a GPT-2 of 2 layers in transformers")


def _lightning() -> None:
    """Two layers of a transformer in Lightning's Trainer, likewise."""
    import logging

    import pytorch_lightning

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    class Module(pytorch_lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(128, 4, 256, batch_first=True)
            self.network = nn.TransformerEncoder(layer, 2)

        def training_step(self, batch: torch.Tensor, _: int) -> torch.Tensor:
            return self.network(batch).square().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    class Clock(pytorch_lightning.Callback):  # type: ignore[misc]
        def on_train_batch_start(self, *_: Any) -> None:
            trainer.callbacks = [*(every if steps.next() else without)]

    module = Module()
    steps = Steps(module.network)
    ours = flopledger.callbacks.lightning(module.network, peak=1e12)
    rows = torch.rand(8 * (FIRST + 2 * STEPS + 1), 32, 128)
    trainer = pytorch_lightning.Trainer(
        max_epochs=1, log_every_n_steps=50, accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=[ours, Clock()],
    )  # fmt: skip
    every = trainer.callbacks
    without = [callback for callback in every if callback is not ours]
    trainer.fit(module, torch.utils.data.DataLoader(rows, batch_size=8))
    steps.print("a step of two layers of width 128 in Lightning")


def _turns(name: str, net: nn.Module, work: Work) -> None:
    """Of calls that take turns, few of which are watched, the medians."""
    seconds: dict[str, list[float]] = {"bare": [], "ours": [], "theirs": []}
    with flopledger.meter(net):
        for call in range(40):
            work(call)
        hung = Hung(net)
        for call in range(3 * TURNS):
            kind = list(seconds)[(call + call // 3) % 3]  # each follows each other as often
            hung.hang(kind == "ours")
            with FlopCounterMode(display=False) if kind == "theirs" else nullcontext():
                seconds[kind].append(_seconds(lambda call=call: work(call)))
    bare, *others = (median(taken) * 1e6 for taken in seconds.values())
    print(f"{name} | {bare:.0f} | {' | '.join(_added(o, bare) for o in others)}", flush=True)


class Hung:
    """The hooks that a meter has hung on a network, which are taken off and hung on again."""

    def __init__(self, network: nn.Module) -> None:
        self._hooks = network._forward_pre_hooks, network._forward_hooks
        self._hung = [dict(hooks) for hooks in self._hooks]

    def hang(self, on: bool) -> None:
        """On, or off."""
        for hooks, hung in zip(self._hooks, self._hung, strict=True):
            hooks.clear()
            hooks.update(hung if on else {})


class Steps:
    """Steps of one training, of which every second one is bare once the first are done.

    Both have what the machine does at that time: two trainings differ by more than a meter adds.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._hung: Hung | None = None
        self._seconds: list[float] = []
        self._begin = 0.0

    def next(self) -> bool:
        """A step begins; returns whether it is metered."""
        self._seconds.append(time.process_time() - self._begin)
        number = len(self._seconds)  # of this step, from 1
        metered = number <= FIRST or number % 2 == 0
        if number == FIRST:
            self._hung = Hung(self._network)
        if self._hung is not None:
            self._hung.hang(metered)
        self._begin = time.process_time()
        return metered

    def print(self, name: str) -> None:
        """What the median of steps takes, and of a bare one and the metered one after it more."""
        bare, ours = self._seconds[FIRST + 1 :: 2], self._seconds[FIRST + 2 :: 2]
        taken, more = median(bare) * 1e6, median(map(sub, ours, bare)) * 1e6
        print(f"{name} | {taken:.0f} | {_added(taken + more, taken)} |", flush=True)


def _line(name: str, net: nn.Module, work: Work, calls: int) -> None:
    loop, metered = _loops(net, work, calls)

    def peer() -> list[float]:
        with FlopCounterMode(display=False):
            return loop()

    loop()
    bare, ours, theirs = (seconds / calls * 1e6 for seconds in _least(loop, metered, peer))
    print(f"{name} | {bare:.1f} | {_added(ours, bare)} | {_added(theirs, bare)}", flush=True)


def _loops(net: nn.Module, work: Work, calls: int) -> list[Callable[[], list[float]]]:
    """The seconds of each part of a loop, bare and by a new meter."""
    part = max(1, calls // PARTS)

    def loop() -> list[float]:
        return [
            _seconds(lambda start=start: [work(call) for call in range(start, start + part)])
            for start in range(0, calls, part)
        ]

    def metered() -> list[float]:
        with flopledger.meter(net):
            return loop()

    return [loop, metered]


def _seconds(job: Callable[[], object]) -> float:
    """CPU time, of all threads."""
    start = time.process_time()
    job()
    return time.process_time() - start


def _least(*jobs: Callable[[], list[float]], runs: int = RUNS) -> list[float]:
    """The seconds of each job: the least of each of its parts, added up."""
    return list(map(sum, _least_parts(*jobs, runs=runs)))


def _least_parts(*jobs: Callable[[], list[float]], runs: int = RUNS) -> list[list[float]]:
    """Of runs that take turns: what else the machine does only adds to them."""
    parts: list[list[list[float]]] = [[] for _ in jobs]
    for run in range(runs * len(jobs)):  # each comes first, second and third as often
        turn = (run + run // len(jobs)) % len(jobs)
        parts[turn].append(jobs[turn]())
    return [list(map(min, zip(*runs_of, strict=True))) for runs_of in parts]


def _added(taken: float, bare: float) -> str:
    return f"{taken - bare:+.1f} us ({taken / bare - 1:+.1%})"


if __name__ == "__main__":
    main()
