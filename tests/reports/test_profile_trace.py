"""Traces for viewers of flame graphs: the formats as their viewers read them, and exact sums."""

import json
from itertools import pairwise

import pytest
from flopledger.calls import Layer, OpCall
from flopledger.counting.profiling import profile
from flopledger.profiles.tables import Check, Input, Profile
from flopledger.reports.profile_trace import render
from hypothesis import given
from hypothesis import strategies as st

PATHS = ("", "body", "body.0", "body.1", "body.1.inner", "head")


def made(*calls, counted=True):
    """A network that made calls of (path, operator, MACs)."""
    return Profile(
        model="net",
        counter="fvcore",
        inputs=(Input(shape=(1, 4), dtype="float32"),),
        samples=1,
        calls=tuple(
            OpCall(path=path, op=op, inputs=(), outputs=(), macs=macs, counted=counted)
            for path, op, macs in calls
        ),
        modules=tuple(
            Layer(path=path, kind="linear" if "0" in path else "Block", params=0, trainable=0,
                  shared=(), calls=1, output_shape=(), output_elements=0, leaf=False)
            for path in PATHS
        ),
        check=Check(counter="dispatch", macs=0, agrees=True),
    )  # fmt: skip


NET = made(
    ("body.0", "aten::linear", 10),
    ("body.1", "aten::relu", 0),
    ("body.0", "aten::linear", 20),
    ("", "aten::bmm", 3),
    ("body.0", "aten::linear", 5),
)


def spans(text):
    """{name, start, end} of a Chrome trace's events, in ns."""
    events = json.loads(text)["traceEvents"]
    return [
        (e["name"], round(1000 * e["ts"]), round(1000 * (e["ts"] + e["dur"])))
        for e in events
        if e["ph"] == "X"
    ]


def stacks(text):
    """[(names, weight)] of a speedscope file, held to the types that its viewer declares.

    They are those of src/lib/file-format-spec.ts of jlfwong/speedscope.
    """
    file = json.loads(text)
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = file["shared"]["frames"]
    assert all(set(frame) <= {"name", "file", "line", "col"} for frame in frames)
    names = [frame["name"] for frame in frames]
    assert len(set(names)) == len(names)
    (trace,) = file["profiles"]
    assert set(trace) == {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}
    assert trace["type"] == "sampled"
    assert trace["unit"] in ("none", "nanoseconds", "microseconds", "milliseconds", "seconds",
                           "bytes")  # fmt: skip
    assert trace["endValue"] - trace["startValue"] == sum(trace["weights"])
    samples = [[names[index] for index in stack] for stack in trace["samples"]]
    return list(zip(samples, trace["weights"], strict=True))


def test_speedscope_by_hand():
    inside = ["net", "body", "body.0", "aten::linear"]
    assert stacks(render(NET, "speedscope")) == [
        (inside, 2 * 10),
        (inside, 2 * 20),
        (["net", "aten::bmm"], 2 * 3),
        (inside, 2 * 5),
    ]
    assert "FLOPs" in json.loads(render(NET, "speedscope"))["profiles"][0]["name"]


def test_chrome_by_hand():
    # 1 FLOP is 1 ns of the axis: 20 + 40 in body.0, 6 in the root itself, 10 in body.0
    assert spans(render(NET, "chrome")) == [
        ("net", 0, 76),
        ("body", 0, 60),
        ("body.0", 0, 60),
        ("aten::linear", 0, 60),
        ("aten::bmm", 60, 66),
        ("body", 66, 76),
        ("body.0", 66, 76),
        ("aten::linear", 66, 76),
    ]
    parsed = json.loads(render(NET, "chrome"))
    assert parsed["otherData"]["axis"] == "1 microsecond of the axis is 1,000 FLOPs"
    events = [event for event in parsed["traceEvents"] if event["ph"] == "X"]
    assert events[0]["args"] == {"flops": 76, "kind": "Block"}
    assert events[2]["args"] == {"flops": 60, "kind": "linear"}
    assert events[3]["args"] == {"flops": 60, "kind": "operator"}


def test_seconds_of_layers():
    weights = {"head": 0.25, "body.1.inner": 0.5, "body.1": 0.125, "body.0": 0.0}
    text = render(NET, "speedscope", weights)
    assert stacks(text) == [
        (["net", "body", "body.1"], 0.125),
        (["net", "body", "body.1", "body.1.inner"], 0.5),
        (["net", "head"], 0.25),
    ]
    assert json.loads(text)["profiles"][0]["unit"] == "seconds"
    assert spans(render(NET, "chrome", weights, unit="seconds")) == [
        ("net", 0, 875_000_000),
        ("body", 0, 625_000_000),
        ("body.1", 0, 625_000_000),
        ("body.1.inner", 125_000_000, 625_000_000),
        ("head", 625_000_000, 875_000_000),
    ]


@pytest.mark.parametrize("model", ["alexnet", "resnet18", "gpt2"])
def test_the_weights_are_the_total(model):
    counted = profile(model)
    flops = counted.total("flops")
    assert sum(weight for _, weight in stacks(render(counted, "speedscope"))) == flops
    whole, *parts = spans(render(counted, "chrome"))
    assert whole == (model, 0, flops)
    operators = [part for part in parts if "::" in part[0]]
    assert sum(end - start for _, start, end in operators) == flops


@given(st.dictionaries(st.sampled_from(PATHS), st.floats(1e-7, 1e3), min_size=1))
def test_no_event_ends_after_the_one_it_lies_in(weights):
    events = spans(render(NET, "chrome", weights))
    for (_, start, _), (_, later, _) in pairwise(events):
        assert start <= later
    for index, (_, start, end) in enumerate(events):
        for _, later, ends in events[index:]:
            assert later >= end or (start <= later and ends <= end)
    assert events[0][2] == pytest.approx(1e9 * sum(weights.values()), abs=1, rel=1e-9)


def test_a_lower_bound_says_so():
    doubtful = made(("body.0", "aten::qr", 1), counted=False)
    assert "net: at least, FLOPs" in render(doubtful, "speedscope")
    assert "at least" not in render(doubtful, "chrome", {"head": 1.0})


@pytest.mark.parametrize(
    ("weights", "unit", "complaint"),
    [
        ({"tail": 1.0}, None, "no layer 'tail'"),
        ({"head": -1.0}, None, "head weighs -1.0"),
        ({"": float("nan")}, None, r"\(top\) weighs nan"),
        ({"head": float("inf")}, None, "from 0 up"),
        ({"head": 0.0}, None, "no layer has seconds"),
        (None, "seconds", "give the layers' seconds"),
    ],
)
def test_what_cannot_be_drawn(weights, unit, complaint):
    with pytest.raises(ValueError, match=complaint):
        render(NET, "chrome", weights, unit=unit)


def test_a_network_without_macs_has_no_trace():
    with pytest.raises(ValueError, match="net: no layer has FLOPs"):
        render(made(("head", "aten::relu", 0)), "speedscope")
