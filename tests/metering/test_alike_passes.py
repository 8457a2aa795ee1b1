"""Of many backward passes that are alike few are followed: what changes after them counts."""

import gc
from weakref import ref

import pytest
import torch
from backward_by_step import LAYER, WIDTH, B, by_step, layers
from flopledger import meter
from torch import nn, rand

MANY = 40  # more than are all followed


def test_a_pass_twice_through_a_graph_and_one_with_a_graph_of_its_own():
    net = layers(2)

    def step(times):
        out = net(rand(B, WIDTH)).sum()
        for time in range(times):
            out.backward(retain_graph=time < times - 1)

    order = [1] * MANY + [2, 1, 3]
    # of the second layer both products, of the first that of its weight
    assert by_step(net, step, order) == [LAYER * 3 * times for times in order]


@pytest.mark.parametrize("of", ["weight", "bias"])
def test_convolutions_that_are_frozen(of):
    """Which leaves as many nodes."""
    net = nn.Sequential(nn.Conv1d(2, 3, 1), nn.Conv1d(3, 5, 1))

    def step(frozen):
        for layer in net:
            getattr(layer, of).requires_grad_(not frozen)
        net(rand(1, 2, 7)).sum().backward()

    first, second = 7 * 2 * 3, 7 * 3 * 5
    trained = first + 2 * second
    # biases take no products; without the weights the first layer's still wants the gradient
    frozen = {"weight": second, "bias": trained}[of]
    steps = by_step(net, step, [False] * MANY + [True] * MANY + [False] * 3)
    assert steps == [trained] * MANY + [frozen] * MANY + [trained] * 3


class Cut(nn.Module):
    """A head on features, or on what is cut from them: both have as many nodes."""

    cut = False

    def __init__(self, between):
        super().__init__()
        self.head = nn.Sequential(between, nn.Linear(WIDTH, WIDTH))
        self.body = layers(3)

    def forward(self, x):
        features = self.body(x)
        return self.head(features.detach() if self.cut else features)


@pytest.mark.parametrize("between", [nn.Identity(), nn.LayerNorm(WIDTH)])
@pytest.mark.parametrize("first", [False, True])
def test_a_body_that_is_cut_off_from_its_head(between, first):
    net = Cut(between)

    def step(cut):
        net.cut = cut
        net(rand(B, WIDTH)).sum().backward()

    # to be joined to a body is seen at once, as is to be cut off from it
    order = [first] * MANY + [not first] * MANY + [first] * 3
    # of the head its weight's and the features'; of the body 3 + 2
    macs = {True: LAYER, False: LAYER * (2 + 5)}
    if isinstance(between, nn.LayerNorm):  # has weights of its own, below the head's layer
        macs[True] += LAYER
    assert by_step(net, step, order) == [macs[cut] for cut in order]


def test_after_many_passes_a_cut_is_found_within_four():
    net = Cut(nn.Identity())

    def step(cut):
        net.cut = cut
        net(rand(B, WIDTH)).sum().backward()

    whole, head = LAYER * (2 + 5), LAYER
    steps = by_step(net, step, [False] * 300 + [True] * 20)
    assert steps[:300] == [whole] * 300
    assert steps[300 + 3 :] == [head] * (20 - 3)


def test_a_cut_at_every_other_of_many_passes():
    net = Cut(nn.Identity())

    def step(cut):
        net.cut = cut
        net(rand(B, WIDTH)).sum().backward()

    order = [step >= 300 and step % 2 == 1 for step in range(360)]
    steps = by_step(net, step, order)
    macs = {False: LAYER * (2 + 5), True: LAYER}
    # it is asked one time in four, and not at every other pass alone
    assert steps[300 + 16 :] == [macs[cut] for cut in order[300 + 16 :]]


class LateWeight(nn.Module):
    """A head whose weight is made of others, before all else, and a norm between it and a body."""

    cut = False

    def __init__(self):
        super().__init__()
        self.code, self.table = nn.Parameter(rand(1, 2)), nn.Linear(2, WIDTH * WIDTH)
        self.body, self.norm = layers(3), nn.LayerNorm(WIDTH)

    def forward(self, x):
        weight = self.table(self.code).view(WIDTH, WIDTH)
        features = self.body(x)
        return self.norm(features.detach() if self.cut else features) @ weight


def test_a_body_that_is_cut_off_from_a_head_whose_weight_was_made_first():
    net = LateWeight()

    def step(cut):
        net.cut = cut
        net(rand(B, WIDTH)).sum().backward()

    head = 2 * LAYER + 2 * 2 * WIDTH * WIDTH  # and of the table its weight and the code
    steps = by_step(net, step, [False] * MANY + [True] * MANY)
    assert steps == [head + 5 * LAYER] * MANY + [head] * MANY


class Halves(nn.Module):
    """Two layers side by side, of which one may be cut off."""

    cut = False

    def __init__(self):
        super().__init__()
        self.body, (self.left, self.right) = layers(1), layers(2)

    def forward(self, x):
        x = self.body(x)
        return self.left(x) + self.right(x.detach() if self.cut else x)


def test_one_of_two_branches_is_found_to_be_cut_off_within_sixteen_passes():
    net = Halves()

    def step(cut):
        net.cut = cut
        net(rand(B, WIDTH)).sum().backward()

    steps = by_step(net, step, [False] * MANY + [True] * MANY)
    assert steps[:MANY] == [LAYER * 5] * MANY
    assert steps[MANY + 15 :] == [LAYER * 4] * (MANY - 15)


@pytest.mark.parametrize(("period", "phase", "found"), [(2, 0, 64), (2, 1, 64), (24, 5, 700)])
def test_a_branch_that_is_cut_off_now_and_then_is_found_out_for_good(period, phase, found):
    net = Halves()

    def step(cut):
        net.cut = cut
        net(rand(B, WIDTH)).sum().backward()

    order = [step >= MANY and step % period == phase for step in range(MANY + found + 3 * period)]
    macs = {False: LAYER * 5, True: LAYER * 4}
    steps = by_step(net, step, order)
    assert steps[:MANY] == [macs[False]] * MANY
    assert steps[MANY + found :] == [macs[cut] for cut in order[MANY + found :]]


class Rows(nn.Linear):
    """Of a batch's first rows."""

    rows = B

    def forward(self, x):
        return super().forward(x[: self.rows])


def test_shapes_that_change_within_are_found_within_sixteen_passes():
    net = nn.Sequential(*layers(2), Rows(WIDTH, WIDTH))

    def step(rows):
        net[2].rows = rows
        net(rand(B, WIDTH)).sum().backward()

    row = WIDTH * WIDTH
    steps = by_step(net, step, [B] * MANY + [1] * MANY)
    assert steps[:MANY] == [3 * LAYER + 2 * B * row] * MANY
    assert steps[MANY + 16 + 2 :] == [3 * LAYER + 2 * row] * (MANY - 16 - 2)


def test_another_layer_in_the_place_of_one():
    net = layers(2)

    def step(features):
        if net[0].out_features != features:
            net[0], net[1] = nn.Linear(WIDTH, features), nn.Linear(features, WIDTH)
        net(rand(B, WIDTH)).sum().backward()

    steps = by_step(net, step, [WIDTH] * MANY + [9] * MANY)
    # the meter sees no such change but in passes that are followed
    assert steps[MANY + 16 + 2 :] == [B * WIDTH * 9 * 3] * (MANY - 16 - 2)


def test_what_comes_to_a_result_alone_is_no_backward_pass():
    net = layers(2)
    with meter(net) as m:
        for _ in range(MANY):
            net(rand(B, WIDTH)).sum().backward()
        out = net(rand(B, WIDTH))
        assert torch.autograd.grad(out.sum(), out)[0].shape == out.shape
    totals = m.read().totals
    assert (totals.backward_passes, totals.backward_flops) == (MANY, MANY * 2 * 3 * LAYER)


def test_results_keep_their_own_hooks():
    net, seen = layers(1), []
    with meter(net) as m:
        for _ in range(MANY):
            out = net(rand(B, WIDTH))
            assert out._backward_hooks is None
            out.retain_grad()
            out.register_hook(seen.append)
            out.sum().backward()
            assert torch.equal(out.grad, torch.ones(B, WIDTH))
    assert len(seen) == MANY
    assert m.read().totals.backward_flops == MANY * 2 * LAYER


@pytest.mark.parametrize("result", [0, 1])
def test_several_gradients_of_one_of_a_nodes_results(result):
    class Split(nn.Linear):
        def forward(self, x):
            return super().forward(x).split(2, dim=1)

    net = Split(WIDTH, WIDTH)
    with meter(net) as m:
        out = net(rand(B, WIDTH))[result].sum(0)
        torch.autograd.grad(out, net.weight, torch.eye(2), is_grads_batched=True)
    assert m.read().totals.backward_flops == 2 * 2 * LAYER


def test_weights_of_a_module_that_is_dropped_are_let_go():
    net = layers(1)
    with meter(net) as m:
        for _ in range(MANY):
            net(rand(B, WIDTH)).sum().backward()
    weight = ref(net[0].weight)
    del net, m
    gc.collect()
    assert weight() is None
