"""What a network keeps outside of its modules is, after a count, as if it had not been counted."""

import functools
import types

import pytest
import torch
from flopledger import profile
from torch import nn

X = torch.ones(2, 8)
LINEAR = 2 * 8 * 4  # rows x inputs x outputs

TABLES, PASSES, TABLE, COUNT = {}, [], None, 0
SETTINGS = types.SimpleNamespace(table=None)


class Net(nn.Module):
    """A linear layer, whose input is scaled by what is kept somewhere."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def forward(self, x):
        return self.layer(x * self.scale(x))


class GlobalDict(Net):
    def scale(self, x):
        if 8 not in TABLES:
            TABLES[8] = x.new_ones(8)
        return TABLES[8]


class GlobalList(Net):
    def scale(self, x):
        PASSES.append(x.mean(0))
        return len(PASSES)


class GlobalName(Net):
    def scale(self, x):
        global TABLE, COUNT
        COUNT += 1
        if TABLE is None:
            TABLE = x.new_ones(8)
        return TABLE


class GlobalObject(Net):
    def scale(self, x):
        if SETTINGS.table is None:
            SETTINGS.table = x.new_ones(8)
        return SETTINGS.table


class ClassDict(Net):
    tables = {}  # noqa: RUF012  as people write it

    def scale(self, x):
        return self.tables.setdefault(8, x.new_ones(8))


class ClassAttribute(Net):
    table = None

    def scale(self, x):
        if self.table is None:
            type(self).table = x.new_ones(8)
            type(self).another = x.new_ones(8)
        return self.table


class CachedMethod(Net):
    @functools.lru_cache(4)  # noqa: B019  as people write it
    def table(self, length):
        return self.layer.weight.new_ones(length)

    def scale(self, x):
        return self.table(8)


class CachedStaticMethod(Net):
    @staticmethod
    @functools.cache
    def table(length):
        return torch.rand(length)

    def scale(self, x):
        return self.table(8)


class CachedProperty(Net):
    @functools.cached_property
    def table(self):
        return self.layer.weight.new_ones(8)

    def scale(self, x):
        return self.table


@functools.lru_cache
def cached(length):
    return torch.ones(length) * torch.rand(length)


class CachedFunction(Net):
    def scale(self, x):
        return cached(x.shape[-1])


def noting(x):
    if not hasattr(noting, "table"):
        noting.table = x.new_ones(8)
    return noting.table


class FunctionAttribute(Net):
    def scale(self, x):
        return noting(x)


def by_default(x, tables={}):  # noqa: B006  as people write it
    return tables.setdefault(8, x.new_ones(8))


class Default(Net):
    def scale(self, x):
        return by_default(x)


def remembering(function):
    known = {}

    def once(x):
        if len(x) not in known:
            known[len(x)] = function(x)
        return known[len(x)]

    return once


@remembering
def remembered(x):
    return x.new_ones(8)


class Closure(Net):
    def scale(self, x):
        return remembered(x)


class Registry:
    tables = {}  # noqa: RUF012  as people write it

    @classmethod
    def get(cls, x):
        return cls.tables.setdefault(8, x.new_ones(8))


class OtherClass(Net):
    def scale(self, x):
        return Registry.get(x)


class Tables:
    def __init__(self):
        self.by_length = {}

    def get(self, x):
        return self.by_length.setdefault(8, x.new_ones(8))

    __call__ = get


OBJECT = Tables()
get = OBJECT.get


class GlobalMethod(Net):
    def scale(self, x):
        return get(x)


class StaticObject(Net):
    scale = staticmethod(OBJECT)


class StaticMethodOfAnObject(Net):
    scale = staticmethod(OBJECT.get)


class_get = Registry.get


class GlobalClassMethod(Net):
    def scale(self, x):
        return class_get(x)


def made():
    class Unnamed(Registry):
        tables = Registry.tables

    return Unnamed


class HeldClass(Net):
    def __init__(self):
        super().__init__()
        self.held = made()

    def scale(self, x):
        return self.held.get(x)


class HeldClassMethod(Net):
    def __init__(self):
        super().__init__()
        self.scale = made().get


class PartialMethod(Net):
    def in_table(self, table, x):
        return table.setdefault(8, x.new_ones(8))

    scale = functools.partialmethod(in_table, TABLES)


@functools.singledispatch
def dispatched(x):
    return x


@dispatched.register(torch.Tensor)
def _(x):
    return TABLES.setdefault(8, x.new_ones(8))


class Dispatched(Net):
    def scale(self, x):
        return dispatched(x)


class NewGlobal(Net):
    def scale(self, x):
        global NEW
        if "NEW" not in globals():
            NEW = x.new_ones(8)
        return NEW


KINDS = [GlobalDict, GlobalList, GlobalName, GlobalObject, ClassDict, ClassAttribute, CachedMethod,
         CachedStaticMethod, CachedProperty, CachedFunction, FunctionAttribute, Default, Closure,
         OtherClass, GlobalMethod, StaticObject, StaticMethodOfAnObject, GlobalClassMethod,
         HeldClass, HeldClassMethod, PartialMethod, Dispatched, NewGlobal]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_runs_as_if_it_had_not_been_counted(kind):
    network = kind()
    for _ in range(2):
        counted = profile(network, X)
        assert counted.total("macs") == LINEAR
        assert counted.check.agrees
    assert TABLE is None
    assert (COUNT, PASSES, "NEW" in globals()) == (0, [], False)
    assert (TABLES, OBJECT.by_length, Registry.tables) == ({}, {}, {})
    assert not hasattr(kind, "another")
    assert CachedMethod.table.cache_info().currsize == 0
    kept = network(X)  # with tables of its own
    profile(network, X)
    assert torch.equal(network(X), kept) or kind is GlobalList


@pytest.fixture(autouse=True)
def _forget():
    yield
    TABLES.clear()
    PASSES.clear()
    globals().update(TABLE=None, COUNT=0)
    globals().pop("NEW", None)
    OBJECT.by_length.clear()
    Registry.tables.clear()
    SETTINGS.table = None
    vars(noting).clear()
    CachedMethod.table.cache_clear()


DELETED = 1


class DeletedGlobal(Net):
    def scale(self, x):
        global DELETED
        del DELETED
        return 1


def test_a_global_that_is_deleted_is_there_again():
    for _ in range(2):
        assert profile(DeletedGlobal(), X).total("macs") == LINEAR
        assert DELETED == 1


@functools.lru_cache
def width(length):
    return length // 2


class CachedNumber(Net):
    def scale(self, x):
        return width(8)


def test_a_cache_of_numbers_keeps_them():
    width.cache_clear()
    profile(CachedNumber(), X)
    assert width.cache_info().currsize == 1
