"""Kinds of layers, and what a watched pass shows."""

import pytest
import torch
from flopledger.counting.structure.layers import Watch, kind_of, layers_of, watch
from flopledger.counting.structure.network_parts import modules_of
from torch import nn


class Mine(nn.Module):
    def forward(self, x):
        return x, {"twice": x + x}


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.Conv1d(1, 1, 1), "conv"),
        (nn.ConvTranspose3d(1, 1, 1), "conv"),
        (nn.Linear(1, 1), "linear"),
        (nn.LSTM(1, 1), "recurrent"),
        (nn.GRUCell(1, 1), "recurrent"),
        (nn.MultiheadAttention(2, 1), "attention"),
        (nn.Embedding(2, 1), "embedding"),
        (nn.BatchNorm2d(1), "norm"),
        (nn.LocalResponseNorm(2), "norm"),
        (nn.MaxPool2d(2), "pool"),
        (nn.GELU(), "activation"),
        (nn.Softmax(-1), "activation"),
        (nn.Dropout2d(), "dropout"),
        (Mine(), "Mine"),
    ],
)
def test_kinds(module, kind):
    assert kind_of(module) == kind


def test_a_watched_pass_shows_calls_and_results():
    network = nn.Sequential(nn.Linear(3, 4), Mine())
    seen = Watch()
    with watch(modules_of(network), seen):
        network(torch.zeros(2, 3))
        network(torch.zeros(5, 3))
    root, linear, mine = layers_of(network, seen)
    assert (root.leaf, linear.leaf) == (False, True)
    assert (linear.calls, linear.output_shape) == (2, (5, 4))
    assert linear.output_elements == (2 + 5) * 4
    assert mine.output_elements == 2 * (2 + 5) * 4  # both results


def test_a_pass_that_stops_says_where():
    network = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(5, 6)))
    seen = Watch()
    with watch(modules_of(network), seen), pytest.raises(RuntimeError):
        network(torch.zeros(2, 3))
    assert seen.where_it_stopped() == "stopped at layer 1.0, which got 2x4"
    assert not network._forward_hooks


def test_a_shared_parameter_is_counted_where_it_stands_first():
    network = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3)))
    network[1][0].weight = network[0].weight
    network[0].bias.requires_grad_(False)
    seen = Watch()
    with watch(modules_of(network), seen):
        network(torch.zeros(2, 3))
    root, first, inner, second = layers_of(network, seen)
    assert (first.params, first.trainable, first.shared) == (9 + 3, 9, ())
    assert (second.params, second.trainable) == (3, 3)
    assert second.shared == ("1.0.weight = 0.weight",)
    assert [layer.path for layer in (root, first, inner, second)] == ["", "0", "1", "1.0"]
    assert (root.params, inner.params) == (0, 0)


def test_what_is_never_called_shows_no_result():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5))
    seen = Watch()
    with watch(modules_of(network), seen):
        network[0](torch.zeros(2, 3))
    _, called, other = layers_of(network, seen)
    assert (called.calls, called.output_shape) == (1, (2, 4))
    assert (other.calls, other.output_shape, other.output_elements) == (0, (), 0)
    assert seen.where_it_stopped() == ""


def test_a_layer_that_stops_says_what_it_got():
    class Raises(nn.Module):
        def forward(self, *args):
            raise ValueError("on purpose")

    network = Raises()
    for args, words in (
        ((), "no tensor"),
        ((3,), "no tensor"),
        ((torch.zeros(2, 3), [torch.zeros(5)]), "2x3, 5"),
    ):
        seen = Watch()
        with watch(modules_of(network), seen), pytest.raises(ValueError, match="on purpose"):
            network(*args)
        assert seen.where_it_stopped() == f"stopped at layer (top), which got {words}"
