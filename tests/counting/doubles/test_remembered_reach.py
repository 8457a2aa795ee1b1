"""What code reaches is followed anew where a name means other code than at the last count."""

import gc
import sys
import weakref

import pytest
import torch
from flopledger import profile
from torch import nn

HERE = sys.modules[__name__]
X = torch.ones(2, 8)

FIRST, SECOND, LATE = [], [], None


def kept_first(x):
    FIRST.append(x)
    return x


def kept_second(x):
    SECOND.append(x)
    return x


def keep(x):
    return kept_first(x)


def late(x):
    if isinstance(LATE, list):
        LATE.append(x)
    return x


class Net(nn.Module):
    def forward(self, x):
        return self.scaled(x)

    def scaled(self, x):
        return late(keep(x)) * 2


def by_another(self, x):
    return kept_second(x) * 2


def nothing_is_kept():
    profile(Net(), X)
    return FIRST == [] and SECOND == [] and LATE in (None, [])


def test_code_that_is_another_since_the_last_count(monkeypatch):
    assert nothing_is_kept()
    monkeypatch.setattr(HERE, "keep", kept_second)
    assert nothing_is_kept()
    monkeypatch.setattr(Net, "scaled", by_another)
    assert nothing_is_kept()
    monkeypatch.undo()
    monkeypatch.setattr(keep, "__code__", kept_second.__code__)
    assert nothing_is_kept()


COUNT = 0


def counting(x, times=1):
    global COUNT
    COUNT += times
    counting.__defaults__ = (times + 1,)
    counting.seen = x
    return x


def test_numbers_defaults_and_attributes_are_as_before_at_every_count():
    class Counting(nn.Module):
        passes = 0

        def forward(self, x):
            type(self).passes += 1
            return counting(x) * 2

    for _ in range(3):
        profile(Counting(), X)
        assert (COUNT, Counting.passes, counting.__defaults__) == (0, 0, (1,))
        assert not vars(counting)


def test_code_that_is_gone_since_the_last_count(monkeypatch):
    class Optional(nn.Module):
        def forward(self, x):
            return keep(x) if keep is not None else late(x)

    profile(Optional(), X)
    monkeypatch.setattr(HERE, "keep", None)
    monkeypatch.setattr(HERE, "LATE", [])
    profile(Optional(), X)
    assert LATE == []


def test_a_value_that_is_another_since_the_last_count(monkeypatch):
    assert nothing_is_kept()
    monkeypatch.setattr(HERE, "LATE", [])
    assert nothing_is_kept()


def test_a_property_that_is_another_since_the_last_count(monkeypatch):
    class Sized(Net):
        @property
        def size(self):
            return 2

        def forward(self, x):
            return x * self.size

    def keeping(self):
        SECOND.append(self)
        return 2

    profile(Sized(), X)
    monkeypatch.setattr(Sized, "size", property(keeping))
    profile(Sized(), X)
    assert SECOND == []


class Slotted:
    __slots__ = ("size",)

    def __eq__(self, other):  # so that it cannot be hashed
        return True


class Plain:
    def scaled(self, x):
        return x


class Keeping:
    def scaled(self, x):
        SECOND.append(x)
        return x


class Mixed(Plain, nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Slotted()

    def forward(self, x):
        if hasattr(type(self.part).size, "fget"):
            self.part.size  # noqa: B018  it may be a property
        if Slotted.__hash__ is not None:
            hash(self.part)
        return self.scaled(x)


def keeps(self):
    SECOND.append(self)
    return 2


@pytest.mark.parametrize(("name", "value"), [("size", property(keeps)), ("__hash__", keeps)])
def test_a_member_that_was_no_code_at_the_last_count(monkeypatch, name, value):
    profile(Mixed(), X)
    monkeypatch.setattr(Slotted, name, value)
    profile(Mixed(), X)
    assert SECOND == []


def test_a_class_that_inherits_from_another_since_the_last_count():
    profile(Mixed(), X)
    Mixed.__bases__ = (Keeping, nn.Module)
    try:
        profile(Mixed(), X)
    finally:
        Mixed.__bases__ = (Plain, nn.Module)
    assert SECOND == []


def test_a_name_that_meant_nothing_at_the_last_count(monkeypatch):
    class Late(nn.Module):
        def forward(self, x):
            if "LATER" in globals():
                globals()["LATER"].append(x)
            return x * 2

    profile(Late(), X)
    monkeypatch.setattr(HERE, "LATER", [], raising=False)
    profile(Late(), X)
    assert HERE.LATER == []


def test_nothing_of_the_users_stays_alive():
    def built():
        table = torch.ones(8)

        class Closure(nn.Module):
            def forward(self, x):
                return x * table

        return Closure, weakref.ref(table)

    kind, table = built()
    profile(kind(), X)
    del kind
    gc.collect()
    assert table() is None
