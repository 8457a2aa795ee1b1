"""One rank's share of a training, by hand."""

import torch
from flopledger.allocation.estimate import memory
from flopledger.allocation.shards import dealt
from torch import nn

FLOAT = 4  # bytes
X = torch.zeros(1, 40)


def narrowing():
    """Matrices of 1200, 600 and 200 elements."""
    return nn.Sequential(
        nn.Linear(40, 30, bias=False), nn.Linear(30, 20, bias=False), nn.Linear(20, 10, bias=False)
    )


def test_zero1_deals_out_whole_tensors_and_the_fullest_rank_is_told():
    two = memory(narrowing(), X, shard="zero1:2")
    # the first has 1200, the second 600 + 200; Adam's root and quotient are as large as what it
    # steps, and a rank that steps the largest makes both of all of it
    assert two.optimiser_state_bytes == 2 * 1200 * FLOAT
    assert two.training_peak_bytes == (2000 + 2000 + 2 * 1200 + 2 * 1200) * FLOAT + X.nbytes
    # no number of ranks cuts a tensor
    many = memory(narrowing(), X, shard="zero1:1000")
    assert many.training_peak_bytes == two.training_peak_bytes


def test_the_fullest_rank_is_that_whose_state_and_step_are_the_most():
    params = [torch.empty(n) for n in (60, 50, 40, 30)]
    assert [[len(p) for p in hand] for hand in dealt(params, 3)] == [[60], [50], [40, 30]]
    # 1200 and 200 beside 600 four times over two ranks: 1200 + 600 + 200 and 600 three times
    wide = nn.Sequential(narrowing(), *(nn.Linear(n, m, bias=False) for n, m in STEPS))
    found = memory(wide, X, shard="zero1:2", optimiser="momentum")
    assert found.optimiser_state_bytes == (1200 + 600 + 200) * FLOAT


STEPS = ((10, 60), (60, 10), (10, 60))


def test_masters_are_dealt_out_with_what_they_are_of():
    found = memory(narrowing(), X, shard="zero1:2", precision="bf16-masters", optimiser="sgd")
    assert found.masters_bytes == 1200 * FLOAT
    # parameters and gradients of two bytes, the rank's masters, and as many float32 gradients
    assert found.training_peak_bytes == 2000 * (2 + 2) + 2 * 1200 * FLOAT + X.nbytes // 2
