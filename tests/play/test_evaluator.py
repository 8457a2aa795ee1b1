"""A network asked about positions: its softmax over the legal moves, and what is remembered."""

import numpy as np
import pytest
import torch
from flopledger.play import evaluator
from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory
from flopledger.play.games import find_game
from flopledger.play.tree import Node
from torch import nn

GAME = find_game("tic_tac_toe")


class Says(nn.Module):
    """Logit n on point n, and the number of crosses and noughts as the value."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, planes):
        self.batches.append(len(planes))
        value = planes[:, :2].flatten(1).sum(1, keepdim=True) / 10
        return torch.arange(9.0).expand(len(planes), 9), value


def node(position):
    state = GAME.start(position)
    return Node(state, GAME.replayed(state))


def test_a_position_by_hand():
    # points 0 and 4 are taken
    ((prior, value),) = NetworkEvaluator(GAME, Says()).evaluate([node("x(0,0) o(1,1)")])
    shares = np.exp([1, 2, 3, 5, 6, 7, 8])
    assert prior == pytest.approx(shares / shares.sum())
    assert value == pytest.approx(0.2)


def test_each_position_gets_its_own_answer_in_one_pass():
    net = Says()
    answers = NetworkEvaluator(GAME, net).evaluate(
        [node(""), node("x(0,0)"), node("x(0,0) o(1,1)")]
    )
    assert [len(prior) for prior, _ in answers] == [9, 8, 7]
    assert [value for _, value in answers] == pytest.approx([0, 0.1, 0.2])
    assert net.batches == [3]


def test_large_logits_do_not_overflow():
    class Large(Says):
        def forward(self, planes):
            logits, value = super().forward(planes)
            return 1000 * logits, value

    ((prior, _),) = NetworkEvaluator(GAME, Large()).evaluate([node("")])
    assert prior == pytest.approx([0] * 8 + [1])


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(evaluator, "REMEMBERED", 2)
    cached = NetworkEvaluator(GAME, Says(), cache=True)
    nodes = [node(""), node("x(0,0)"), node("x(1,1)")]
    cached.evaluate(nodes[:2])
    assert all(cached.remembered(known) for known in nodes[:2])
    cached.evaluate(nodes[2:])
    assert [cached.remembered(known) is not None for known in nodes] == [False, True, True]


def test_nothing_is_remembered_unasked():
    plain = NetworkEvaluator(GAME, Says())
    plain.evaluate([node("")])
    assert plain.remembered(node("")) is None


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (MemoryError(), OutOfMemory),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), OutOfMemory),
        (RuntimeError("CUDA out of memory."), OutOfMemory),
        (torch.OutOfMemoryError("no more"), OutOfMemory),
        (RuntimeError("shapes do not match"), RuntimeError),
        (ValueError("of no use"), ValueError),
    ],
)
def test_only_want_of_memory_is_called_so(error, raised):
    class Fails(nn.Module):
        def forward(self, planes):
            raise error

    with pytest.raises(raised) as failed:
        NetworkEvaluator(GAME, Fails()).evaluate([node(""), node("x(0,0)")])
    assert isinstance(failed.value, OutOfMemory) == (raised is OutOfMemory)
    if raised is OutOfMemory:
        assert "a batch of 2 positions does not fit" in str(failed.value)
