"""What a ledger takes of a profile, and what it refuses."""

import pytest
import torch
from flopledger import FlopledgerError, profile
from flopledger.ledger.build import measured
from torch import nn


@torch.library.custom_op("ledgers::halve", mutates_args=())
def halve(x: torch.Tensor) -> torch.Tensor:
    """An operator that nobody has a formula for."""
    return x / 2


halve.register_fake(torch.empty_like)
halve.register_autograd(lambda _, gradient: gradient / 2)


class Halves(nn.Linear):
    def forward(self, x):
        return halve(super().forward(x))


def test_of_one_sample_and_what_is_trained():
    network = nn.Sequential(nn.Linear(4, 5, bias=False), nn.Linear(5, 6, bias=False))
    network[0].requires_grad_(False)
    found = measured(profile(network, torch.zeros(3, 4), backward=True))
    assert found.params == 5 * 6
    assert found.forward_flops == 2 * (4 * 5 + 5 * 6)
    assert found.backward_ratio == (5 * 6) / (4 * 5 + 5 * 6)  # the second layer's weight alone


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (nn.BatchNorm1d(4), "BatchNorm1d has 8 trainable parameters and does 0 MACs"),
        (Halves(4, 4), "Halves: its FLOPs are a lower bound, and no ledger's: ledgers::halve has"),
    ],
)
def test_what_is_unknown_is_no_ledgers(network, problem):
    with pytest.raises(FlopledgerError, match=problem):
        measured(profile(network.eval(), torch.zeros(3, 4), backward=True))
