"""What a double shares with its network, or walks on, is afterwards where it was."""

import argparse
import contextvars
import functools
import gc
import itertools
import queue
import weakref
from concurrent.futures import Future
from typing import ClassVar

import numpy as np
import pytest
import torch
from flopledger import meter, profile
from torch import nn

X = torch.linspace(-1.0, 2.0, 16).view(2, 8)
LINEAR = 2 * 8 * 4  # rows x inputs x outputs


class Net(nn.Module):
    def __init__(self, scale, kept=None):
        super().__init__()
        self.layer, self.scale, self.kept = nn.Linear(8, 4), scale, kept
        self.weight = nn.Parameter(torch.ones(8))

    def forward(self, x):
        return self.layer(x * self.scale(self))


class Holder:
    table = None

    def of(self, weight):
        if self.table is None:
            self.table = weight.detach() * 2
        return self.table


def filled(kind):
    made = kind()
    made.put(torch.full((8,), 3.0))
    return made


def passed_on(self):
    self.kept.put(self.weight.detach() * 2)
    return self.kept.get()


def set_once(self):
    if not self.kept.done():
        self.kept.set_result(self.weight.detach() * 2)
    return self.kept.result()


def in_namespace(self):
    if "table" not in self.kept:
        self.kept.table = self.weight.detach() * 2
    return self.kept.table


_table = contextvars.ContextVar("_table", default=None)
_by_name = {}


class OfClasses(type):
    tables: ClassVar[dict] = {}


class Classed(metaclass=OfClasses):
    pass


def in_a_metaclass(self):
    return Classed.tables.setdefault("table", self.weight.detach() * 2)


def in_a_global_by_name(self):
    return globals()["_by_name"].setdefault("table", self.weight.detach() * 2)


def in_a_context_variable(self):
    if _table.get() is None:
        _table.set(self.weight.detach() * 2)
    return _table.get()


def holders():
    made = np.empty(1, dtype=object)
    made[0] = Holder()
    return made


def weakly():
    holder = Holder()
    return holder, weakref.WeakMethod(holder.of)


def next_of(self):
    value = next(self.kept)
    return value[-1] if isinstance(value, tuple) else value


FLOATS = [float(n) for n in range(1, 99)]

NETWORKS = {
    "queue": lambda: Net(passed_on, filled(queue.Queue)),
    "a queue in C": lambda: Net(passed_on, filled(queue.SimpleQueue)),
    "future": lambda: Net(set_once, Future()),
    "namespace": lambda: Net(in_namespace, argparse.Namespace()),
    "context variable": lambda: Net(in_a_context_variable),
    "metaclass": lambda: Net(in_a_metaclass),
    "a global by its name": lambda: Net(in_a_global_by_name),
    "a cache of its own": lambda: Net(
        lambda self: self.kept(self.weight.device),
        functools.lru_cache(lambda device: torch.ones(8, device=device)),
    ),
    "an array of objects": lambda: Net(lambda self: self.kept[0].of(self.weight), holders()),
    "a weak method": lambda: Net(lambda self: self.kept[1]()(self.weight), weakly()),
    "sobol": lambda: Net(
        lambda self: self.kept.draw().view(8).to(self.weight.device) + 1,
        torch.quasirandom.SobolEngine(8),
    ),
    "of a list": lambda: Net(next_of, iter(FLOATS)),
    "of a tuple": lambda: Net(next_of, iter(tuple(FLOATS))),
    "of a dict": lambda: Net(next_of, iter(dict.fromkeys(FLOATS))),
    "zip": lambda: Net(next_of, zip(FLOATS, FLOATS, strict=True)),
    "map": lambda: Net(next_of, map(float, range(1, 99))),
    "enumerate": lambda: Net(next_of, enumerate(FLOATS)),
    "reversed": lambda: Net(next_of, reversed(FLOATS)),
    "chain": lambda: Net(next_of, itertools.chain(FLOATS, FLOATS)),
    "islice": lambda: Net(next_of, itertools.islice(FLOATS, 0, 50)),
    "cycle": lambda: Net(next_of, itertools.cycle(iter(FLOATS))),
    "tee": lambda: Net(next_of, itertools.tee(FLOATS)[0]),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_goes_on_as_if_it_had_not_been_counted(kind):
    results = []
    for counts in (False, True):
        torch.manual_seed(0)
        net = NETWORKS[kind]()
        if counts:
            assert profile(net, (X,)).total("macs") == LINEAR
        results.append([net(X).detach() for _ in range(2)])
        _table.set(None)
        OfClasses.tables.clear()
        _by_name.clear()
    for expected, result in zip(*results, strict=True):
        assert torch.equal(expected, result)


def test_a_file_is_read_on_from_where_it_was(tmp_path):
    path = tmp_path / "scales"
    path.write_text("1\n2\n")
    with path.open() as file:
        net = Net(lambda self: float(self.kept.readline()), file)
        profile(net, (X,))
        assert file.readline() == "1\n"


class Closes:
    def __init__(self, path):
        self.file = open(path)  # noqa: SIM115

    def __del__(self):
        self.file.close()


class ClosesSlots:
    __slots__ = ("file",)
    __init__, __del__ = Closes.__init__, Closes.__del__


class ClosesModule(nn.Module):
    def __init__(self, path):
        super().__init__()
        self.file = open(path)  # noqa: SIM115

    __del__ = Closes.__del__


@pytest.mark.parametrize("kind", [Closes, ClosesSlots, ClosesModule])
def test_what_closes_a_file_as_it_ends_does_so_once(kind, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    net = Net(lambda self: float(self.kept[0].file.closed), [kind(path), kind(path)])
    profile(net, (X,), backward=True)
    gc.collect()
    assert [kept.file.closed for kept in net.kept] == [False, False]
    assert {type(kept) for kept in net.kept} == {kind}


def test_what_closes_a_file_is_an_argument_of_a_metered_call(tmp_path):
    path = tmp_path / "file"
    path.write_text("")

    class Batch(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 4)

        def forward(self, batch):
            return self.layer(X)

    net, batch = Batch(), Closes(path)
    with meter(net) as m:
        net(batch).sum().backward()
        assert m.read().totals.macs == LINEAR
    del m
    gc.collect()
    assert not batch.file.closed


def test_a_hook_on_all_modules_sees_the_users_passes_alone():
    seen = []
    handle = nn.modules.module.register_module_forward_hook(lambda *_: seen.append(1))
    try:
        profile(nn.Linear(8, 4), (X,))
        assert seen == []
        nn.Linear(8, 4)(X)
        assert seen == [1]
    finally:
        handle.remove()
