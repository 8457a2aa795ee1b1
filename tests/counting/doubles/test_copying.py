"""What a network keeps while it runs is kept by its double: the network is as it was."""

import collections
import functools
import itertools
import logging
import types
import weakref
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from flopledger import profile
from torch import nn

X = torch.linspace(-1.0, 2.0, 16).view(2, 8)
LINEAR = 2 * 8 * 4  # rows x inputs x outputs


class Net(nn.Module):
    """A linear layer, whose input is scaled by what the network keeps."""

    def __init__(self, scale, kept=None):
        super().__init__()
        self.layer, self.scale, self.kept = nn.Linear(8, 4), scale, kept
        self.weight = nn.Parameter(torch.ones(8))

    def forward(self, x):
        return self.layer(x * self.scale(self, x))


def in_a_dict(self, x):
    if len(x) not in self.kept:
        self.kept[len(x)] = (torch.arange(len(x))[:, None] * self.weight.detach()).cos()
    return self.kept[len(x)]


def in_a_list(self, x):
    self.kept.append(x.mean(0))
    return self.kept[-1] * len(self.kept)


def in_a_set(self, x):
    self.kept.add(x.sum())
    return len(self.kept)


class Table(NamedTuple):
    tables: dict


def in_a_named_tuple(self, x):
    return self.kept.tables.setdefault("table", self.weight.detach() * 2)


@dataclass
class Frozen:
    table: Any = None
    log: list = field(default_factory=list)


def in_an_object(self, x):
    if self.kept.table is None:
        self.kept.table = self.weight.detach() * 2
    return self.kept.table


class Slots:
    __slots__ = ("table",)

    def __init__(self):
        self.table = None


def in_a_closure():
    table = None

    def scale(self, x):
        nonlocal table
        if table is None:
            table = self.weight.detach() * 2
        return table

    return scale


def remembered(self, x, tables):
    return tables.setdefault("table", self.weight.detach() * 2)


def by_number(self, x):
    return next(self.kept)


def held_weakly(self, x):
    return self.kept.setdefault(self.layer, x.mean(0))


def in_an_attribute(self, x):
    self.past = x.mean(0) + getattr(self, "past", 0)
    return self.past


def in_a_late_buffer(self, x):
    if "table" not in self._buffers:
        self.register_buffer("table", x.mean(0), persistent=False)
    return self.table


def with_a_hook(self, x):
    self.layer.register_forward_hook(lambda module, args, out: out * 2)
    return 1


def by_a_generator(self, x):
    return torch.rand(8, generator=self.kept).to(x)


def by_numpys(self, x):
    return torch.as_tensor(self.kept.random(8, dtype="float32")).to(x)


KINDS = {
    "dict": (in_a_dict, dict),
    "defaultdict": (in_a_dict, lambda: collections.defaultdict(list)),
    "list": (in_a_list, list),
    "deque": (in_a_list, lambda: collections.deque([torch.ones(8)], maxlen=2)),
    "nested": (lambda self, x: in_a_dict(types.SimpleNamespace(kept=self.kept[0]["a"],
                                                               weight=self.weight), x),
               lambda: ({"a": {}},)),
    "set": (in_a_set, set),
    "named tuple": (in_a_named_tuple, lambda: Table({})),
    "dataclass": (in_an_object, Frozen),
    "namespace": (in_an_object, lambda: types.SimpleNamespace(table=None)),
    "slots": (in_an_object, Slots),
    "closure": (in_a_closure, None),
    "partial": (lambda: functools.partial(remembered, tables={}), None),
    "counter": (by_number, lambda: itertools.count(1)),
    "weak dict": (held_weakly, weakref.WeakKeyDictionary),
    "attribute": (in_an_attribute, None),
    "late buffer": (in_a_late_buffer, None),
    "hook": (with_a_hook, None),
    "generator": (by_a_generator, torch.Generator),
    "numpy's": (by_numpys, lambda: np.random.default_rng(0)),
}  # fmt: skip


def made(kind):
    scale, kept = KINDS[kind]
    torch.manual_seed(0)
    if kind in ("closure", "partial"):
        scale = scale()
    return Net(scale, kept and kept())


@pytest.mark.parametrize("warm", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_network_goes_on_as_if_it_had_not_been_counted(kind, warm):
    network, twin = made(kind), made(kind)
    if warm:
        assert torch.equal(network(X), twin(X))
    for _ in range(2):
        counted = profile(network, X)
        assert counted.total("macs") == LINEAR
        assert counted.complete
    for _ in range(2):
        assert torch.equal(network(X), twin(X))


def test_a_folded_weight_is_folded_once_more():
    class Folds(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 8))

        def forward(self, x):
            self.folded = F.normalize(self.weight)
            return F.linear(x, self.folded)

    network = Folds()
    network(X)  # keeps a result that requires a gradient
    kept = network.folded
    counted = profile(network, X, backward=True)
    assert counted.total("macs") == LINEAR
    assert network.folded is kept


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
@pytest.mark.parametrize("normed", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_weight_norm_of_either_kind_is_left_as_it_was(normed):
    network = normed(nn.Linear(8, 4))
    before = network(X)
    assert profile(network, X).total("macs") == LINEAR
    assert torch.equal(network(X), before)


def test_statistics_and_their_counter_stay():
    network = nn.BatchNorm1d(8)
    for _ in range(2):
        profile(network, X, values=True)
    assert network.num_batches_tracked == 0
    assert torch.equal(network.running_mean, torch.zeros(8))


def test_what_a_users_hook_collects_is_of_the_users_passes_alone():
    network, collected = nn.Linear(8, 4), []
    network.register_forward_hook(lambda module, args, out: collected.append(out))
    profile(network, X)
    assert collected == []
    network(X)
    assert len(collected) == 1


def test_a_hook_that_takes_itself_off_is_still_on():
    network = nn.Linear(8, 4)
    calls = []

    def once(*_):
        calls.append(1)
        handle.remove()

    handle = network.register_forward_pre_hook(once)
    profile(network, X)
    network(X)
    network(X)
    assert calls == [1]


def test_a_method_put_in_forwards_place_is_the_doubles_own():
    network = Net(lambda self, x: 1)
    plain = network.forward
    network.forward = lambda x: plain(x) + network.weight[:4]
    counted = profile(network, X)
    assert counted.total("macs") == LINEAR
    assert counted.unused == ()
    assert network.forward(X).shape == (2, 4)


class Tally:
    calls = 0


def test_a_proxy_stands_for_the_doubles_own():
    def scale(network, x):
        network.proxy.calls += 1
        return network.kept.calls

    network = Net(scale, kept=Tally())
    network.proxy = weakref.proxy(network.kept)
    assert profile(network, X).total("macs") == LINEAR
    assert network.kept.calls == 0


FORMATTER = logging.Formatter()


def test_what_is_of_the_standard_library_is_shared():
    network = Net(lambda net, x: 1 if net.kept is FORMATTER else net.layer(x).sum())
    network.kept = FORMATTER
    assert profile(network, X).total("macs") == LINEAR


def test_a_built_in_method_that_is_kept_twice_is_one_in_the_double():
    note = [].append
    network = Net(lambda net, x: 1 if net.kept[0] is net.kept[1] else net.layer(x).sum())
    network.kept = [note, note]
    assert profile(network, X).total("macs") == LINEAR


def test_a_circle_and_a_long_chain_are_copied():
    network = nn.Linear(8, 4)
    network.me = [network]
    chain = network.chain = types.SimpleNamespace(next=None)
    for _ in range(5000):
        chain.next = types.SimpleNamespace(next=None)
        chain = chain.next
    assert profile(network, X).total("macs") == LINEAR


class Decoder(nn.Module):
    """A step of attention over the keys kept so far: 8 wide, one head."""

    def __init__(self, cache=None):
        super().__init__()
        self.key, self.cache = nn.Linear(8, 8, bias=False), cache

    def forward(self, x, cache=None):
        keys = (self.cache or cache).update(self.key(x))
        return (x @ keys.transpose(1, 2)).softmax(-1) @ keys


class Growing:
    """A cache as transformers' DynamicCache is: no tensor until it is used."""

    def __init__(self):
        self.keys, self.device, self.seen = None, None, []

    def update(self, new):
        old = [] if self.keys is None else [self.keys]
        self.keys, self.device = torch.cat([*old, new], dim=1), new.device
        self.seen.append(new.shape[1])
        return self.keys


class Fixed:
    """A cache as transformers' StaticCache is: room for so many, and a place that moves on."""

    def __init__(self, room):
        self.keys, self.place = torch.zeros(1, room, 8), torch.zeros(1, dtype=torch.int64)

    def update(self, new):
        self.keys.index_copy_(1, self.place + torch.arange(new.shape[1]), new)
        self.place.add_(new.shape[1])
        return self.keys


STEP = torch.linspace(-1.0, 1.0, 8).view(1, 1, 8)


@pytest.mark.parametrize("inside", [True, False], ids=["in the module", "given"])
@pytest.mark.parametrize("values", [False, True])
def test_a_growing_cache_is_as_long_as_it_was(inside, values):
    cache = Growing()
    cache.update(torch.ones(1, 5, 8))
    network = Decoder(cache if inside else None)
    given = (STEP,) if inside else (STEP, cache)
    for _ in range(2):
        counted = profile(network, given, values=values)
        # the new key, then a score and a sum over each of six keys
        assert counted.total("macs") == 8 * 8 + 2 * 6 * 8
        assert counted.check.agrees
        assert counted.samples == 1
        assert len(counted.inputs) == 1
    assert cache.keys.tolist() == torch.ones(1, 5, 8).tolist()
    assert cache.seen == [5]
    assert str(cache.device) == "cpu"


@pytest.mark.parametrize("values", [False, True])
def test_a_static_cache_stays_where_it_was(values):
    cache = Fixed(7)
    for _ in range(2):
        counted = profile(Decoder(), (STEP, cache), values=values)
        assert counted.total("macs") == 8 * 8 + 2 * 7 * 8
    assert not cache.keys.any()
    assert cache.place == 0
