"""Passes that are told before they run: of graphs met before, and asked for other things."""

import pytest
import torch
from backward_by_step import LAYER, WIDTH, B, by_step, layers
from flopledger import meter
from torch import nn, rand


def test_one_layer_is_trained_at_a_time():
    net = layers(4)

    def step(trained):
        for place, layer in enumerate(net):
            layer.weight.requires_grad_(place == trained)
        net(rand(B, WIDTH)).sum().backward()

    order = [0, 3, 1, 2, 1, 0, 0, 2] * 5
    # its weight's gradient, and those of the results from the last down to it; biases want none,
    # but the first's wants the results'
    net.requires_grad_(False)
    expected = [LAYER * (1 + 3 - trained) for trained in order]
    assert by_step(net, step, order) == expected
    net[0].bias.requires_grad_(True)
    assert by_step(net, step, order) == [LAYER * (1 + 3)] * len(order)


@pytest.mark.parametrize("before", [0, 40])  # passes that ask for all, more than are all followed
def test_passes_that_ask_for_other_gradients_in_turn(before):
    net = layers(2)
    first, second = net[0].weight, net[1].weight

    def step(inputs):
        x = rand(B, WIDTH, requires_grad=True)
        out = net(x).sum()
        if inputs == "x":
            torch.autograd.grad(out, x)
        elif inputs is None:
            out.backward()
        else:
            out.backward(inputs=inputs)

    macs = {"x": 2, None: 4, (first,): 2, (second,): 1, (first, second): 3}
    order = [None] * before + [*macs, *macs, None, None, *macs] + [*macs] * 6
    assert by_step(net, step, order) == [LAYER * macs[inputs] for inputs in order]


class Cut(nn.Linear):
    """Of a batch's first rows."""

    rows = 3

    def forward(self, x):
        return super().forward(x[: self.rows])


def test_shapes_that_change_within_are_seen_and_have_calls_watched():
    net = Cut(4, 5)

    def step(rows):
        net.rows = rows
        net(rand(B, 4)).sum().backward()

    with meter(net) as m:
        for rows in [3] * 10 + [2] * 10:
            step(rows)
    t = m.read().totals
    row = 4 * 5
    assert t.backward_flops == 2 * row * (10 * 3 + 10 * 2)
    # the first of the other calls is taken for one like those before
    assert t.macs == row * (11 * 3 + 9 * 2)


def test_what_was_cut_off_is_joined():
    """A layer that had no gradient to pass on has one, in a graph of as many nodes."""

    class Joined(nn.Module):
        joined = False

        def __init__(self):
            super().__init__()
            self.first, self.second = layers(2)

        def forward(self, x):
            y = self.first(x)
            return self.second(y if self.joined else y.detach())

    net = Joined()

    def step(joined):
        net.joined = joined
        net(rand(B, WIDTH)).sum().backward()

    order = [False] * 5 + [True] * 5 + [False, True] * 20
    # the second's weight's; and the results' of the first, and its weight's
    assert by_step(net, step, order) == [LAYER * (3 if joined else 1) for joined in order]


def test_one_shape_of_several_that_changes_is_found_in_a_few_passes():
    net = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), Cut(WIDTH, WIDTH))

    def step(rows):
        net[2].rows = rows
        net(rand(B, WIDTH)).sum().backward()

    steps = by_step(net, step, [3] * 12 + [2] * 12)
    row = WIDTH * WIDTH  # the last layer's, of either product; before it the first has one, not two
    assert steps[:12] == [3 * LAYER + 2 * 3 * row] * 12
    assert steps[12 + 3 :] == [3 * LAYER + 2 * 2 * row] * (12 - 3)  # there are three to look at


class Doubled(torch.autograd.Function):
    """2 x, by its own code."""

    @staticmethod
    def forward(_, x):
        return 2 * x

    @staticmethod
    def backward(_, gradient):
        return 2 * gradient


class Within(nn.Module):
    """Layers, with code of one's own between them."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers(2)

    def forward(self, x):
        return self.second(Doubled.apply(self.first(x)))


def test_code_of_ones_own_among_layers():
    net = Within()
    steps = by_step(net, lambda _: net(rand(B, WIDTH)).sum().backward(), range(12))
    assert steps == [3 * LAYER] * 12


def test_two_results_in_either_order():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.small, self.large = layers(1), nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 9)

        def forward(self, x):
            y = self.body(x)
            return self.small(y), self.large(y)

    net = Heads()
    small, large = B * WIDTH, B * WIDTH * 9
    macs = {"both": 2 * (small + large), "small": 2 * small, "large": 2 * large}

    def step(heads):
        a, b = (out.sum() for out in net(rand(B, WIDTH)))
        {"both": a + b, "small": a, "large": b}[heads].backward()

    order = [*macs] * 4
    assert by_step(net, step, order) == [LAYER + macs[heads] for heads in order]


def test_graphs_of_one_size_that_differ():
    class Either(nn.Module):
        """Two layers, or one and two sines: as many nodes."""

        def __init__(self):
            super().__init__()
            self.two, self.one = nn.Sequential(nn.Linear(4, 7), nn.Linear(7, 5)), nn.Linear(4, 5)

        def forward(self, x, which):
            return self.two(x) if which[0] else self.one(x).sin().sin()

    net = Either()
    macs = {True: B * (4 * 7 + 2 * 7 * 5), False: B * 4 * 5}
    order = [True] * 9 + [False] * 3 + [True, False] * 30
    which = [False]

    def step(two):
        which[0] = two
        net(rand(B, 4), Choice(which)).sum().backward()

    assert by_step(net, step, order) == [macs[two] for two in order]


class Choice:
    """What it is of no key tells."""

    __slots__ = ("_which",)

    def __init__(self, which):
        self._which = which

    def __getitem__(self, place):
        return self._which[place]


STOPS = 40


class Stopped(torch.autograd.Function):
    """Gives no gradient on, while it is told to."""

    stops = False

    @staticmethod
    def forward(_, x):
        return x * 1

    @staticmethod
    def backward(_, gradient):
        return None if Stopped.stops else gradient


class StopsWithin(nn.Sequential):
    """Between its layers."""

    def forward(self, x):
        return self[1](Stopped.apply(self[0](x)))


@pytest.mark.parametrize("within", [False, True])
def test_nothing_is_run_below_what_gives_no_gradient_on(within):
    net = (StopsWithin if within else nn.Sequential)(nn.Linear(4, 4), nn.Linear(4, 4))
    order = [True] * STOPS + ([] if within else [False] * STOPS + [True] * STOPS)
    with meter(net) as m:
        for Stopped.stops in order:
            with m.unit("step"):
                out = net(rand(3, 4))
                (out if within else Stopped.apply(out)).sum().backward()
    steps = m.read().by_unit("step")["backward_flops"] / 2
    # of the layer above its weight's gradient and its input's
    stopped = 2 * 3 * 4 * 4 if within else 0
    assert steps.tolist() == [stopped if stops else 3 * 3 * 4 * 4 for stops in order]
