"""Attention under each of its names, at sides that are distinct primes."""

import pytest
from flopledger.counting.formulas.every import rescored, work

# 2 sequences, 3 heads, 5 queries of 11, 7 keys of 11 and values of 13
QUERY, KEY, VALUE, OUT = (2, 3, 5, 11), (2, 3, 7, 11), (2, 3, 7, 13), (2, 3, 5, 13)
SCORES = 2 * 3 * 5 * 7
INSIDE = [(2, 5, 3, 11), (2, 7, 3, 11), (2, 7, 3, 13)]  # the heads behind the tokens
FUSED = [
    "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable", "_scaled_dot_product_attention_math",
    "_scaled_dot_product_attention_math_for_mps",
]  # fmt: skip
WITH_BACKWARD = [name for name in FUSED if not name.endswith(("math", "mps"))]


def test_the_scores_and_the_values():
    counts = work("aten::scaled_dot_product_attention", [QUERY, KEY, VALUE], {}, OUT)
    assert counts == (SCORES * (11 + 13), SCORES * 6)
    # keys and values of 1 head that all 3 share; no batch
    counts = work("aten::scaled_dot_product_attention", [(3, 5, 11), (1, 7, 11), (1, 7, 13)], {},
                 (3, 5, 13))  # fmt: skip
    assert counts == (3 * 5 * 7 * (11 + 13), 3 * 5 * 7 * 6)


@pytest.mark.parametrize("op", FUSED)
def test_a_fused_kernel_gives_more_than_its_result(op):
    counts = work(f"aten::{op}", [QUERY, KEY, VALUE, None, True], {}, (OUT, (2, 3, 5)))
    assert counts == (SCORES * (11 + 13), SCORES * 6)


@pytest.mark.parametrize("op", WITH_BACKWARD)
def test_four_products_a_score_backward_and_the_score_again(op):
    # the gradients of query and key: 11 each; of weights and values: 13 each
    args, made = [OUT, QUERY, KEY, VALUE, OUT, (2, 3, 5)], (QUERY, KEY, VALUE)
    assert work(f"aten::{op}_backward", args, {}, made) == (SCORES * 2 * (11 + 13), SCORES * 10)
    assert rescored(f"aten::{op}_backward", args, made) == SCORES * 11


@pytest.mark.parametrize("op", ["attention_math", "attention_math_for_mps"])
def test_what_is_computed_in_pieces_has_no_backward_of_its_own(op):
    args = [OUT, QUERY, KEY, VALUE]
    assert work(f"aten::_scaled_dot_product_{op}_backward", args, {}, (QUERY, KEY, VALUE)) is None


@pytest.mark.parametrize("kernel", ["flash", "efficient", "cudnn"])
def test_heads_behind_the_tokens(kernel):
    op = f"aten::_{kernel}_attention_forward"
    made = ((2, 5, 3, 13), (2, 3, 5))
    assert work(op, [*INSIDE, None, None, 5, 7], {}, made) == (SCORES * (11 + 13), SCORES * 6)
    # cumulative lengths: the sequences are packed
    assert work(op, [*INSIDE, (4,), (4,), 5, 7], {}, made) is None
    assert work(op, [(10, 3, 11), *INSIDE[1:], None], {}, made) is None


@pytest.mark.parametrize("kernel", ["flash", "efficient"])
def test_heads_behind_the_tokens_backward(kernel):
    op = f"aten::_{kernel}_attention_backward"
    args = [(2, 5, 3, 13), *INSIDE]
    assert work(op, [*args, None, (1,)], {}, ())[0] == SCORES * 2 * (11 + 13)
    assert rescored(op, [*args, None, (1,)], ()) == SCORES * 11
    assert work(op, [*args, (2,)], {}, ()) is None  # packed; a side of 1 is a seed
    assert work(op, [args[0], (10, 3, 11), *INSIDE[1:]], {}, ()) is None


def test_fused_multi_head_attention():
    # 2 sequences, 5 queries, 7 keys, width 11, projected to 13
    args = (2, 5, 11), (2, 7, 11), (2, 7, 11), 11, 1, (33, 11), (33,), (13, 11), (13,)
    projected = 2 * 5 * 11 * 11 + 2 * (2 * 7 * 11 * 11) + 2 * 5 * 11 * 13
    attended = 2 * (2 * 5 * 7 * 11)  # scores, then values
    counts = work("aten::_native_multi_head_attention", args, {}, ((2, 5, 13), None))
    assert counts[0] == projected + attended


def test_a_fused_encoder_layer():
    # 2 sequences of 5, width 11, 17 units between the two linear layers
    square, norm = (11, 11), (11,)
    args = ((2, 5, 11), 11, 1, (33, 11), (33,), square, norm, False, False, 1e-5, norm, norm, norm,
            norm, (17, 11), (17,), (11, 17), norm)  # fmt: skip
    by_hand = 2 * 5 * 4 * 121 + 2 * (2 * 5 * 5 * 11) + 2 * 5 * (11 * 17 + 17 * 11)
    assert work("aten::_transformer_encoder_layer_fwd", args, {}, (2, 5, 11))[0] == by_hand
    # the second linear layer by itself: the two are not taken for one another
    args = (*args[:-2], (11, 19), norm)
    by_hand += 2 * 5 * 2 * 11
    assert work("aten::_transformer_encoder_layer_fwd", args, {}, (2, 5, 11))[0] == by_hand
