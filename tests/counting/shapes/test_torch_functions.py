"""What a mask throws away."""

import pytest
import torch
from flopledger.counting.shapes.torch_functions import Functions, masked_macs
from torch import zeros

# 2 x 3 squares of 5 queries by 7 keys, 11 wide; values 13 wide
QUERY, KEY, VALUE = zeros(2, 3, 5, 11), zeros(2, 3, 7, 11), zeros(2, 3, 7, 13)


def test_a_causal_mask_by_hand():
    # query i meets i + 1 keys: of 35 scores 1 + 2 + 3 + 4 + 5 are met
    macs = masked_macs(QUERY, KEY, VALUE, is_causal=True)
    assert macs == 2 * 3 * (35 - 15) * (11 + 13)
    # 7 queries by 5 keys: 1 + 2 + 3 + 4 + 5 + 5 + 5
    macs = masked_macs(KEY, QUERY, zeros(2, 3, 5, 13), is_causal=True)
    assert macs == 2 * 3 * (35 - 25) * (11 + 13)


@pytest.mark.parametrize("shape", [(5, 7), (2, 1, 5, 7), (2, 3, 5, 7), (7,), (5, 1)])
def test_a_boolean_mask_is_spread_over_the_squares(shape):
    mask = torch.ones(shape, dtype=torch.bool)
    mask.view(-1)[:2] = False
    scores = 2 * 3 * 35 * 2 // mask.numel()
    assert masked_macs(QUERY, KEY, VALUE, mask) == scores * (11 + 13)
    assert masked_macs(QUERY, KEY, VALUE, mask.logical_not()) == (2 * 3 * 35 - scores) * 24


@pytest.mark.parametrize(
    "mask", [None, zeros(5, 7), torch.ones(5, 7, dtype=torch.bool, device="meta")]
)
def test_a_mask_without_known_values_skips_nothing(mask):
    assert masked_macs(QUERY, KEY, VALUE, mask) == 0


def test_a_mask_of_nothing_skips_nothing():
    none = zeros(2, 3, 0, 11)
    assert masked_macs(none, KEY, VALUE, torch.ones(0, 7, dtype=torch.bool)) == 0


def test_attention_writes_down_what_it_skips():
    attention = torch.nn.functional.scaled_dot_product_attention
    calls = []
    with Functions(lambda: "layer", calls):
        attention(QUERY, KEY, VALUE)
        attention(QUERY, KEY, VALUE, is_causal=True)
    (call,) = calls
    assert (call.path, call.op) == ("layer", "aten::scaled_dot_product_attention")
    assert (call.masked_macs, call.macs) == (2 * 3 * 20 * 24, 0)
