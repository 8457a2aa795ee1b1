"""Operators told where to write: `out=` is counted as the operator without it."""

import pytest
import torch
from flopledger import meter, profile
from flopledger.counting.formulas import formula_table
from torch import nn

X = torch.ones(4, 8)
LINEAR = 4 * 8 * 8


class Out(nn.Module):
    """A linear layer, whose result goes where the function is told to write."""

    def __init__(self, work):
        super().__init__()
        self.layer, self.work = nn.Linear(8, 8), work

    def forward(self, x):
        with torch.no_grad():
            y = self.layer(x)
            return self.work(y, y.new_empty(0))


@pytest.mark.parametrize(
    ("work", "macs", "other"),
    [
        (lambda y, out: torch.mm(y, y.T, out=out), 4 * 8 * 4, 0),
        (lambda y, out: torch.matmul(y, y.T, out=out), 4 * 8 * 4, 0),
        (lambda y, out: torch.bmm(y[None], y.T[None], out=out), 4 * 8 * 4, 0),
        (lambda y, out: torch.addmm(y, y, y[:1].T * y[:1], out=out), 4 * 8 * 8, 8 * 8),
        (lambda y, out: torch.add(y, 1, out=out), 0, 4 * 8),
        (lambda y, out: torch.cat([y, y], out=out), 0, 0),
        (lambda y, out: torch.sum(y, 1, out=out), 0, 4 * 8),
        (lambda y, out: torch.linalg.norm(y, dim=1, out=out), 0, None),
        (lambda y, out: nn.functional.normalize(y, out=out), 0, None),
    ],
)
def test_where_a_result_goes_costs_nothing(work, macs, other):
    network = Out(work)
    counted = profile(network, X)
    assert counted.total("macs") == LINEAR + macs
    assert counted.complete
    assert counted.check.agrees
    if other is not None:
        assert counted.total("other_flops") == other
    with meter(network) as metered:
        network(X)
    assert metered.read().totals.macs == LINEAR + macs


def test_a_discriminator_with_spectral_norm_is_trained_under_a_meter():
    normed = nn.utils.parametrizations.spectral_norm
    network = nn.Sequential(normed(nn.Linear(8, 16)), nn.ReLU(), nn.Linear(16, 1)).train()
    with meter(network) as metered:
        for _ in range(3):
            network(X).mean().backward()
    totals = metered.read().totals
    # a step of power iteration both ways, and the norm it is for; then the layers
    assert (totals.passes, totals.macs) == (3, 3 * (2 * 8 * 16 + 8 * 16 + 16 + 4 * (8 * 16 + 16)))


def test_a_formula_that_fails_leaves_its_operator_uncounted(monkeypatch):
    def fails(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setitem(formula_table._other, "aten::relu", fails)
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    for values in (False, True):
        counted = profile(network, X, values=values)
        assert counted.total("macs") == LINEAR
        assert counted.unsupported().operator.tolist() == ["aten::relu"]
        assert not counted.complete
    with meter(network) as metered:
        assert network(X).shape == (4, 8)
    assert not metered.read().complete
