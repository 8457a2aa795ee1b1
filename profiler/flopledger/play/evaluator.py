"""A network asked about positions: batches of planes in, policies and values out."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.errors import FlopledgerError
from flopledger.play.games import Game
from flopledger.play.planes import stack
from flopledger.play.search import Answer
from flopledger.play.tree import Node

REMEMBERED = 100_000  # positions; of Go on 19 x 19 they take some 300 MB


class OutOfMemory(FlopledgerError, MemoryError):
    """A batch did not fit; the message says what to make smaller."""

    exit_code = 1


class NetworkEvaluator:
    """A network, and the answers that it gave."""

    def __init__(self, game: Game, network: nn.Module, cache: bool = False) -> None:
        self._game, self._network = game, network
        self._known: dict[bytes, Answer] | None = {} if cache else None

    def remembered(self, node: Node) -> Answer | None:
        """The answer to a position of which the network would be shown just the same."""
        if self._known is None or node.seen is None:
            return None
        return self._known.get(node.seen.key())

    def evaluate(self, nodes: list[Node]) -> list[Answer]:
        """One pass of the network.

        Raises:
            OutOfMemory: it takes more memory than there is.
        """
        seen = [node.seen for node in nodes if node.seen is not None]
        logits, values = self._pass(stack(self._game.layout, seen))
        answers = []
        for node, position, row, value in zip(nodes, seen, logits, values, strict=True):
            legal = row[self._game.outputs[position.player][node.state.legal_actions()]]
            answer = _softmax(legal), float(value)
            answers.append(answer)
            if self._known is not None:
                self._remember(position.key(), answer)
        return answers

    def _pass(self, planes: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        try:
            # not inference_mode: there convolutions reach the meter under another name
            with torch.no_grad():
                policy, value = self._network(torch.from_numpy(planes))
        except (MemoryError, RuntimeError) as error:  # torch's allocators raise RuntimeError
            if not is_want_of_memory(error):
                raise
            raise OutOfMemory(
                f"a batch of {len(planes)} positions does not fit into memory; "
                "give a smaller --batch, or fewer --filters"
            ) from error
        return policy.flatten(1).double().numpy(), value.flatten().numpy()

    def _remember(self, key: bytes, answer: Answer) -> None:
        assert self._known is not None
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]  # the oldest
        self._known[key] = answer


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(logits - logits.max())
    normalised: NDArray[np.float64] = shares / shares.sum()
    return normalised
