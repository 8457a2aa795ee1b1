"""Networks without weights: built, and computed."""

import resource
import subprocess
import sys

import pytest
import torch
from flopledger import profile
from flopledger.counting.shapes.weightless import build, place_of
from torch import nn


def test_zeros_take_no_memory():
    # half a gigabyte of weights, read by a real product, in less than a tenth of that
    code = """
import torch
from torch import nn
from flopledger.counting.doubles.network_double import doubled
from flopledger.counting.shapes.weightless import zeros_for
with torch.device("meta"):
    layer = nn.Linear(8192, 16384, bias=False)
def peak():  # getrusage's is at least what the process that began this one held
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
before = peak()
with doubled(layer, ((), {}), zeros_for(layer)) as double, torch.no_grad():
    assert double.module(torch.ones(1, 8192)).sum() == 0
print(peak() - before)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 50_000  # KiB
    assert resource.getpagesize() <= 65536


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("index", torch.arange(5))
        self.weight = nn.Parameter(torch.rand(2, 2))


def test_building_keeps_integers_and_skips_weights():
    module = build(Positions)
    assert module.index.tolist() == [0, 1, 2, 3, 4]
    assert module.weight.device.type == "meta"


def asks_while_building():
    return nn.Linear(2, int(torch.linspace(3.0, 4.0, 2)[1].item()))


def test_a_factory_that_asks_for_a_value_is_built_for_real():
    assert build(asks_while_building).weight.shape == (4, 2)


class Planned(nn.Module):
    """Its widths are worked out with tensors, as torchvision's RegNet does."""

    def __init__(self):
        super().__init__()
        ends = torch.tensor([0, 3, 8])
        self.layers = nn.ModuleList(nn.Linear(4, n) for n in torch.diff(ends).tolist())
        self.scale = nn.Parameter(torch.tensor([1.5]))


@pytest.mark.parametrize("fault", [KeyError, NameError, ImportError, FileNotFoundError])
def test_a_factory_that_fails_of_its_own_is_not_run_again_with_weights_stored(fault):
    made = []

    def fails():
        made.append(nn.Linear(2, 4).weight.is_meta)
        raise fault("full_attention")

    with pytest.raises(fault):
        build(fails)
    assert made == [True]


def test_given_numbers_are_known_while_a_network_is_built():
    net = build(Planned)
    assert [layer.out_features for layer in net.layers] == [3, 5]
    assert net.layers[0].weight.is_meta  # built once, without weights


class Inverts(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.weight, self.run = nn.Parameter(torch.empty(3, 3)), run

    def forward(self, x):
        return self.run(self.weight, x)


@pytest.mark.parametrize(
    ("run", "macs"),
    [
        # four rows of 3 through 3 x 3; to read a value, a pass has to be computed
        (lambda w, x: x @ torch.linalg.inv(w) * float(x.sum()), 4 * 3 * 3),
        (lambda w, x: torch.linalg.solve(w, x.T) * float(x.sum()), 0),
        (lambda w, x: x @ torch.linalg.cholesky(w @ w.T) * float(x.sum()), 3 * 3 * 3 + 4 * 3 * 3),
    ],
)
def test_weights_of_zeros_veto_no_network(run, macs):
    with torch.device("meta"):  # as the command line builds it
        network = Inverts(run)
    counted = profile(network, (torch.rand(4, 3),))
    assert counted.total("macs") == macs
    assert counted.check.agrees
    assert "on random weights, since zeros are refused" in counted.notes[0]


def test_a_scale_of_zeros_vetoes_none_either():
    with torch.device("meta"):
        network = Inverts(lambda w, x: torch.distributions.Normal(x, w.diagonal()).log_prob(x @ w))
    assert profile(network, (torch.rand(4, 3),)).total("macs") == 4 * 3 * 3


def test_random_weights_are_such_as_have_inverses():
    place = place_of("random", nn.Linear(3, 3))
    square = place(torch.empty(2, 4, 4, device="meta"))
    # on the diagonal 1 and up to 0.1 / 4 more, elsewhere up to that: every row's sum stays below 2
    assert bool((square.diagonal(dim1=1, dim2=2) >= 1).all())
    assert bool((square.sum(-1) < 1 + 4 * 0.1 / 4 + 1e-6).all())
    scale = place(torch.empty(50, dtype=torch.float64, device="meta"))
    assert scale.dtype is torch.float64
    assert bool((scale > 0).all())
    assert bool((scale <= 0.1).all())
    assert place(torch.tensor([3, 4])).tolist() == [3, 4]
