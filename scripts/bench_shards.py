"""One rank's training step under ZeRO 1 and FSDP: its peak worked out, and allocated (gloo)."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import argparse
import tempfile
from collections.abc import Callable
from typing import Any

import flopledger
import torch
import torch.distributed.fsdp
import torch.distributed.optim
import torch.distributed.tensor
from flopledger.allocation.blocks import repeated
from flopledger.allocation.measure import _allocations
from flopledger.allocation.tensor_bytes import stored
from torch import Tensor, distributed, multiprocessing, nn

MIB = 2**20
STEPS = 7  # whose least is taken: gloo frees a piece that was sent sooner or later


class Block(nn.Module):
    """A transformer's two layers without its attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the layers make of x."""
        return x + self.narrow(torch.relu(self.wide(self.norm(x))))


def tower(width: int, blocks: int, words: int, tied: bool = False) -> nn.Module:
    """An embedding, blocks and a head."""
    embedding, head = nn.Embedding(words, width), nn.Linear(width, words, bias=not tied)
    if tied:
        head.weight = embedding.weight
    return nn.Sequential(embedding, nn.Sequential(*map(Block, [width] * blocks)), head)


def odd() -> nn.Module:
    """Widths that no number of ranks divides."""
    return nn.Sequential(
        nn.Linear(301, 701), nn.Tanh(), nn.Linear(701, 503), nn.Tanh(), nn.Linear(503, 997)
    )


def large() -> nn.Module:
    """Nearly all of it in two layers."""
    return nn.Sequential(nn.Linear(128, 20_000), nn.ReLU(), nn.Linear(20_000, 10))


def convolutions() -> nn.Module:
    """Five of 128 channels behind one of a picture's colours."""
    five = (
        nn.Sequential(nn.Conv2d(128, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), nn.ReLU())
        for _ in range(5)
    )
    return nn.Sequential(nn.Conv2d(3, 128, 3, padding=1), nn.Sequential(*five))


def frozen() -> nn.Module:
    """Six blocks, of which three are trained."""
    blocks = nn.Sequential(*map(Block, [256] * 6))
    blocks[:3].requires_grad_(False)
    return blocks


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "six blocks of 256": (lambda: tower(256, 6, 100), torch.zeros(2, 32, dtype=torch.int64)),
    "three of 512": (lambda: tower(512, 3, 100), torch.zeros(2, 32, dtype=torch.int64)),
    "four of 256, 1,024 rows": (
        lambda: tower(256, 4, 100),
        torch.zeros(1, 1024, dtype=torch.int64),
    ),
    "eight of 192, a wide head": (
        lambda: tower(192, 8, 8000),
        torch.zeros(2, 16, dtype=torch.int64),
    ),
    "four of 128, embeddings tied": (
        lambda: tower(128, 4, 5000, tied=True),
        torch.zeros(2, 64, dtype=torch.int64),
    ),
    "six blocks, half frozen": (frozen, torch.zeros(2, 64, 256)),
    "an MLP of two large layers": (large, torch.zeros(32, 128)),
    "an MLP of odd widths": (odd, torch.zeros(64, 301)),
    "five convolutions": (convolutions, torch.zeros(4, 3, 32, 32)),
}


def main() -> None:
    """Print a row a network and scheme: ranks, worked out, allocated on the fullest rank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 3])
    for ranks in parser.parse_args().ranks:
        for scheme, accumulate in (("zero1", 2), ("fsdp", 1)):
            held = _held(scheme, ranks)
            for name, (factory, x) in NETWORKS.items():
                told = flopledger.memory(
                    factory(), x, shard=f"{scheme}:{ranks}", accumulate=accumulate
                ).training_peak_bytes
                assert told is not None
                print(
                    f"{scheme}:{ranks} {name}: {held[name] / MIB:.1f} ({told / MIB:.1f}, "
                    f"{told / held[name] - 1:+.1%})",
                    flush=True,
                )


def _held(scheme: str, ranks: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        found = multiprocessing.get_context("spawn").SimpleQueue()
        workers = multiprocessing.spawn(
            _rank, (scheme, ranks, f"file://{folder}/meet", found), ranks, join=False
        )
        each = [found.get() for _ in range(ranks)]
        while not workers.join():
            pass
    return {name: max(peaks[name] for peaks in each) for name in NETWORKS}


def _rank(rank: int, scheme: str, ranks: int, meet: str, found: Any) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=ranks)
    found.put({name: _peak(scheme, ranks, *case) for name, case in NETWORKS.items()})
    distributed.barrier()
    distributed.destroy_process_group()


def _peak(scheme: str, ranks: int, factory: Callable[[], nn.Module], x: Tensor) -> int:
    network = factory()
    if scheme == "fsdp":
        mesh = distributed.init_device_mesh("cpu", (ranks,))
        for block in (*repeated(network).values(), network):
            distributed.fsdp.fully_shard(block, mesh=mesh)
        network_of_rank, optimiser = network, torch.optim.Adam(_trained(network))
        inner, buckets = optimiser, 0
    else:
        network_of_rank = nn.parallel.DistributedDataParallel(network, gradient_as_bucket_view=True)
        optimiser = distributed.optim.ZeroRedundancyOptimizer(
            _trained(network), torch.optim.Adam, lr=1e-3
        )
        inner, buckets = optimiser.optim, stored(_trained(network))

    def step() -> None:
        out = network_of_rank(x)
        out.backward(torch.zeros_like(out))
        optimiser.step()
        optimiser.zero_grad()

    for _ in range(3):  # DistributedDataParallel makes its buckets anew after the first
        step()
    peaks = []
    for _ in range(STEPS):
        distributed.barrier()
        with _allocations("cpu") as seen:
            step()
        peaks.append(seen["peak"])
    state = [t for kept in inner.state.values() for name, t in kept.items() if name != "step"]
    here = [*map(_local, (*network.parameters(), *state)), *network.buffers()]
    return stored(here) + buckets + x.nbytes + min(peaks)


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [param for param in network.parameters() if param.requires_grad]


def _local(tensor: Tensor) -> Tensor:
    return tensor.to_local() if isinstance(tensor, distributed.tensor.DTensor) else tensor


if __name__ == "__main__":
    main()
