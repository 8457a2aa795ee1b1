"""A network asked about positions: its softmax over the legal moves, and what a pass takes."""

import numpy as np
import pytest
import torch
from flopledger.counting.profiling import profile
from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory
from flopledger.play.games import find_game
from flopledger.play.networks import tower
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
    ((prior, value, _, _),) = NetworkEvaluator(GAME, Says()).evaluate([node("x(0,0) o(1,1)")])
    shares = np.exp([1, 2, 3, 5, 6, 7, 8])
    assert prior == pytest.approx(shares / shares.sum())
    assert value == pytest.approx(0.2)


def test_each_position_gets_its_own_answer_in_one_pass():
    net = Says()
    answers = NetworkEvaluator(GAME, net).evaluate(
        [node(""), node("x(0,0)"), node("x(0,0) o(1,1)")]
    )
    assert [len(prior) for prior, *_ in answers] == [9, 8, 7]
    assert [value for _, value, *_ in answers] == pytest.approx([0, 0.1, 0.2])
    assert net.batches == [3]


def test_large_logits_do_not_overflow():
    class Large(Says):
        def forward(self, planes):
            logits, value = super().forward(planes)
            return 1000 * logits, value

    ((prior, *_),) = NetworkEvaluator(GAME, Large()).evaluate([node("")])
    assert prior == pytest.approx([0] * 8 + [1])


def test_a_pass_is_counted_once_for_its_size():
    net = tower(GAME, 1, 4, seed=0)
    each = profile(net, torch.zeros(1, 3, 3, 3)).total("flops")
    asks = NetworkEvaluator(GAME, net)
    for count in (1, 3, 3, 1, 2):
        answers = asks.evaluate([node("")] * count)
        assert [answer.flops for answer in answers] == [each] * count
        assert all(answer.seconds > 0 for answer in answers)
    assert sorted(asks._flops) == [1, 2, 3]


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
