"""A network asked about positions: batches of planes in, policies and values out."""

import time
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.errors import FlopledgerError
from flopledger.metering.module_meter import meter
from flopledger.play.games import Game
from flopledger.play.planes import stack
from flopledger.play.tree import Answer, Node

# of a network, a pass's FLOP by its number of positions: one evaluator follows another
_FLOPS: WeakKeyDictionary[nn.Module, dict[int, float]] = WeakKeyDictionary()


class OutOfMemory(FlopledgerError, MemoryError):
    """A batch did not fit; the message says what to make smaller."""

    exit_code = 1


class Evaluator(Protocol):
    """What evaluates positions."""

    def evaluate(self, nodes: list[Node]) -> list[Answer]:
        """The answers, in one pass."""


class NetworkEvaluator:
    """A network, and what its passes take.

    The first pass of each number of positions is metered; the others of that number are the same
    work, and count as it did. Metering every one would take a quarter of a small network's time.
    """

    def __init__(self, game: Game, network: nn.Module) -> None:
        self._game, self._network = game, network
        self._flops = _FLOPS.setdefault(network, {})

    def evaluate(self, nodes: list[Node]) -> list[Answer]:
        """One pass of the network.

        Raises:
            OutOfMemory: it takes more memory than there is.
        """
        game, count = self._game, len(nodes)
        seen = [node.seen for node in nodes if node.seen is not None]
        planes = torch.from_numpy(stack(game.layout, seen))
        start = time.perf_counter()
        logits, values = self._pass(planes)
        seconds = (time.perf_counter() - start) / count
        flops = self._flops[count] / count
        return [
            Answer(
                _softmax(row[game.outputs[position.player][node.state.legal_actions()]]),
                value,
                flops,
                seconds,
            )
            for node, position, row, value in zip(nodes, seen, logits, values, strict=True)
        ]

    def _pass(self, planes: torch.Tensor) -> tuple[NDArray[np.float64], list[float]]:
        try:
            # not inference_mode: there convolutions reach the meter under another name
            with torch.no_grad():
                policy, value = self._metered(planes)
        except (MemoryError, RuntimeError) as error:  # torch's allocators raise RuntimeError
            if not is_want_of_memory(error):
                raise
            raise OutOfMemory(
                f"a batch of {len(planes)} positions does not fit into memory; "
                "give a smaller --batch, or fewer --filters"
            ) from error
        return policy.flatten(1).double().numpy(), value.flatten().tolist()

    def _metered(self, planes: torch.Tensor) -> Any:
        if len(planes) in self._flops:
            return self._network(planes)
        with meter({"network": self._network}) as metered:
            out = self._network(planes)
        self._flops[len(planes)] = metered.read().totals.known("flops")
        return out


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(logits - logits.max())
    normalised: NDArray[np.float64] = shares / shares.sum()
    return normalised
