"""The backward passes that really ran, each worked out by hand."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import torch
from flopledger import meter
from torch import nn, rand
from torch.utils.checkpoint import checkpoint

B = 3  # samples
FIRST, SECOND = B * 4 * 5, B * 5 * 2  # MACs of the two layers


def two_layers(between=nn.ReLU):
    return nn.Sequential(nn.Linear(4, 5), between(), nn.Linear(5, 2))


def backward_macs(work, *modules):
    """MACs of the backward passes of some work, beside the reading."""
    with meter({f"m{i}": module for i, module in enumerate(modules)}) as m:
        work()
    reading = m.read()
    flops = reading.totals.backward_flops
    return (None if flops is None else flops / 2), reading


def test_two_passes_over_one_graph():
    net = two_layers()

    def work():
        out = net(rand(B, 4))
        out[:, :1].sum().backward(retain_graph=True)
        out[:, 1:].sum().backward()

    macs, reading = backward_macs(work, net)
    # both weights' gradients, and that of the second layer's input
    assert macs == 2 * (FIRST + 2 * SECOND)
    assert reading.totals.backward_passes == 2


def test_the_gradient_of_the_input_alone():
    net, x = two_layers(), rand(B, 4, requires_grad=True)
    macs, _ = backward_macs(lambda: torch.autograd.grad(net(x).sum(), x), net)
    assert macs == FIRST + SECOND


def test_the_gradient_of_one_weight_alone():
    net = two_layers()
    macs, _ = backward_macs(lambda: torch.autograd.grad(net(rand(B, 4)).sum(), net[2].weight), net)
    assert macs == SECOND
    macs, _ = backward_macs(lambda: net(rand(B, 4)).sum().backward(inputs=[net[0].weight]), net)
    assert macs == SECOND + FIRST


def test_layers_that_are_frozen_and_thawed_between_readings():
    net = two_layers()

    def step(frozen):
        net[0].requires_grad_(not frozen)
        net(rand(B, 4)).sum().backward()

    with meter(net) as m:
        done = []
        for frozen in (True, False, True):
            step(frozen)
            done.append(m.read().totals.backward_flops)
    head, whole = 2 * SECOND, 2 * (FIRST + 2 * SECOND)
    assert done == [head, head + whole, head + whole + head]


class Heads(nn.Module):
    """A body, a small head, and a large one."""

    def __init__(self):
        super().__init__()
        self.body, self.small, self.large = nn.Linear(4, 5), nn.Linear(5, 1), nn.Linear(5, 100)

    def forward(self, x):
        y = self.body(x)
        return self.small(y), self.large(y)


def test_one_of_two_heads():
    net = Heads()
    small, large = B * 5, B * 5 * 100
    macs, _ = backward_macs(lambda: net(rand(B, 4))[0].sum().backward(), net)
    assert macs == FIRST + 2 * small

    def both():
        a, b = net(rand(B, 4))
        (a.sum() + b.sum()).backward()

    macs, reading = backward_macs(both, net)
    assert macs == FIRST + 2 * (small + large)
    assert reading.totals.backward_passes == 1


@dataclass
class Output:
    loss: torch.Tensor
    name: str = "loss"


class Own:
    """A result that nothing knows."""

    def __init__(self, loss):
        self.loss = loss


class Slot:
    """A result without a dictionary."""

    __slots__ = ("loss",)

    def __init__(self, loss):
        self.loss = loss


@pytest.mark.parametrize(
    "kind",
    [Output, Own, Slot, lambda t: {"a": [t, None]}, lambda t: [Output(t)], lambda t: [[Own(t)], 1]],
)
def test_results_of_any_kind(kind):
    class Wraps(nn.Linear):
        def forward(self, x):
            self.out = super().forward(x)
            return kind(self.out.sum())

    net = Wraps(4, 5)

    def work():
        net(rand(B, 4))
        net.out.sum().backward()

    assert backward_macs(work, net)[0] == FIRST


def test_a_gradient_penalty():
    """|d net(x)/dx|^2, through which a second pass goes back to the weights."""
    net = two_layers(nn.Tanh)
    x = rand(B, 4, requires_grad=True)

    def work():
        (gradient,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        gradient.square().sum().backward()

    macs, reading = backward_macs(work, net)
    first = FIRST + SECOND
    # every product of the first pass, [.., m, k] x [.., k, n], has two in the second, but that the
    # gradient of the sum itself is wanted by none: the second layer's has one
    second = 2 * FIRST + SECOND
    # and on through tanh to the first layer: its weight and x
    assert macs == first + second + 2 * FIRST
    assert reading.totals.backward_passes == 2


def test_a_convolutions_gradient_penalty():
    net, x = nn.Conv2d(2, 3, 3), rand(1, 2, 5, 5, requires_grad=True)
    conv = (3 * 3) * 3 * (2 * 3 * 3)  # points x filters x kernel

    def work():
        (gradient,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
        gradient.square().sum().backward()

    # d/dx; of that again towards the weight and the result; and the result towards weight and x
    assert backward_macs(work, net)[0] == conv + 2 * conv + 2 * conv


def test_a_result_within_that_is_led_out():
    """A perceptual loss is of features, which a hook takes from inside."""
    net, features = two_layers(), []
    net[1].register_forward_hook(lambda _, __, out: features.append(out))

    def work():
        net(rand(B, 4))
        features.pop().sum().backward()

    assert backward_macs(work, net)[0] == FIRST


class Squared(torch.autograd.Function):
    """x @ x, by its own code."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x @ x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient @ x.t() + x.t() @ gradient


def test_a_function_with_code_of_its_own():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(rand(4, 4))

        def forward(self):
            return Squared.apply(self.weight)

    net = Net()

    def work():
        for _ in range(5):
            net().sum().backward()

    macs, reading = backward_macs(work, net)
    assert macs == 5 * 2 * 4**3
    assert reading.complete


def test_a_mapped_gradient_of_each_sample():
    net = two_layers()
    weights = {name: weight.detach() for name, weight in net.named_parameters()}

    def loss(weights, x):
        return torch.func.functional_call(net, weights, (x[None],)).sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))
    macs, reading = backward_macs(lambda: each(weights, rand(B, 4)), net)
    assert macs == FIRST + 2 * SECOND
    assert (reading.totals.samples, reading.totals.macs) == (B, FIRST + SECOND)


def test_several_gradients_at_once():
    net = two_layers()

    def work():
        for _ in range(3):
            out = net(rand(B, 4))
            rows = torch.ones(5, *out.shape)
            torch.autograd.grad(out, list(net.parameters()), rows, is_grads_batched=True)

    macs, _ = backward_macs(work, net)
    assert macs == 3 * 5 * (FIRST + 2 * SECOND)


class Checkpointed(nn.Module):
    """The first layer's work is done again in the backward pass."""

    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant
        self.first, self.second = nn.Sequential(nn.Linear(4, 5), nn.ReLU()), nn.Linear(5, 2)

    def forward(self, x):
        return self.second(checkpoint(self.first, x, use_reentrant=self.reentrant))


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("also_within", [False, True])
def test_what_is_computed_again_is_apart(reentrant, also_within):
    net = Checkpointed(reentrant)
    x = rand(B, 4, requires_grad=True)

    def work():
        for _ in range(5):
            net(x).sum().backward()

    macs, reading = backward_macs(work, net, *[net.first] * also_within)
    totals = reading.totals
    assert macs == 5 * 2 * (FIRST + SECOND)
    assert (totals.passes, totals.failed, totals.macs) == (5, 0, 5 * (FIRST + SECOND))
    assert totals.recomputed_flops == 5 * 2 * FIRST
    assert totals.model_flops == totals.flops + totals.backward_flops


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_block_that_is_checkpointed_from_outside(reentrant):
    block = two_layers()
    x = rand(B, 4, requires_grad=True)

    def work():
        for _ in range(5):
            checkpoint(block, x, use_reentrant=reentrant).sum().backward()

    macs, reading = backward_macs(work, block)
    totals = reading.totals
    assert (totals.passes, totals.samples, totals.failed) == (5, 5 * B, 0)
    assert (totals.macs, macs) == (5 * (FIRST + SECOND), 5 * 2 * (FIRST + SECOND))
    # the form that enters autograd again does it all; the other stops at the last that is kept
    again = FIRST + SECOND if reentrant else FIRST
    assert totals.recomputed_flops == 5 * 2 * again


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("also_within", [False, True])
def test_a_block_that_is_checkpointed_from_outside_and_inside(outer, inner, also_within):
    net = Checkpointed(inner)
    x = rand(B, 4, requires_grad=True)

    def work():
        for _ in range(5):
            checkpoint(lambda x: net(x).relu(), x, use_reentrant=outer).sum().backward()

    macs, reading = backward_macs(work, net, *[net.first] * also_within)
    totals = reading.totals
    assert (totals.passes, totals.macs) == (5, 5 * (FIRST + SECOND))
    assert macs == 5 * 2 * (FIRST + SECOND)
    # the outer does it all again, and what the inner holds twice
    assert totals.recomputed_flops == 5 * 2 * (FIRST + SECOND + FIRST)


def test_what_the_graph_does_not_lead_to_is_left_alone():
    encoder, head = nn.Linear(4, 5), nn.Linear(5, 2)
    macs, reading = backward_macs(lambda: head(encoder(rand(B, 4))).sum().backward(), head)
    assert macs == 2 * SECOND  # the encoder is not metered
    macs, reading = backward_macs(lambda: head(encoder(rand(B, 4))).sum().backward(), encoder, head)
    assert reading.by_signature()["backward_macs"].tolist() == [FIRST, 2 * SECOND]


def test_a_graph_goes_when_its_program_lets_it_go():
    import gc
    import weakref

    net = two_layers()
    gc.disable()  # what is freed is freed by its last reference, not by the collector
    try:
        with meter(net):
            x = rand(B, 4)
            kept = weakref.ref(x)  # by the graph
            out = net(x)
            out.sum().backward(retain_graph=True)
            (gradient,) = torch.autograd.grad(out.sum(), net[0].weight, create_graph=True)
            gradient.sum().backward(retain_graph=True)
            del x
            assert kept() is not None
            del out, gradient
            assert kept() is None
    finally:
        gc.enable()


class InThreads(nn.Module):
    """Two layers, each in a thread of its own."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(5, 2) for _ in range(2))

    def forward(self, x):
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(lambda layer: layer(x), self.layers))


def test_a_graph_that_several_threads_made():
    before, net = nn.Linear(4, 5), InThreads()

    def work():
        for _ in range(3):
            net(before(rand(B, 4))).sum().backward()

    macs, _ = backward_macs(work, net)
    assert macs == 3 * 2 * 2 * SECOND  # to each weight and the input; the layer before is not its
