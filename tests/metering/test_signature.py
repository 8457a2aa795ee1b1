"""Which calls a meter tells apart, how many samples one is, and what its backward pass costs."""

import pytest
import torch
from flopledger import meter
from torch import nn, zeros

LINEAR = 4 * 5


class Takes(nn.Module):
    """A linear layer, whatever else is given."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 5)

    def forward(self, x, option=None):
        return self.linear(x)


class Slot:
    """An argument without a dictionary."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(
    ("first", "other"),
    [
        (1, 2),
        ("a", "b"),
        (None, zeros(2)),
        (zeros(2), zeros(3)),
        (zeros(2), zeros(2, dtype=torch.float64)),
        (zeros(2), zeros(2, requires_grad=True)),
        ([1, zeros(2)], [1, zeros(3)]),
        ((1, (2, 3)), (1, (2, 4))),
        ({"a": zeros(2)}, {"b": zeros(2)}),
        ({"a": zeros(2)}, {"a": zeros(3)}),
        (Slot(zeros(2)), Slot(zeros(3))),
    ],
)
def test_another_argument_is_another_signature(first, other, by_name):
    net = Takes()
    with meter(net) as m:
        for option in (first, other, first):
            net(zeros(3, 4), **{"option": option}) if by_name else net(zeros(3, 4), option)
    rows = m.read().by_signature()
    assert rows["calls"].tolist() == [2, 1]
    assert rows["samples"].tolist() == [2 * 3, 3]


def test_values_of_tensors_and_what_cannot_be_compared_are_no_signature():
    net = Takes()
    with meter(net) as m:
        for value in (0.0, 1.0):
            net(torch.full((3, 4), value), {1, value})
            net(torch.full((3, 4), value), option={2, value})
    rows = m.read().by_signature()
    assert rows["calls"].tolist() == [2, 2]
    assert rows["inputs"].tolist() == ["3x4 float32"] * 2
    assert rows["module"].tolist() == ["Takes"] * 2


class Counts(nn.Module):
    """Gives a parameter, whatever it is called with."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(zeros(4))

    def forward(self, *args):
        return self.weight * 2


@pytest.mark.parametrize(
    ("args", "samples", "inputs"),
    [
        ((), 1, ""),
        ((3,), 1, ""),
        ((torch.tensor(7),), 1, " int64"),
        ((zeros(3, 4), zeros(5)), 3, "3x4 float32, 5 float32"),
        (([zeros(2), zeros(7)], zeros(3)), 2, "2 float32, 7 float32, 3 float32"),
    ],
)
def test_samples_are_the_first_tensors_rows(args, samples, inputs):
    net = Counts()
    with meter(net) as m:
        net(*args)
        net(*args)
    row = m.read().by_signature().iloc[0]
    assert (row["samples"], row["inputs"], row["calls"]) == (2 * samples, inputs, 2)


# of 20 calls the 1st, 2nd and 8th, and each 5th (5, 10, 15, 20) or 7th (7, 14)
@pytest.mark.parametrize(("recount", "watched"), [(1, 20), (5, 7), (7, 5), (1000, 3)])
def test_which_calls_are_watched(recount, watched):
    net = nn.Linear(4, 5)
    with meter(net, recount=recount) as m:
        for _ in range(20):
            net(zeros(1, 4))
    assert m.read().by_signature().loc[0, "watched"] == watched


class Modes(nn.Module):
    """In training two layers, else one; two results."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        y = self.first(x)
        return {"a": self.second(y) if self.training else y * 2, "b": [y, x]}


def test_a_backward_pass_is_of_its_calls_mode_and_counts_once_for_all_results():
    net = Modes().eval()
    with meter(net) as m:
        out = net(zeros(3, 4))
        (out["a"].sum() + out["b"][0].sum()).backward()
        net.train()
        out = net(zeros(3, 4))
        (out["a"].sum() + out["b"][0].sum()).backward()
        during = m.read()
    assert during.totals.passes == m.read().totals.passes == 2
    assert net.training
    rows = m.read().by_signature()
    assert rows["training"].tolist() == [False, True]
    assert rows["backward_passes"].tolist() == [1, 1]
    # the first layer's weights; in training the second's, and its input's as well
    assert rows["backward_macs"].tolist() == [3 * 16, 3 * 3 * 16]
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_backward_pass_in_another_dtype_costs_the_same(dtype):
    net = nn.Linear(4, 5).to(dtype)
    with meter(net) as m:
        net(zeros(3, 4, dtype=dtype)).sum().backward()
    assert m.read().totals.backward_flops == 2 * 3 * LINEAR


class Once(nn.Module):
    """Can be called a single time."""

    def __init__(self):
        super().__init__()
        self.linear, self.called = nn.Linear(4, 4), False

    def forward(self, x):
        if self.called:
            raise RuntimeError("a second time")
        self.called = True
        return self.linear(x)


def test_a_backward_pass_is_counted_though_the_network_can_be_called_only_once():
    net = Once()
    with meter(net) as m:
        net(zeros(1, 4)).sum().backward()
    totals = m.read().totals
    assert (totals.backward_passes, totals.backward_flops) == (1, 2 * 16)
    assert totals.macs == 16


def test_without_gradients_there_is_no_backward_pass():
    net = nn.Linear(4, 5)
    with meter(net) as m:
        with torch.no_grad():
            net(zeros(2, 4))
        with torch.inference_mode():
            net(zeros(2, 4))
    totals = m.read().totals
    assert (totals.backward_passes, totals.backward_flops) == (0, 0)


def test_after_the_end_nothing_counts_and_the_clock_stands():
    net = nn.Linear(4, 5)
    with meter(net) as m:
        net(zeros(2, 4))
    net(zeros(2, 4))
    first, second = m.read(), m.read()
    assert first.totals.passes == 1
    assert first.seconds == second.seconds
    assert first.totals.seconds > 0
    row = first.by_signature().iloc[0]
    assert 0 < row["seconds"] <= first.seconds


def rows_of(net, lengths, calls=1):
    """A reading's rows of calls with so many rows of four."""
    with meter(net) as m:
        for length in lengths:
            for _ in range(calls):
                net(zeros(length, 4)).sum().backward()
    return m.read()


def test_of_many_shapes_that_hold_the_later_ones_are_watched_once_or_by_their_law():
    reading = rows_of(nn.Linear(4, 5), range(5, 25), calls=3)
    # the second call of each, until 16 of them cost what the first did; by then 16 lengths make a
    # law, which holds a sixteenth beyond the longest that was watched: at 21, and from 22 at 23
    assert reading.by_signature()["watched"].tolist() == [2] * 16 + [0, 1, 0, 1]
    rows = 3 * sum(range(5, 25))
    assert reading.totals.macs == rows * LINEAR
    assert reading.totals.backward_flops == 2 * rows * LINEAR


class InThrees(nn.Module):
    """Two layers every third time."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(4, 4, bias=False), 0

    def forward(self, x):
        self.calls += 1
        y = self.layer(x)
        return self.layer(y) if self.calls % 3 == 0 else y


def test_a_graph_of_another_size_has_the_next_calls_watched():
    net = InThrees()
    with meter(net) as m:
        for _ in range(12):
            net(zeros(1, 4)).sum().backward()
    reading = m.read()
    row = reading.by_signature().iloc[0]
    # the 1st and 2nd have one layer, which is taken of the 3rd; 4 to 7 are watched, so 6 is
    # seen to have two, and all that follow are watched
    assert (row["varies"], row["watched"]) == (True, 11)
    assert reading.totals.macs == (12 + 3) * 16
    # each layer's weight, and where there are two the second's input: the engine tells
    assert reading.totals.backward_flops == 2 * (8 + 4 * 3) * 16


@pytest.mark.filterwarnings("ignore")
def test_work_of_a_generator_is_unknown():
    class Steps(nn.Linear):
        def forward(self, x):
            yield super().forward(x)

    net = Steps(4, 5)
    with meter(net) as m:
        list(net(zeros(1, 4)))
    assert m.read().totals.macs is None


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("layout", [torch.jagged, torch.strided])
def test_nested_tensors_of_as_many_rows_are_alike(layout):
    net = nn.Linear(4, 5)

    def step(rows):
        x = torch.nested.nested_tensor([torch.zeros(n, 4) for n in rows], layout=layout)
        out = net(x)
        (out.values() if layout is torch.jagged else out.to_padded_tensor(0.0)).sum().backward()

    with meter(net) as m:
        for _ in range(4):
            step((2, 3))
            step((1, 4))
    rows = m.read().by_signature()
    assert rows["calls"].tolist() == [8]
    t = m.read().totals
    assert (t.samples, t.macs, t.backward_flops) == (8 * 2, 8 * 5 * LINEAR, 2 * 8 * 5 * LINEAR)


class Counted(nn.Module):
    """A layer, as often as it is told; what else it is told is of no matter."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x, times, step=0):
        for _ in range(times):
            x = self.layer(x)
        return x


def test_a_counter_is_no_signature_for_ever():
    net = Counted()
    with meter(net) as m:
        for step in range(200):
            net(zeros(1, 4), 1, step=step).sum().backward()
            net(zeros(2, 4), 1, f"text {step}")
    rows = m.read().by_signature()
    assert len(rows) == 2 * (64 + 1)
    t = m.read().totals
    assert (t.macs, t.backward_flops) == (200 * 3 * 16, 2 * 200 * 16)


def test_a_number_that_decides_the_work_counts_still():
    net = Counted()
    with meter(net) as m:
        for step in range(200):
            net(zeros(1, 4), 1 + step % 7, step)
    assert m.read().totals.macs == 16 * sum(1 + step % 7 for step in range(200))
    assert len(m.read().rows) == 64 + 1


class Skips(nn.Module):
    """Of two layers the second at times."""

    skips = False

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.first(x) if self.skips else self.second(self.first(x))


def test_calls_that_are_seldom_others_are_waited_for():
    net = Skips()
    order = [call >= 20 and call % 16 == 5 for call in range(120)]
    with meter(net) as m:
        for net.skips in order:
            with m.unit("call"):
                net(zeros(3, 4))
    calls = m.read().by_unit("call")["macs"].tolist()
    layer = 3 * 4 * 4
    # 4, 8, and then 16 calls are watched after one whose graph has another number of nodes
    late = {21, 37, 53}
    assert calls == [layer * (2 - (skips and n not in late)) for n, skips in enumerate(order)]
