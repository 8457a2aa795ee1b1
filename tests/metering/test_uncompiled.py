"""A meter on the original of what torch.compile gave, or on a part of it."""

import warnings
from threading import Event, Thread

import pytest
import torch
from flopledger import meter
from torch import nn


class Within(nn.Module):
    """Two layers, the first of which may be metered alone."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.second(self.first(x).relu())


FIRST, SECOND = 4 * 5, 5 * 3  # MACs a sample; a backward pass takes as many towards the weights
CALLS, ROWS = 20, 2


@pytest.fixture(autouse=True)
def _afresh():
    torch._dynamo.reset()


@pytest.mark.parametrize("metered", ["", "first"])
def test_an_original_counts_and_its_code_stays_compiled(metered):
    runs = []

    def backend(graph, _):
        def run(*args):
            runs.append(len(args))
            return graph(*args)

        return run

    net = Within()
    compiled = torch.compile(net, backend=backend)
    with (
        warnings.catch_warnings(record=True) as warned,
        meter(net.get_submodule(metered), peak=1e12) as m,
    ):
        warnings.simplefilter("always")
        for _ in range(CALLS):
            compiled(torch.ones(ROWS, 4)).sum().backward()
        net(torch.ones(ROWS, 4)).sum().backward()  # as a Trainer evaluates
        lap = m.lap()
    # the first layer's input wants no gradient; the second's does, where that is metered
    macs = 2 * FIRST + (0 if metered else 3 * SECOND)
    assert (lap.passes, lap.samples) == (CALLS + 1, (CALLS + 1) * ROWS)
    assert lap.model_flops == 2 * (CALLS + 1) * ROWS * macs
    assert runs
    assert not any("Dynamo" in str(warning.message) for warning in warned)  # of the meter's code


def test_what_is_compiled_gives_the_same_results_with_a_meter_on():
    net = Within()
    compiled = torch.compile(net, backend="aot_eager")
    x = torch.rand(ROWS, 4)
    before = compiled(x)
    with meter(net, peak=1e12):
        assert all(torch.equal(compiled(x), before) for _ in range(3))
    assert torch.equal(compiled(x), before)


def test_a_call_that_raises_leaves_the_compiler_as_it_was():
    runs = []

    def backend(graph, _):
        runs.append(graph)
        return graph

    net = Within()
    compiled = torch.compile(net, backend=backend)
    with meter(net, peak=1e12) as m:
        with pytest.raises(RuntimeError):
            compiled(torch.ones(ROWS, 7))
        net(torch.ones(ROWS, 4))  # not compiled: nobody asks for it
        assert not runs
        assert m.read().totals.failed == 1
    compiled(torch.ones(ROWS, 4))
    assert runs


def test_threads_that_overlap_leave_the_compiler_as_it_was():
    first_in, second_in, first_out = Event(), Event(), Event()

    class Waits(nn.Linear):
        def forward(self, x):
            if len(x) == 1:
                first_in.set()
                assert second_in.wait(10)
            else:
                second_in.set()
                assert first_out.wait(10)
            return super().forward(x)

    net = Waits(4, 5)

    def first():
        net(torch.ones(1, 4))
        first_out.set()

    def second():
        assert first_in.wait(10)
        net(torch.ones(2, 4))

    with meter(net, peak=1e12) as m:
        threads = [Thread(target=first), Thread(target=second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert m.read().totals.passes == 2
    runs = []

    def backend(graph, _):
        runs.append(graph)
        return graph

    torch.compile(lambda x: 2 * x, backend=backend)(torch.ones(3))
    assert runs
