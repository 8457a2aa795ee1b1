"""torch.cond, while_loop, scan and map: as many steps as their definitions take."""

import threading

import pytest
import torch
from flopledger import memory, profile
from flopledger.counting.shapes.higher_order import step_by_step
from torch import nn
from torch._higher_order_ops import utils
from torch._higher_order_ops.associative_scan import associative_scan
from torch._higher_order_ops.cond import CondOp
from torch._higher_order_ops.map import map as mapped
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop


class Runs(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.layer, self.run = nn.Linear(4, 4), run

    def forward(self, x):
        return self.run(self.layer, x)


def chosen(layer, x):
    return torch.cond(torch.tensor(5) > 3, lambda x: layer(x), lambda x: x.sin(), (x[0],))


def passed_over(layer, x):
    return torch.cond(torch.tensor(1) > 3, lambda x: layer(layer(x)), lambda x: layer(x), (x[0],))


def three_times(layer, x):
    start = (torch.zeros((), dtype=torch.int64), x[0])
    return while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, layer(x)), start)[1]


def along_the_first_axis(layer, x):
    def step(state, x):
        state = layer(state) + x
        return state, state.clone()

    return scan(step, x.new_zeros(2, 4), x, dim=0)[1]


def backwards_along_the_second(layer, x):
    def step(states, x):
        state = layer(states["h"]) + x
        return {"h": state}, {"y": state.clone(), "z": 2 * state}

    return scan(step, {"h": x.new_zeros(6, 4)}, x, dim=1, reverse=True)[1]["y"]


def of_each(layer, x):
    return mapped(lambda x: layer(x), x)


def products(layer, x):
    return associative_scan(lambda a, b: a * b, layer(x), dim=0, combine_mode="generic")


ROWS = 2 * 4 * 4  # two rows through the layer
WAYS = {
    # the forward's products; the backward's: of the weight each, of the input all but the first's
    chosen: (ROWS, ROWS),
    passed_over: (ROWS, ROWS),
    three_times: (3 * ROWS, (3 + 2) * ROWS),
    along_the_first_axis: (6 * ROWS, (6 + 5) * ROWS),
    backwards_along_the_second: (2 * 3 * ROWS, (2 + 1) * 3 * ROWS),
    of_each: (6 * ROWS, 6 * ROWS),
    products: (6 * ROWS, 6 * ROWS),
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_step_is_counted_forward_and_back(way):
    forward, backward = WAYS[way]
    network, x = Runs(way), torch.rand(6, 2, 4)
    counted = profile(network, (x,), backward=True)
    assert (counted.total("macs"), counted.backward.macs) == (forward, backward)
    assert (counted.notes, counted.check.agrees) == ((), True)
    assert memory(network, (x,)).params_bytes == 4 * (4 * 4 + 4)


def test_a_branch_that_a_value_decides_is_computed():
    class Decides(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return torch.cond(x.sum() > 3, lambda x: self.layer(x), lambda x: x.sin(), (x,))

    for x, macs in ((torch.ones(2, 4), ROWS), (torch.zeros(2, 4), 0)):
        counted = profile(Decides(), (x,))
        assert counted.total("macs") == macs
        assert "everything was computed" in counted.notes[0]


def test_another_thread_has_them_as_ever_and_afterwards_so_has_this(monkeypatch):
    monkeypatch.setattr(utils, "_hop_compile_and_call", lambda *_: "compiled")
    before, seen = (utils._hop_compile_and_call, CondOp.__call__), []
    with step_by_step():
        other = threading.Thread(
            target=lambda: seen.append(utils._hop_compile_and_call(lambda x: x + 1, (1,)))
        )
        other.start()
        other.join()
        seen.append(utils._hop_compile_and_call(lambda x: x + 1, (1,)))
    assert seen == ["compiled", 2]
    assert (utils._hop_compile_and_call, CondOp.__call__) == before
