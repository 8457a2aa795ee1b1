"""Passes over calls that are not watched, each another than those that were."""

import pytest
import torch
from flopledger import meter
from torch import nn, rand
from torch.distributions import Categorical, Independent

B = 3  # samples
FIRST, SECOND = B * 4 * 5, B * 5 * 2  # MACs of the two layers
STEPS = 30  # of which the 1st, 2nd and 8th are watched


def backward_macs(net, step):
    """MACs of the backward passes of steps, given their number."""
    with meter(net) as m:
        for number in range(STEPS):
            step(number)
    return m.read().totals.backward_flops / 2


def test_what_is_asked_for_changes_from_step_to_step():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))

    def step(number):
        x = rand(B, 4, requires_grad=True)
        loss = net(x).sum()
        if number % 5 == 0:
            torch.autograd.grad(loss, x)
        elif number % 5 == 1:
            torch.autograd.grad(loss, net[2].weight)
        elif number % 5 == 2:
            loss.backward(inputs=[net[0].weight])
        elif number % 5 == 3:
            loss.backward(retain_graph=True)
            loss.backward()
        else:
            torch.autograd.grad(loss, list(net.parameters()))

    by_turns = FIRST + SECOND, SECOND, FIRST + SECOND, 2 * 2 * (FIRST + SECOND), FIRST + 2 * SECOND
    assert backward_macs(net, step) == STEPS // 5 * sum(by_turns)


def test_layers_that_are_frozen_by_turns():
    """Of a convolution the graph has as many nodes, frozen or not."""
    net = nn.Sequential(*[nn.Conv2d(3, 3, 1, bias=False) for _ in range(3)])
    layer = 2 * (4 * 4) * 3 * 3  # samples x points x filters x kernel

    def step(number):
        for place, part in enumerate(net):
            part.requires_grad_(place != number % 3)
        net(rand(2, 3, 4, 4)).sum().backward()

    # weights of two, and the inputs of those after the first that is not frozen
    assert backward_macs(net, step) == STEPS // 3 * ((2 + 1) + (2 + 2) + (2 + 2)) * layer


class Heads(nn.Module):
    """A body with two heads."""

    def __init__(self):
        super().__init__()
        self.body, self.left, self.right = nn.Linear(4, 5), nn.Linear(5, 2), nn.Linear(5, 2)

    def forward(self, x):
        y = self.body(x).relu()
        return self.left(y), self.right(y)


def test_heads_by_turns_and_both():
    net = Heads()

    def step(number):
        left, right = net(rand(B, 4))
        if number % 3 == 2:
            left.sum().backward(retain_graph=True)
            (left + right).sum().backward()
        else:
            (left, right)[number % 3].sum().backward()

    single, both = FIRST + 2 * SECOND, FIRST + 4 * SECOND
    assert backward_macs(net, step) == STEPS // 3 * (2 * single + single + both)


def test_gradient_penalties_now_and_then():
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))

    def step(number):
        x = rand(B, 4, requires_grad=True)
        loss = net(x).sum()
        if number % 3 == 2:
            (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
            loss = gradient.square().sum()
        loss.backward()

    plain = 2 * (FIRST + SECOND)
    penalty = FIRST + SECOND + 2 * FIRST + SECOND + 2 * FIRST  # as in test_call_graph.py
    assert backward_macs(net, step) == STEPS // 3 * (2 * plain + penalty)


@pytest.mark.parametrize("from_call", [0, 20])
def test_features_that_a_hook_leads_out(from_call):
    net, features = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), []
    net[1].register_forward_hook(lambda _, __, out: features.append(out))

    def step(number):
        out = net(rand(B, 4))
        (features.pop() if number >= from_call else out).sum().backward()

    whole = FIRST + 2 * SECOND
    assert backward_macs(net, step) == from_call * whole + (STEPS - from_call) * FIRST


class Actor(Heads):
    """Whose left head's result is in a distribution."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def forward(self, x):
        left, right = super().forward(x)
        return self.result(Categorical(logits=left), right)


@pytest.mark.parametrize("kind", ["tuple", "dict", "nested"])
def test_a_policys_distribution_beside_a_value(kind):
    net = Actor(
        {
            "tuple": lambda policy, value: (policy, value),
            "dict": lambda policy, value: {0: policy, 1: (value, 1)},
            "nested": lambda policy, value: ((Independent(policy, 0), None), value),
        }[kind]
    )

    def step(number):
        out = net(rand(B, 4))
        policy = out[0][0] if kind == "nested" else out[0]
        value = out[1][0] if kind == "dict" else out[1]
        loss = policy.log_prob(torch.zeros(B)).sum()
        (loss if number % 2 else loss + value.sum()).backward()

    assert backward_macs(net, step) == STEPS // 2 * (2 * FIRST + 6 * SECOND)
