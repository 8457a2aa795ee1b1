"""Ctrl-C goes through a module, and no hook is told: the meter finds out, and leaves nothing on."""

import pytest
from flopledger import meter
from flopledger.counting.shapes.dispatch_mode import DispatchMode
from torch import nn, zeros
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack as modes

LINEAR = 4 * 5


class Interrupted(nn.Linear):
    def forward(self, x, stop=False):
        y = super().forward(x)
        if stop:
            raise KeyboardInterrupt
        return y


class Theirs(DispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class Resumes(nn.Module):
    """Has its part interrupted, and calls it again."""

    def __init__(self):
        super().__init__()
        self.part = Interrupted(4, 5)

    def forward(self, x):
        with pytest.raises(KeyboardInterrupt):
            self.part(x, stop=True)
        return self.part(x)


def test_the_meter_goes_with_the_program_that_is_interrupted():
    net = Interrupted(4, 5)
    with pytest.raises(KeyboardInterrupt), meter(net) as m:
        net(zeros(1, 4), stop=True)
    assert not modes()
    assert not {**net._forward_hooks, **net._forward_pre_hooks}
    assert (m.read().totals.passes, m.read().totals.failed) == (0, 1)


def test_what_follows_counts_as_before():
    net = Interrupted(4, 5)
    with meter(net) as m:
        for call in range(10):
            with pytest.raises(KeyboardInterrupt):
                net(zeros(1, 4), stop=True)
            with Theirs() as theirs:
                net(zeros(1, 4)).sum().backward()
                assert modes() == [theirs]  # it is not mixed up with ours
            assert not modes(), call
    t = m.read().totals
    assert (t.passes, t.failed) == (10, 10)
    assert (t.macs, t.backward_flops) == (10 * LINEAR, 10 * 2 * LINEAR)


def test_a_part_that_is_interrupted_within_the_whole():
    net = Resumes()
    with meter({"net": net, "part": net.part}) as m:
        for _ in range(5):
            net(zeros(1, 4)).sum().backward()
    rows = m.read().by_signature().set_index("module")
    assert rows["calls"].tolist() == [5, 0, 5]
    assert rows["failed"].tolist() == [0, 5, 0]
    # what the interrupted calls did was done by the whole
    assert m.read().totals.macs == 5 * 2 * LINEAR


def test_calls_within_others_of_the_same_module_still_run():
    class Twice(nn.Linear):
        def forward(self, x, times):
            return super().forward(x) if times == 0 else self(super().forward(x), times - 1)

    net = Twice(4, 4)
    with meter(net) as m:
        for _ in range(5):
            net(zeros(1, 4), 2)
    assert m.read().totals.passes == 5
    assert m.read().totals.macs == 5 * 3 * 16
