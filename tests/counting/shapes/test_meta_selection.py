"""Positions that stand in for what floats would select: each takes its turn."""

import pytest
import torch
from flopledger.counting.shapes.meta_selection import asks, evenly, selects


def meta(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


def integers(*shape):
    return meta(*shape, dtype=torch.int64)


X = meta(2, 3)


@pytest.mark.parametrize(
    ("op", "args", "kwargs", "out", "positions"),
    [
        ("topk", (X, 2), {}, (2, 2), [[0, 1], [2, 0]]),
        ("topk", (X, 2, 0), {}, (2, 3), [[0, 1, 0], [1, 0, 1]]),
        ("topk", (X, 2), {"dim": 0}, (2, 3), [[0, 1, 0], [1, 0, 1]]),
        ("kthvalue", (X, 1), {}, (2,), [0, 1]),
        ("kthvalue", (meta(5, 2), 1, 0), {}, (2,), [0, 1]),
        ("kthvalue", (meta(1, 3), 1, 0), {}, (3,), [0, 0, 0]),
        ("max", (meta(5, 2), 1), {}, (5,), [0, 1, 0, 1, 0]),
        ("min", (meta(2, 5), 0), {}, (5,), [0, 1, 0, 1, 0]),
        ("median", (meta(5, 2),), {}, (5,), [0, 1, 0, 1, 0]),
        ("mode", (meta(5, 2),), {}, (5,), [0, 1, 0, 1, 0]),
        ("argmax", (meta(3, 2), 1), {}, (3,), [0, 1, 0]),
        ("argmin", (meta(3, 2), 1), {}, (3,), [0, 1, 0]),
        # without an axis, of all elements
        ("argmax", (meta(3, 2),), {}, (), 0),
        ("multinomial", (X, 4, True, None), {"dim": -1}, (2, 4), [[0, 1, 2, 0], [1, 2, 0, 1]]),
        ("multinomial", (X, 4, True), {}, (2, 4), [[0, 1, 2, 0], [1, 2, 0, 1]]),
        # sorted, each row has every position
        ("sort", (X,), {}, (2, 3), [[0, 1, 2], [0, 1, 2]]),
        ("argsort", (X,), {}, (2, 3), [[0, 1, 2], [0, 1, 2]]),
        ("sort", (X, 0), {}, (2, 3), [[0, 0, 0], [1, 1, 1]]),
        ("argsort", (X, 0), {}, (2, 3), [[0, 0, 0], [1, 1, 1]]),
        ("sort", (meta(),), {}, (), 0),
    ],
)
def test_positions_by_hand(op, args, kwargs, out, positions):
    values = meta(*out)
    assert selects(f"aten::{op}")
    made = evenly(f"aten::{op}", args, kwargs, (values, integers(*out)))
    assert made[0] is values
    assert made[1].device.type == "cpu"
    assert made[1].tolist() == positions
    assert evenly(f"aten::{op}", args, kwargs, integers(*out)).tolist() == positions


def test_what_is_known_is_left_alone():
    known = torch.tensor([7])
    assert evenly("aten::topk", (X, 1), {}, (known, 3)) == (known, 3)


def test_nothing_to_choose_from():
    assert evenly("aten::max", (meta(0, 2), 0), {}, integers(2)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("op", "selecting", "asking"),
    [("topk", True, False), ("item", False, True), ("nonzero", False, True), ("mm", False, False)],
)
def test_what_selects_and_what_asks(op, selecting, asking):
    assert (selects(f"aten::{op}"), asks(f"aten::{op}")) == (selecting, asking)
