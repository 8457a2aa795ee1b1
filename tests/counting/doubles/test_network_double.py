"""A network's double: shaped alike, shared alike, and nothing of it in the network."""

import random

import numpy as np
import pytest
import torch
from flopledger import ProfilingError
from flopledger.counting.doubles.network_double import doubled
from flopledger.counting.profiling import profile
from flopledger.counting.shapes.weightless import on_meta, zeros_for
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

NOTHING = ((), {})


def test_shared_tensors_stay_shared_and_gradients_stay_asked_for():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    network[1].bias.requires_grad_(False)
    original = network[0].weight
    with doubled(network, NOTHING, on_meta) as double:
        first, second = double.module
        assert first.weight is second.weight
        assert first.weight.device.type == "meta"
        assert not second.bias.requires_grad
        assert [name for name, tensor in double.named if tensor is second.weight] == ["0.weight"]
        assert network[0].weight is network[1].weight is original  # not touched meanwhile


def test_integers_are_copied_floats_are_not():
    module = nn.Module()
    module.register_buffer("index", torch.tensor([3, 1]))
    module.register_buffer("scale", torch.tensor([3.0, 1.0]))
    with doubled(module, NOTHING, zeros_for(module)) as double:
        assert double.module.index.tolist() == [3, 1]
        assert double.module.scale.tolist() == [0.0, 0.0]
        double.module.index += 1
    assert module.index.tolist() == [3, 1]
    assert module.scale.tolist() == [3.0, 1.0]


def test_a_recurrent_networks_second_list_of_weights_is_of_the_same_weights():
    lstm = nn.LSTM(3, 2)
    with doubled(lstm, NOTHING, on_meta) as double:
        flat = double.module._flat_weights
        assert [id(w) for w in flat] == [id(p) for p in double.module.parameters()]
        assert all(w.is_meta for w in flat)
    assert [id(w) for w in lstm._flat_weights] == [id(p) for p in lstm.parameters()]


def test_random_numbers_go_on_where_they_were():
    def draw():
        return random.random(), np.random.rand(), float(torch.rand(()))

    def seed():
        random.seed(1), np.random.seed(1), torch.manual_seed(1)

    seed()
    expected = draw()
    seed()
    with doubled(nn.ReLU(), NOTHING, on_meta):
        draw()
        torch.set_default_dtype(torch.float64)
    assert draw() == expected
    assert torch.get_default_dtype() is torch.float32


def test_a_count_inside_another_counter_is_the_same_and_adds_nothing_to_it():
    network, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.LSTM(6, 2)), torch.ones(3, 8, 8)
    with FlopCounterMode(display=False) as other, torch.inference_mode():
        counted = profile(network, x, backward=True)
    conv = 6 * 6 * 4 * 27
    recurrent = 4 * 6 * (4 * 2) * (6 + 2)  # 4 rows of 6 steps, four gates of 2 units
    assert counted.total("macs") == conv + recurrent
    assert counted.backward_check.agrees
    assert other.get_total_flops() == 0


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LazyLinear(5)

    def forward(self, x):
        return self.layer(x)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_layers_are_made_on_a_copy():
    network = Lazy()
    counted = profile(network, torch.zeros(2, 3))
    assert (counted.total("macs"), counted.total("params")) == (2 * 3 * 5, 3 * 5 + 5)
    assert isinstance(network.layer, nn.LazyLinear)


LENGTHS = []


class LazyWithNoise(Lazy):
    def forward(self, x):
        LENGTHS.append(len(x))
        return self.layer(x + torch.rand(3))


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_the_pass_that_makes_lazy_layers_leaves_no_trace():
    before = torch.get_rng_state()
    profile(LazyWithNoise(), torch.zeros(2, 3))
    assert LENGTHS == []
    assert torch.equal(torch.get_rng_state(), before)


class Grows(nn.Module):
    def forward(self, x):
        self.layer = nn.Linear(4, 4)
        return self.layer(x)


def test_a_network_that_changes_itself_is_refused_and_left_as_it_was():
    network = Grows()
    with pytest.raises(ProfilingError, match="it adds layer while it runs; build it whole"):
        profile(network, torch.zeros(1, 4))
    assert not hasattr(network, "layer")


class Shrinks(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = self.first(self.second(x))
        del self.first, self.second
        return x


def test_a_network_that_takes_itself_apart_is_refused_and_left_as_it_was():
    network = Shrinks()
    # the first of what is gone, by name
    with pytest.raises(ProfilingError, match="it removes first while it runs; build it whole"):
        profile(network, torch.zeros(1, 4))
    assert network.second(network.first(torch.zeros(1, 4))).shape == (1, 4)


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.passes, self.layer = 0, nn.Linear(4, 4)

    def forward(self, x):
        self.passes += 1
        return self.layer(x)


def test_what_a_pass_notes_down_is_undone():
    network = Counts()
    profile(network, torch.zeros(1, 4))
    assert network.passes == 0


class Switches(nn.Module):
    def forward(self, x):
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.use_deterministic_algorithms(True)
        torch.set_default_dtype(torch.float64)
        torch.set_autocast_enabled("cpu", True)
        torch.backends.cudnn.benchmark = True
        return x @ x


def test_a_forwards_switches_of_the_process_are_as_they_were():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert profile(Switches(), torch.zeros(3, 3)).total("macs") == 27
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert (torch.is_autocast_enabled("cpu"), torch.backends.cudnn.benchmark) == (False, False)
    assert torch.get_default_dtype() is torch.float32
