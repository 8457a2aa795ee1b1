"""True and False in place of numbers, of which torch.jit's tracer knows nothing."""

import pytest
import torch
from flopledger import profile
from flopledger.counting.trace.traced_flags import FlagsAsNumbers
from torch import nn


def masks(x):
    hidden = torch.zeros(4, 8, dtype=torch.bool).scatter(1, x.topk(2).indices, True)
    hidden[0] = True
    hidden |= False
    return hidden.index_fill(0, torch.tensor([1]), False)


USES = {
    "masked_fill": lambda x: x.masked_fill(masks(x), False),
    "where": lambda x: x + torch.where(masks(x), True, False),
    "mul": lambda x: x * True + masks(x) * True,
    "full": lambda x: x * torch.full((4, 8), fill_value=True, dtype=torch.bool),
    "eq": lambda x: x * (masks(x) == True) * torch.full((8,), True),  # noqa: E712
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("asks", [False, True])
def test_the_tracer_counts_it_as_well(use, asks):
    class Uses(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 8)

        def forward(self, x):
            y = use(self.layer(x))
            return y * float(y.sum()) if asks else y  # with values, too

    counted = profile(Uses(), (torch.rand(4, 8),))
    assert (counted.counter, counted.check.agrees) == ("fvcore", True)
    assert counted.total("macs") == 4 * 8 * 8


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_result_is_another(use):
    x = torch.rand(4, 8)
    plain = use(x)
    with FlagsAsNumbers():
        numbers = use(x)
    assert numbers.dtype is plain.dtype
    assert torch.equal(numbers, plain)
