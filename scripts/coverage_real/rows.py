"""A network in a process of its own: what flopledger and the truth count of it, or how it ended."""

import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import flopledger
import torch
from torch import nn
from truth import true_macs

SECONDS = 60  # of the processor, for both counts of one network; ten times them by the clock
MEMORY = 8 << 30  # bytes

# what a factory gives: a network on the CPU, what its forward takes by place, and by name
Network = tuple[nn.Module, Sequence[Any], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network.

    Attributes:
        library, network: their names.
        truth: MACs of a forward pass by the filled FlopCounterMode; None where the network does not
            run.
        macs: flopledger's; None where it gives none.
        ended: what ended the network or flopledger's count of it, in a line; None if nothing did.
    """

    library: str
    network: str
    truth: int | None = None
    macs: int | None = None
    ended: str | None = None


def warm_up() -> None:
    """Import here, once for all forks, what the first count imports."""
    layer = nn.Linear(2, 2)
    true_macs(layer, (torch.zeros(1, 2),), {})
    flopledger.profile(layer, torch.zeros(1, 2))


def measured(library: str, network: str, factory: Callable[[], Network]) -> Row:
    """The network's row, made in a fork of this process; a crash there costs the row alone."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(factory, sender), daemon=True)
    process.start()
    sender.close()
    figures: dict[str, Any] = {}
    deadline = time.monotonic() + 10 * SECONDS
    try:
        while receiver.poll(max(0.0, deadline - time.monotonic())):
            figures |= receiver.recv()
        process.kill()
        late = True
    except EOFError:
        late = False
    finally:
        receiver.close()
        process.join() if sys.exc_info()[0] is None else process.kill()
    if late or process.exitcode == -signal.SIGXCPU:
        figures["ended"] = f"over {SECONDS} s"
    elif process.exitcode:
        figures["ended"] = f"killed: {signal.Signals(-process.exitcode).name}"
    return Row(library=library, network=network, **figures)


def _child(factory: Callable[[], Network], sender: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    silent = os.open(os.devnull, os.O_WRONLY)  # networks and their kernels warn and print
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        module, args, kwargs = factory()
        module.eval()
        sender.send({"truth": true_macs(module, args, kwargs)})
        counted = flopledger.profile(module, tuple(args), kwargs)
        sender.send({"macs": counted.totals.macs})
    except Exception as error:  # a network is anybody's code
        sender.send({"ended": " ".join(f"{type(error).__name__}: {error}".split())[:200]})
    sender.close()
    os._exit(0)
