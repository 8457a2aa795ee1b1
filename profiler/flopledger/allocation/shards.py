"""What one of several ranks holds under ZeRO's stages and FSDP: which parts are divided."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import ceil

import torch
from torch import Tensor, nn

from flopledger.allocation.optimisers import BY_ELEMENT
from flopledger.counting.structure.sparse_tensors import is_sparse
from flopledger.errors import WrongOption
from flopledger.options import brief

# from which stage on each part is divided: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations
# Toward Training Trillion Parameter Models", figure 1; FSDP divides as stage 3 does
_STAGES = {"zero1": 1, "zero2": 2, "zero3": 3, "fsdp": 3}


@dataclass(frozen=True, kw_only=True)
class Sharding:
    """How a training is divided among ranks.

    Attributes:
        scheme: "zero1", "zero2", "zero3" or "fsdp".
        ranks: how many there are.
    """

    scheme: str
    ranks: int

    @property
    def stage(self) -> int:
        """1 deals out the optimiser's state and masters, 2 cuts gradients too, 3 parameters too."""
        return _STAGES[self.scheme]

    def cut(self, tensors: Iterable[Tensor], stage: int) -> list[Tensor]:
        """What one rank has of them, if they are divided from that stage on; else themselves.

        The pieces are the first rank's, which are the largest: under fsdp as many rows of each
        tensor, elsewhere (DeepSpeed) one run of elements of all that have the same dtype.
        """
        if self.stage < max(stage, 2):
            return list(tensors)
        shapes: list[tuple[Sequence[int], torch.dtype]] = []
        if self.scheme == "fsdp":
            shapes = [((self.rows(t), *t.shape[1:]) if t.dim() else (), t.dtype) for t in tensors]
        else:
            sizes: dict[torch.dtype, int] = {}
            for tensor in tensors:
                sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.numel()
            shapes = [((ceil(size / self.ranks),), dtype) for dtype, size in sizes.items()]
        return [torch.empty(shape, dtype=dtype, device="meta") for shape, dtype in shapes]

    def rows(self, tensor: Tensor) -> int:
        """How many of its rows the first rank has."""
        return ceil(tensor.shape[0] / self.ranks)


def parse_sharding(text: str | None, optimiser: str) -> Sharding | None:
    """What "zero3:8" says: the scheme and the ranks.

    Raises:
        WrongOption: it says neither, or the optimiser's state cannot be divided by elements.
    """
    if text is None:
        return None
    scheme, _, ranks = text.strip().lower().partition(":")
    if scheme not in _STAGES or not (ranks.isascii() and ranks.isdigit() and int(ranks) > 0):
        raise WrongOption(
            f"--shard {brief(text)} is no sharding; say {', '.join(_STAGES)} with the number of "
            "ranks: zero3:8"
        )
    if optimiser not in BY_ELEMENT:
        raise WrongOption(
            f"--shard cuts parameters anywhere, and what {optimiser} keeps of a piece is not "
            f"known; say one of {', '.join(BY_ELEMENT)}"
        )
    return Sharding(scheme=scheme, ranks=int(ranks))


def dealt(params: Iterable[Tensor], ranks: int) -> list[list[Tensor]]:
    """Which of whole parameters each rank steps under ZeRO 1; of ranks that step none, no list.

    As torch's ZeroRedundancyOptimizer deals them out: the largest first, each to the rank that has
    the fewest elements so far, the first of several.
    """
    largest_first = sorted(params, key=Tensor.numel, reverse=True)
    hands: list[list[Tensor]] = [[] for _ in range(min(ranks, len(largest_first)) or 1)]
    fewest = [(0, rank) for rank in range(len(hands))]
    heapify(fewest)
    for param in largest_first:
        size, rank = fewest[0]
        hands[rank].append(param)
        heapreplace(fewest, (size + param.numel(), rank))
    return hands


def units_of(module: nn.Module, blocks: Iterable[nn.Module]) -> list[list[nn.Parameter]]:
    """The parameters that are gathered as one: first those outside of all blocks, then a block's.

    Args:
        module: the network.
        blocks: of it; a parameter of two is the first's.
    """
    taken: set[nn.Parameter] = set()
    units = []
    for block in blocks:
        own = [param for param in block.parameters() if param not in taken]
        taken |= set(own)
        units.append(own)
    return [[p for p in module.parameters() if p not in taken], *filter(None, units)]


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The bytes of whole parameters that a rank has from the others at its worst moments.

    ZeRO 3 gathers one unit at a time. Under FSDP what is outside of all blocks stays gathered from
    the forward pass on (fully_shard does not reshard its root); in the backward pass the next
    block's parameters are gathered while one runs; and each unit comes as one flat piece, which is
    held beside the parameters copied from it until the next unit's are copied.

    Attributes:
        inference: in a pass without gradients.
        forward: in a forward pass with gradients.
        training: in a backward pass.
    """

    inference: int = 0
    forward: int = 0
    training: int = 0


def gathered_of(sharding: Sharding | None, units: Sequence[Sequence[Tensor]]) -> Gathered:
    """What is gathered of those units, as `units_of` gives them; nothing before stage 3."""
    if sharding is None or sharding.stage < 3:
        return Gathered()
    outside, *blocks = [sum(p.numel() * p.element_size() for p in unit) for unit in units]
    largest = max(blocks, default=0)
    if sharding.scheme == "zero3":
        most = max(outside, largest)
        return Gathered(inference=most, forward=most, training=most)
    after_root = 2 * (outside + largest)  # both, and both flat
    training = outside + (2 if len(blocks) > 1 else 1) * largest
    return Gathered(
        inference=max(after_root, outside + (3 if len(blocks) > 1 else 2) * largest),
        forward=training if blocks else 2 * outside,  # flat, too, to the end of the pass
        training=training,
    )


@contextmanager
def reduced_by_unit(
    sharding: Sharding | None, units: list[list[nn.Parameter]], device: str
) -> Iterator[set[nn.Parameter]]:
    """In the body a unit's gradients are gone once the backward pass has made all of them.

    They are reduced and divided then, and what is left of them is a rank's share, made here.
    Nothing is gone where gradients are not divided.

    Yields:
        The parameters whose gradients have gone.
    """
    reduced: set[nn.Parameter] = set()
    if sharding is None or sharding.stage < 2:
        yield reduced
        return
    shares: dict[int, list[Tensor]] = {}
    sent: list[Tensor] = []  # by fully_shard, of the unit before: it is waited for at the next
    hooks = []
    for number, unit in enumerate(units):
        trained = [param for param in unit if param.requires_grad]

        def done(_: Tensor, number: int = number, trained: list[nn.Parameter] = trained) -> None:
            gradients = [p.grad for p in trained if p.grad is not None and not is_sparse(p.grad)]
            if len(gradients) < len(trained):
                return
            sent.clear()
            _copied(sharding, gradients, device)
            reduced.update(trained)
            gradients.clear()
            for param in trained:
                param.grad = None
            share = sharding.cut(trained, 2)
            shares.setdefault(number, share)  # to which those of later micro-batches are added
            if sharding.scheme == "fsdp":
                flat = sum(param.numel() for param in trained)
                if device == "cpu":  # gloo reduces a copy of its own
                    trained[0].new_empty(flat)
                if number > 0:  # what is outside of blocks is last
                    sent.append(trained[0].new_empty(flat))

        # torch leaves its type out
        hooks += [p.register_post_accumulate_grad_hook(done) for p in trained]  # type: ignore[no-untyped-call]
    try:
        yield reduced
    finally:
        for hook in hooks:
            hook.remove()


def _copied(sharding: Sharding, gradients: list[Tensor], device: str) -> None:
    """Make and drop the copies of a unit's whole gradients that are there beside them."""
    if sharding.stage == 2:
        # what is sent is one piece; where parameters are gathered, too, the unit's are gone by
        # then, and it takes no more than they did
        torch.cat([g.flatten() for g in gradients])
    elif sharding.scheme == "fsdp" and device == "cpu":
        # torch.chunk_cat has no kernel there, and first pads what has no whole rows for each rank
        padded = [
            g.new_empty((sharding.ranks * sharding.rows(g), *g.shape[1:]))
            for g in gradients
            if g.dim() and g.shape[0] % sharding.ranks
        ]
        del padded
