"""Work that reaches no output: in a layer or between, of shapes or of values."""

import pytest
import torch
from flopledger.calls import OpCall
from flopledger.counting.attempts import Attempt, by_dispatch, by_fvcore
from flopledger.counting.unread_work import executed
from torch import nn

X = torch.zeros(3, 4)


class Wasteful(nn.Module):
    """Of three products, one in a layer and one of its own reach no output."""

    def __init__(self, reads=False):
        super().__init__()
        self.used, self.unused, self.reads = nn.Linear(4, 4), nn.Linear(4, 7), reads

    def forward(self, x):
        self.unused(x).relu_()
        scores = torch.zeros(3, 3)
        scores[:, :2] = x @ x.T[:, :2]
        if self.reads and x.sum() > 9:
            return scores
        return self.used(x)


def attempts(network):
    dispatch = by_dispatch(network, ((X,), {}))
    return by_fvcore(network, ((X,), {}), dispatch.values), dispatch


@pytest.mark.parametrize("reads", [False, True])
def test_what_is_executed_is_counted(reads):
    network = Wasteful(reads)
    fvcore, dispatch = attempts(network)
    used, unused, own = 3 * 4 * 4, 3 * 4 * 7, 3 * 4 * 2
    assert sum(call.macs for call in fvcore.forward) == used
    whole = executed(network, ((X,), {}), fvcore, dispatch)
    assert sum(call.macs for call in whole.forward) == used + unused + own
    share = (unused + own) / (used + unused + own)
    assert whole.notes == (
        f"{unused + own} of the {used + unused + own} MACs ({share:.1%}) reach no output: "
        "the work of unused, its top is thrown away",
    )


def test_where_they_differ_by_more_the_trace_stays_as_it_was():
    network = Wasteful()
    fvcore, dispatch = attempts(network)
    more = OpCall(path="", op="aten::mm", inputs=(), outputs=(), macs=1)
    other = Attempt(counter="dispatch", calls=(*dispatch.calls, more))
    assert executed(network, ((X,), {}), fvcore, other) is fvcore
    assert executed(network, ((X,), {}), dispatch, dispatch) is dispatch
