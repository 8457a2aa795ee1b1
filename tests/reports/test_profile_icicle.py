"""The icicle: what is a share of what, what is merged, and that no label leaves its box."""

import re
from itertools import pairwise

import pytest
import torch
from flopledger import profile
from flopledger.reports.profile_icicle import COLOURS, GROUP, WIDTH, caption, chart, render
from svg_texts import texts_outside
from torch import nn


def boxes(profile, size_by="flops"):
    """The rectangles, in pixels."""
    spec = chart(profile, size_by).to_dict()
    name = spec["layer"][0]["data"]["name"]
    return spec["datasets"][name]


def share(row, whole):
    return (row["bottom"] - row["top"]) / whole["bottom"]


@pytest.fixture(scope="module")
def small():
    network = nn.Sequential()
    network.add_module("body", nn.Sequential(nn.Linear(10, 30, bias=False), nn.ReLU()))
    network.add_module("pair", nn.Sequential(nn.Linear(30, 10, bias=False), nn.Linear(10, 40)))
    return profile(network, torch.zeros(1, 10))


def test_shares_by_hand(small):
    rows = boxes(small, "params")
    # 10 x 30, 30 x 10, and 10 x 40 + 40; a module with one layer in it is that layer
    assert [row["text"] for row in rows] == [
        "(top), Sequential: 1,040 parameters, 100.0%",
        "body.0, linear: 300 parameters, 28.8%",
        "pair, Sequential: 740 parameters, 71.2%",
        "pair.0, linear: 300 parameters, 28.8%",
        "pair.1, linear: 440 parameters, 42.3%",
    ]
    whole, body, pair, upper, two = rows
    for row, value in zip(rows, (1040, 300, 740, 300, 440), strict=True):
        assert share(row, whole) == pytest.approx(value / 1040)
    assert (body["top"], pair["top"], upper["top"]) == (0, body["bottom"], body["bottom"])
    assert two["top"] == pytest.approx(upper["bottom"])
    assert whole["right"] == body["left"] == pair["left"]
    assert pair["right"] == upper["left"] == two["left"]
    assert [row["right"] for row in (body, upper, two)] == [WIDTH] * 3
    assert [row["colour"] for row in rows] == [
        GROUP, "linear", GROUP, "linear", "linear"]  # fmt: skip
    assert body["label"] == "body.0 linear 28.8%"


def test_small_layers_share_a_box():
    network = nn.Sequential(nn.Linear(100, 100), nn.BatchNorm1d(100))
    for _ in range(5):
        network.append(nn.Sequential(nn.PReLU(), nn.PReLU()))
    rows = boxes(profile(network.eval(), torch.zeros(1, 100)), "params")
    assert [re.sub(":.*", "", row["text"]) for row in rows] == [
        "(top), Sequential", "0, linear", "1, norm", "10 other layers of (top)"]  # fmt: skip
    assert "10 other layers of (top): 10 parameters" in rows[-1]["text"]


def test_a_module_with_its_own_arithmetic():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(8, 8)

        def forward(self, x):
            y = self.qkv(x)
            return y @ y.transpose(-1, -2)

    rows = boxes(profile(nn.Sequential(Attention(), nn.Linear(4, 4)), torch.zeros(1, 4, 8)))
    labels = {row["label"].split()[0]: row for row in rows}
    # the product: 4 x 4 x 8 MACs; the layer: 4 x 8 x 8; the last one: 4 x 4 x 4
    whole = labels["Sequential"]
    assert share(labels["(itself)"], whole) == pytest.approx(128 / (128 + 256 + 64))
    assert labels["(itself)"]["colour"] == "attention"
    assert share(labels["qkv"], whole) == pytest.approx(256 / (128 + 256 + 64))


@pytest.mark.parametrize("model", ["resnet50", "gpt2"])
@pytest.mark.parametrize("size_by", ["flops", "params"])
def test_the_boxes_fill_the_picture(model, size_by):
    rows = boxes(profile(model), size_by)
    last = [row for row in rows if row["right"] == WIDTH]
    assert last[0]["top"] == 0
    for above, below in pairwise(last):
        assert below["top"] == pytest.approx(above["bottom"])
    assert last[-1]["bottom"] == pytest.approx(rows[0]["bottom"])
    assert {row["colour"] for row in rows} <= set(COLOURS)


def test_no_label_leaves_its_box():
    network = nn.Linear(4, 4)
    for index in range(12):
        outer = nn.Sequential()
        outer.add_module("m" * 40 + str(index), network)
        outer.add_module("next", nn.Linear(4, 4))
        network = outer
    counted = profile(network, torch.zeros(1, 4))
    svg = render(counted, "svg")
    texts = re.findall(
        r'translate\(([\d.]+),([\d.]+)\)"[^>]*font-size="([\d.]+)px"[^>]*>([^<]*)<',
        svg.split("mark-text", 1)[1].split("</g>")[0],
    )
    assert sum("mmm…" in text for *_, text in texts) >= 1
    for (x, y, size, text), row in zip(texts, boxes(counted), strict=True):
        assert row["left"] < float(x)
        assert row["top"] < float(y) < row["bottom"]
        assert float(size) < row["bottom"] - row["top"]
        # Arial's widths, of a letter's size; of the others here none has more than 0.56
        wide = {"m": 0.833, "%": 0.889, "…": 1.0, "S": 0.667, " ": 0.278, ".": 0.278, "t": 0.278}
        ends = float(x) + float(size) * sum(wide.get(letter, 0.56) for letter in text)
        assert ends <= row["right"]


def test_the_page_says_what_each_box_is(small):
    html = render(small, "html")
    assert html.count("<title>") == len(boxes(small))
    assert "<title>pair.1, linear: 800 FLOPs, 42.1%</title>" not in html  # its bias is none
    assert "<title>pair.1, linear: 800 FLOPs, 40.0%</title>" in html
    assert not re.findall(r'(?:src|href)="', html)
    assert "<script" not in html


def test_names_are_escaped():
    network = nn.Sequential()
    network.add_module('<b>"&', nn.Linear(2, 2))
    network.add_module("c", nn.Linear(2, 2))
    html = render(profile(network, torch.zeros(1, 2)), "html")
    assert "<b>" not in html
    assert "&lt;b&gt;&quot;&amp;, linear: 8 FLOPs" in html


def test_the_heading_gives_model_total_and_unit(small):
    # all of it is linear: 2 x (300 + 300 + 400)
    took = "Linear layers take 100.0% of Sequential's 2k FLOPs (2 x MACs) a pass of 1x10"
    assert caption(small, "flops").title == took
    assert caption(small, "params").title == (
        "Linear layers keep 100.0% of Sequential's 1.04k parameters"
    )
    assert took in render(small, "svg")
    assert texts_outside(render(small, "svg")) == []


def test_a_picture(small):
    assert render(small, "png").startswith(b"\x89PNG\r\n\x1a\n")
    assert render(small, "svg").startswith("<svg")


def test_nothing_to_draw():
    idle = profile(nn.BatchNorm1d(3).eval(), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="BatchNorm1d has no FLOPs; draw its params"):
        render(idle, "svg")
    assert render(idle, "svg", "params").startswith("<svg")
