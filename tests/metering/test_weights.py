"""A module's weights may be replaced, and are let go of when they are."""

from weakref import ref

import pytest
from backward_by_step import by_step
from flopledger import meter
from torch import nn, rand
from torch.func import functional_call

STEPS = 40  # more than are all followed
FIRST, SECOND = 7 * 2 * 3, 7 * 3 * 5  # MACs of one product of each layer: points x weights


@pytest.fixture
def net():
    return nn.Sequential(nn.Conv1d(2, 3, 1), nn.Conv1d(3, 5, 1))


def replaced(net, trained, x):
    net[1].weight = nn.Parameter(rand(5, 3, 1), requires_grad=trained)
    return net(x)


def given(net, trained, x):
    weights = {name: weight.detach() for name, weight in net.named_parameters()}
    for name, weight in weights.items():
        weight.requires_grad_(trained or name != "1.weight")
    return functional_call(net, weights, (x,))


@pytest.mark.parametrize("call", [replaced, given])
def test_a_weight_in_anothers_place_that_is_not_trained(net, call):
    """A convolution's graph has as many nodes."""
    order = [True] * STEPS + [False] * STEPS + [True] * 3

    def step(trained):
        call(net, trained, rand(1, 2, 7)).sum().backward()

    assert by_step(net, step, order) == [FIRST + SECOND + SECOND * trained for trained in order]


def test_a_weight_that_is_taken_away(net):
    order = [True] * STEPS + [False] * STEPS

    def step(there):
        net[1].bias = net[1].bias if there else None
        net(rand(1, 2, 7)).sum().backward()

    assert by_step(net, step, order) == [FIRST + 2 * SECOND] * len(order)


def test_what_is_replaced_is_let_go(net):
    with meter(net):
        for _ in range(STEPS):
            net(rand(1, 2, 7)).sum().backward()
        weight, layer = ref(net[1].weight), ref(net[0].weight)
        net[1].weight, net[0] = nn.Parameter(rand(5, 3, 1)), nn.Conv1d(2, 3, 1)
        assert weight() is None
        assert layer() is None


def test_weights_that_a_call_was_given_are_let_go(net):
    with meter(net):
        for _ in range(STEPS):
            weights = {name: weight * 1 for name, weight in net.named_parameters()}
            functional_call(net, weights, (rand(1, 2, 7),)).sum().backward()
            given = ref(weights["0.weight"])
            del weights
            assert given() is None
