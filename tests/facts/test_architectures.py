"""Networks of timm and torchvision against the figures that their authors publish.

torchvision's figures are MACs. timm's are what fvcore's FlopCountAnalysis gives with all its
handles, which takes normalisation, pooling and resizing in (fvcore/nn/jit_handles.py of
0.1.5.post20221221) and has no handle for LSTMs, nor for convolutions whose padding is "same".
"""

import csv
from importlib.resources import files
from math import prod

import pytest
import torch
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.formulas.formula_table import multiplies
from flopledger.counting.subject import built
from flopledger.zoo.sources import find
from torch import nn

TABLE = files("flopledger.facts") / "architectures.csv"
ROWS = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))


def half_digit(text):
    """Half of the last digit that was printed, and what rounding twice may add."""
    return 0.5 * 10 ** -len(text.partition(".")[2]) * 1.001


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['library']}:{row['name']}")
def test_published_figures(row, record_property):
    named = find(f"{row['library']}:{row['name']}", {})
    module = built(named.name, named.factory)
    shape = [int(side) for side in row["input"].split("x")]
    calls = dispatch_counter.count(module, (torch.empty(shape, device="meta"),), {})

    assert all(call.counted for call in calls), {c.op for c in calls if not c.counted}
    params = sum(p.numel() for p in module.parameters()) / 1e6
    assert params == pytest.approx(float(row["params_m"]), abs=half_digit(row["params_m"]))
    macs = sum(call.macs for call in calls)
    if row["library"] == "timm":
        macs += by_fvcore(calls) - missed(module, calls, row["misses"])
    off = abs(macs / 1e9 - float(row["gmacs"]))
    beyond = max(0.0, off - half_digit(row["gmacs"])) / float(row["gmacs"])
    record_property("architecture", [row["name"], beyond])
    assert beyond == 0


def by_fvcore(calls):
    """What fvcore adds to a network's MACs, by its own rules."""
    return sum(_added(call) for call in calls if call.inputs)


def _added(call):
    elements, name = prod(call.inputs[0]), call.op.removeprefix("aten::")
    if name == "native_batch_norm":
        if call.other_flops == 7 * elements:  # in training: normalised weights
            return elements * (5 if len(call.inputs) > 1 else 4)
        return elements * (2 if len(call.inputs) == 5 else 1)
    if name in ("native_layer_norm", "native_group_norm"):
        return elements * (5 if len(call.inputs) > 1 else 4)
    if name in ("_adaptive_avg_pool2d", "adaptive_avg_pool2d"):
        return elements
    resized = {"upsample_nearest2d": 1, "upsample_bilinear2d": 4}
    return resized.get(name, 0) * prod(call.outputs[0])


def missed(module, calls, what):
    """The MACs of the layers that it has no handle for."""
    if not what:
        return 0
    layers = {
        path
        for path, layer in module.named_modules()
        if (isinstance(layer, nn.LSTM) if what == "lstm" else getattr(layer, "padding", 0) == what)
    }
    return sum(call.macs for call in calls if call.path in layers and multiplies(call.op))
