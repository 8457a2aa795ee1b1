"""A backward pass costs the same by a kernel that makes every gradient and in pieces."""

import pytest
import torch.nn.functional as F
from flopledger.counting.profiling import profile
from torch import nn, rand
from torch.nn.attention.flex_attention import flex_attention

SCORE = 2 * 5 * 6 * 8  # 2 heads, 5 queries by 6 keys: a product of 8 each


class Attends(nn.Module):
    def __init__(self, wanted, attend=F.scaled_dot_product_attention):
        super().__init__()
        self.attend = attend
        shapes = (1, 2, 5, 8), (1, 2, 6, 8), (1, 2, 6, 8)
        self.given = nn.ParameterList(
            nn.Parameter(rand(shape), requires_grad=name in wanted)
            for name, shape in zip("qkv", shapes, strict=True)
        )

    def forward(self, x):
        return self.attend(*self.given) + x


# the weight's gradient comes before query's and key's
WANTED = pytest.mark.parametrize(
    ("wanted", "products"),
    [("qkv", 4), ("qk", 3), ("qv", 3), ("kv", 3), ("q", 2), ("k", 2), ("v", 1)],
)


@pytest.mark.parametrize("values", [False, True])
@WANTED
def test_attention_makes_the_gradients_that_are_wanted(wanted, products, values):
    counted = profile(Attends(wanted), rand(1), backward=True, values=values)
    check = counted.backward_check
    assert (counted.backward.macs, check.macs) == (products * SCORE, products * SCORE)
    assert counted.backward.rescored_macs == (SCORE if values else 0)


@WANTED
def test_so_does_flex_attention(wanted, products):
    counted = profile(Attends(wanted, flex_attention), rand(1), backward=True)
    check = counted.backward_check
    assert (counted.backward.macs, check.macs) == (products * SCORE, products * SCORE)


INPUT, HIDDEN = 2 * 16 * 3, 2 * 16 * 4  # a step of 2 sequences of 3, four gates of 4 units


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(
    ("frozen", "of_x", "by_hand"),
    [
        ((), False, 5 * INPUT + 5 * HIDDEN + 4 * HIDDEN),  # the first step goes back to no other
        ((), True, 5 * 2 * INPUT + 5 * HIDDEN + 4 * HIDDEN),
        (("weight_hh_l0",), False, 5 * INPUT + 4 * HIDDEN),
        (("weight_ih_l0",), False, 5 * HIDDEN + 4 * HIDDEN),
    ],
)
def test_an_lstm_makes_the_gradients_that_are_wanted(frozen, of_x, by_hand, values):
    layer = nn.LSTM(3, 4)
    for name in frozen:
        getattr(layer, name).requires_grad_(False)
    counted = profile(layer, rand(5, 2, 3).requires_grad_(of_x), backward=True, values=values)
    assert (counted.backward.macs, counted.backward_check.macs) == (by_hand, by_hand)
