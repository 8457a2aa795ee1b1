"""The least time of a pass, by hand: FLOPs over the peak, bytes over the bandwidth."""

import json

import flopledger
import pytest
import torch
from flopledger import WrongOption
from torch import nn

PEAK, BANDWIDTH, MEMORY = 989.4e12, 3350e9, 80e9  # of an H100 SXM, its data sheet
HALF, FLOAT = 2, 4


def on_h100(*args, **options):
    whole = flopledger.roofline(*args, on="h100-sxm", **options)
    return whole, whole.devices[0]


def product(rows):
    return nn.Linear(1000, 1000, bias=False), torch.zeros(rows, 1000)


def test_a_product_of_few_rows_is_bound_by_memory():
    whole, bounds = on_h100(*product(4), dtype="bf16")
    flops, moved = 2 * 4 * 1000**2, HALF * (1000**2 + 2 * 4 * 1000)
    assert whole.dtype == "bfloat16"
    assert bounds.arithmetic_seconds == pytest.approx(flops / PEAK)
    assert bounds.least_seconds == bounds.memory_seconds == pytest.approx(moved / BANDWIDTH)
    assert bounds.bound == "memory"
    assert bounds.samples_per_second == pytest.approx(4 * BANDWIDTH / moved)


def test_and_of_more_rows_than_where_it_turns_by_arithmetic():
    weights, each = HALF * 1000**2 / BANDWIDTH, HALF * 2 * 1000 / BANDWIDTH
    turns = weights / (2 * 1000**2 / PEAK - each)  # 722 rows
    for rows, bound in ((700, "memory"), (740, "arithmetic")):
        bounds = on_h100(*product(rows), dtype="bf16")[1]
        assert bounds.turns_at == pytest.approx(turns)
        assert bounds.bound == bound


def test_what_adds_more_bytes_than_arithmetic_hides_never_turns():
    bounds = on_h100(nn.ReLU(), torch.zeros(8, 10))[1]
    assert (bounds.bound, bounds.turns_at) == ("memory", None)


class Causal(nn.Module):
    """Attention of one head of 16 over 64 positions, a token each."""

    def forward(self, ids):
        q = ids.float()[..., None].expand(-1, -1, 16).unsqueeze(1).contiguous()
        return nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True)


def test_the_whole_leaves_out_what_a_causal_mask_lets_kernels_skip():
    ids = torch.zeros(1, 64, dtype=torch.long)
    _, bounds = on_h100(Causal(), ids)
    kept = 64 * 65 // 2
    assert bounds.flops == 2 * 2 * kept * 16
    assert sum(layer.flops for layer in bounds.layers) == 2 * 2 * 64 * 64 * 16
    fused = on_h100(Causal(), ids, fused=True)[1]
    assert sum(layer.flops for layer in fused.layers) == bounds.flops
    assert bounds.tokens_per_second == pytest.approx(64 / bounds.least_seconds)


def test_a_training_step_reads_and_writes_what_the_optimiser_keeps():
    module, x = nn.Linear(100, 100, bias=False), torch.zeros(2, 100)
    whole, bounds = on_h100(module, x, backward=True, optimiser="adam")
    params = FLOAT * 100 * 100
    passes = params + FLOAT * 2 * 2 * 100 + params  # weights, x, the result; the gradient
    step = params + 2 * params * 3  # the gradient; weights and two averages, read and written
    assert bounds.bytes == passes + step
    assert bounds.fixed_bytes == params + params + step
    assert whole.optimiser == "adam"
    assert bounds.layers[-1].bytes == step


def test_utilisation_scales_the_rates():
    bound, taken = (on_h100(*product(4), utilisation=share)[1] for share in (None, 0.4))
    assert taken.samples_per_second == pytest.approx(0.4 * bound.samples_per_second)
    assert taken.turns_at == pytest.approx(bound.turns_at)


def test_it_fits_or_does_not():
    width = 50_000
    with torch.device("meta"):
        module = nn.Linear(width, width, bias=False)
    weights = {"fp32": 4, "bf16": 2, "int8": 1}
    devices = {"l4": 24e9, "h100-sxm": 80e9}  # 10, 5 and 2.5 GB of weights
    for dtype, size in weights.items():
        x = torch.zeros(1, width, device="meta")
        for name, memory in devices.items():
            (bounds,) = flopledger.roofline(module, x, on=name, dtype=dtype).devices
            assert bounds.fits is True
            rest = bounds.held_bytes - size * width**2
            assert 0 <= rest < 1e6
            assert bounds.device.memory_bytes.value == memory
    with torch.device("meta"):
        larger = nn.Linear(width, 2 * width, bias=False)
    x = torch.zeros(1, width, device="meta")
    (bounds,) = flopledger.roofline(larger, x, on="rtx-4080").devices  # 20 GB into 16
    assert bounds.fits is False


def test_a_result_shows_itself_and_is_json():
    whole, bounds = on_h100(*product(4), dtype="bf16", utilisation=0.5)
    assert "at most" in repr(whole)
    assert "50.0% of its peaks" in repr(whole)
    assert "bound by memory" in whole._repr_html_()
    (device,) = json.loads(whole.to_json())["devices"]
    assert device["least_seconds"] == bounds.least_seconds
    assert device["device"]["bytes_per_second"]["value"] == BANDWIDTH


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"on": "h1000"}, "did you mean h100"),
        ({"on": ()}, "names no device"),
        ({"on": "v100-sxm2-16gb", "dtype": "bf16"}, "no peak at bfloat16; known are float32"),
        ({"on": "a100"}, "say a100-40gb or a100-80gb"),
        ({"on": "h100", "dtype": "fp3"}, "not one of fp64"),
        ({"on": "h100", "utilisation": 0.0}, "no share"),
        ({"on": "h100", "utilisation": 1.1}, "no share"),
        ({"on": "t4", "dtype": None}, "t4 has no peak at bfloat16"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(options, line):
    module = nn.Linear(2, 2).bfloat16()
    with pytest.raises(WrongOption, match=line):
        flopledger.roofline(module, torch.zeros(1, 2, dtype=torch.bfloat16), **options)
