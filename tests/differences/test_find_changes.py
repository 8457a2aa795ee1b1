"""Differences of two counts: by hand, and by their algebra."""

import json
import math
from dataclasses import asdict, replace

import pytest
import torch
from flopledger import BadProfile, Profile, diff, profile
from flopledger.calls import Layer, OpCall
from flopledger.differences.changes import FIGURES, TOTALS
from flopledger.options import parse_percent
from flopledger.profiles.tables import Check, Input
from flopledger.reports.diff import FORMATS
from hypothesis import given
from hypothesis import strategies as st
from torch import nn


def count(*rows, uncounted=()):
    """A profile of layers (path, kind, params, MACs, other FLOPs)."""
    calls = [OpCall(path=row[0], op="aten::x", inputs=(), outputs=(), macs=row[3],
                    other_flops=row[4]) for row in rows]  # fmt: skip
    calls += [OpCall(path="", op=op, inputs=(), outputs=(), counted=False)
              for op, number in uncounted for _ in range(number)]  # fmt: skip
    return Profile(
        model="net",
        counter="fvcore",
        inputs=(Input(shape=(1, 3), dtype="float32"),),
        samples=1,
        calls=tuple(calls),
        modules=tuple(
            Layer(path=path, kind=kind, params=params, trainable=params, shared=(), calls=1,
                  output_shape=(1, 5), output_elements=5, leaf=True)
            for path, kind, params, *_ in rows
        ),
        check=Check(counter="dispatch", macs=None, agrees=None),
    )  # fmt: skip


ONE = count(("a", "linear", 40, 100, 0), ("b", "linear", 10, 100, 3), ("c", "pool", 0, 0, 5))


def moved(difference):
    return {
        row.layer: (row.status, *(getattr(row, name).change for name in FIGURES))
        for row in difference.layers
    }


def test_by_hand():
    two = count(("a", "linear", 40, 130, 0), ("c", "pool", 0, 0, 5), ("d", "norm", 15, 60, 1))
    difference = diff(ONE, two)
    assert moved(difference) == {
        "a": ("changed", 0, 30, 0),
        "b": ("removed", -10, -100, -3),
        "d": ("added", 15, 60, 1),
    }
    assert [row.layer for row in difference.layers] == ["a", "b", "d"]
    params, macs = difference.totals["params"], difference.totals["macs"]
    assert (params.before, params.after, params.change, params.relative) == (50, 55, 5, 0.1)
    assert (macs.before, macs.after, macs.change, macs.relative) == (200, 190, -10, -0.05)
    assert difference.totals["flops"].change == -20
    assert difference.totals["other_flops"].relative == -2 / 8
    assert difference.totals["flops_per_param"].change == pytest.approx(380 / 55 - 400 / 50)
    assert difference.worst == 0.1
    assert not difference.exceeds(0.1)
    assert difference.exceeds(0.0999)


def test_a_fall_counts_as_a_rise():
    half = count(("a", "linear", 40, 0, 0), ("b", "linear", 10, 100, 3), ("c", "pool", 0, 0, 5))
    assert diff(ONE, half).worst == 0.5


def test_what_came_from_nothing_exceeds_everything():
    difference = diff(count(("a", "x", 1, 0, 0)), count(("a", "x", 1, 2, 0)))
    assert difference.worst == math.inf
    assert difference.exceeds(1e9)
    assert difference.totals["macs"].relative is None
    assert json.loads(FORMATS["json"](difference))["worst"] is None
    assert "macs from 0" in FORMATS["table"](difference)


def test_undefined_before_or_after_has_no_change():
    difference = diff(count(("a", "x", 0, 5, 0)), count(("a", "x", 5, 5, 0)))
    assert difference.totals["flops_per_param"].change is None
    assert difference.totals["flops_per_param"].relative is None
    assert "flops_per_param" in FORMATS["table"](difference)


def test_a_layer_is_renamed_only_where_there_is_no_doubt():
    rows = ("a", "linear", 40, 100, 0), ("b", "linear", 10, 100, 3), ("c", "pool", 0, 0, 5)
    difference = diff(ONE, count(("z", *rows[0][1:]), *rows[1:]))
    assert [(row.was, row.layer, row.status) for row in difference.layers] == [
        ("a", "z", "renamed")
    ]
    assert difference.moved
    twice = count(*rows, ("a2", *rows[0][1:]))
    doubt = diff(twice, count(("z", *rows[0][1:]), *rows[1:]))
    assert {row.layer: row.status for row in doubt.layers} == {
        "a": "removed", "a2": "removed", "z": "added"}  # fmt: skip
    back = diff(count(("z", *rows[0][1:]), *rows[1:]), twice)
    assert {row.status for row in back.layers} == {"added", "removed"}
    kind = diff(ONE, count(("z", "conv", *rows[0][2:]), *rows[1:]))
    assert {row.status for row in kind.layers} == {"added", "removed"}


def test_the_network_itself_is_a_layer_as_others_are():
    root = ("", "Net", 5, 0, 0)
    difference = diff(count(root, ("a", "x", 1, 1, 1)), count(root, ("b", "y", 2, 1, 1)))
    assert {row.layer: row.status for row in difference.layers} == {"a": "removed", "b": "added"}


def test_operators_without_a_formula():
    before = count(("a", "x", 1, 1, 1), uncounted=[("aten::qr", 1), ("aten::svd", 2)])
    two = count(("a", "x", 1, 1, 1), uncounted=[("aten::svd", 2), ("aten::eig", 3)])
    difference = diff(before, two)
    assert {op: (c.before, c.after) for op, c in difference.uncounted.items()} == {
        "aten::qr": (1, 0), "aten::eig": (0, 3)}  # fmt: skip
    assert difference.moved
    assert "not counted: aten::eig, 0 call(s) before, 3 after" in FORMATS["markdown"](difference)
    assert "lower bounds" in FORMATS["table"](diff(before, before))


def test_other_inputs_are_named():
    difference = diff(ONE, replace(ONE, inputs=(Input(shape=(2, 3), dtype="float32"),)))
    assert not difference.alike
    assert not difference.moved
    for form in ("table", "markdown"):
        text = FORMATS[form](difference)
        assert "nothing moved" in text
        assert "the inputs differ, 1x3 float32 and then 2x3 float32" in text
    assert json.loads(FORMATS["json"](difference))["same_inputs"] is False


def test_as_a_table():
    two = count(("a", "linear", 40, 130, 0), ("b", "linear", 10, 100, 3), ("e", "pool", 0, 0, 5))
    heading, _, *lines = FORMATS["table"](diff(ONE, two)).splitlines()
    assert heading == "net: params +0%, macs +15%"
    rows = [line.split() for line in lines]
    assert rows[0] == ["total", "before", "after", "change", "relative"]
    assert rows[1] == ["macs", "200", "230", "+30", "+15%"]
    assert ["a", "changed", "40", "100", "->", "130", "0"] in rows
    assert ["c", "->", "e", "renamed", "0", "0", "5"] in rows


def test_as_json():
    two = count(("a", "linear", 40, 130, 0), ("b", "linear", 10, 100, 3), ("c", "pool", 0, 0, 5))
    parsed = json.loads(FORMATS["json"](diff(ONE, two)))
    assert parsed["before"]["totals"] == asdict(ONE.totals)
    assert parsed["after"]["model"] == "net"
    assert set(parsed["totals"]) == set(TOTALS)
    change = {"before": 100, "after": 130, "change": 30, "relative": 0.3}
    assert [row["macs"] for row in parsed["layers"]] == [change]
    assert parsed["worst"] == 0.15
    assert parsed["uncounted"] == {}


COUNTS = st.dictionaries(
    st.sampled_from(["", "a", "b", "c", "d.0", "d.1"]),
    st.tuples(st.sampled_from(["conv", "norm"]), *[st.integers(0, 3) | st.integers(0, 10**12)] * 3),
    min_size=1,
).map(lambda rows: count(*((path, *row) for path, row in rows.items())))


@given(COUNTS)
def test_a_count_does_not_differ_from_itself(counted):
    difference = diff(counted, counted)
    assert not difference.moved
    assert (difference.layers, difference.uncounted, difference.worst) == ((), {}, 0)
    assert not difference.exceeds(0)
    assert FORMATS["table"](difference) == "net: nothing moved\n"


@given(COUNTS, COUNTS)
def test_swapping_the_two_negates_every_change(first, two):
    there, back = diff(first, two), diff(two, first)
    for name in TOTALS:
        change, other = there.totals[name].change, back.totals[name].change
        assert other == (None if change is None else -change)
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {path: figures for path, figures in moved(back).items() if figures[0] != "renamed"} == {
        path: (opposite[status], *(-change for change in changes))
        for path, (status, *changes) in moved(there).items()
        if status != "renamed"
    }
    renamed = {(row.was, row.layer) for row in there.layers if row.was is not None}
    assert renamed == {(row.layer, row.was) for row in back.layers if row.was is not None}


@given(COUNTS, COUNTS)
def test_the_changes_of_the_layers_are_those_of_the_totals(first, two):
    difference = diff(first, two)
    for name in FIGURES:
        changes = [getattr(row, name).change for row in difference.layers]
        assert sum(changes) == difference.totals[name].change
    for form in ("table", "markdown", "json"):
        assert FORMATS[form](difference)


def test_a_file_and_a_live_profile_compare_alike(tmp_path):
    def live(width):
        return profile(nn.Sequential(nn.Linear(3, width), nn.ReLU()), torch.ones(1, 3))

    path = tmp_path / "baseline.json"
    path.write_text(live(4).to_json())
    assert not diff(path, live(4)).moved
    difference = diff(str(path), live(5))
    assert {row.layer: row.params.change for row in difference.layers if row.params.change} == {
        "0": 4
    }
    assert difference.totals["macs"].change == 3


def test_a_name_is_counted_and_a_file_that_is_no_profile_is_refused(tmp_path):
    assert diff("lstm", profile("lstm")).totals["macs"].change == 0
    with pytest.raises(BadProfile, match=r"none\.json: No such file"):
        diff(tmp_path / "none.json", ONE)


def test_it_shows_itself():
    two = count(("a", "linear", 40, 130, 0), ("b", "linear", 10, 100, 3), ("c", "pool", 0, 0, 5))
    heading, columns, row = repr(diff(ONE, two)).splitlines()
    assert heading == "net: params +0%, macs +15%"
    assert columns.split()[:3] == ["layer", "was", "status"]
    assert row.split() == ["a", "changed", "40", "40", "100", "130", "0", "0"]
    assert repr(diff(ONE, ONE)) == "net: nothing moved"
    html = diff(ONE, replace(two, model="<net>"))._repr_html_()
    assert "&lt;net&gt;" in html
    assert "<td>100 -&gt; 130</td>" in html


def test_one_percent_of_a_hundred_is_not_more_than_one_percent():
    difference = diff(count(("a", "x", 100, 1, 0)), count(("a", "x", 101, 1, 0)))
    assert not difference.exceeds(parse_percent("1%"))
