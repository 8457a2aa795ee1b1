"""The names under which kernels fuse what others do in pieces: each costs what its pieces cost."""

import pytest
from flopledger.counting.formulas.every import work

# 2 sequences, 4 heads, 10 queries, 12 keys, width 16, values of width 8
QUERY, KEY, VALUE, OUT = (2, 4, 10, 16), (2, 4, 12, 16), (2, 4, 12, 8), (2, 4, 10, 8)
SCORES = 2 * 4 * 10 * 12


@pytest.mark.parametrize(
    "kernel",
    ["flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention"],
)
def test_attention_in_every_backend(kernel):
    op = f"aten::_scaled_dot_product_{kernel}"
    forward = work(op, (QUERY, KEY, VALUE, 0.0, True), {}, (OUT, (2, 4, 10)))
    assert forward == (SCORES * (16 + 8), SCORES * 6)
    # four products of gradients: query and key 16 wide, value and weight 8
    grads = (QUERY, KEY, VALUE)
    backward = work(f"{op}_backward", (OUT, QUERY, KEY, VALUE, OUT, (2, 4, 10)), {}, grads)
    assert backward == (SCORES * (8 + 8 + 16 + 16), SCORES * (6 + 4))


def test_heads_that_stand_behind_the_tokens():
    query, key, value = (2, 10, 4, 16), (2, 12, 4, 16), (2, 12, 4, 8)
    args = (query, key, value, None, None, 10, 12, 0.0, False, False)
    counts = work("aten::_flash_attention_forward", args, {}, ((2, 10, 4, 8), (2, 4, 10)))
    assert counts == (SCORES * (16 + 8), SCORES * 6)


def test_packed_sequences_are_not_guessed():
    args = ((20, 4, 16), (20, 4, 16), (20, 4, 16), (3,), (3,), 12, 12, 0.0, False, False)
    assert work("aten::_flash_attention_forward", args, {}, ((20, 4, 16), (4, 20))) is None


def test_lstm_kernels():
    # 7 steps, batch 2, 8 inputs, 4 units
    x, w_input, w_hidden = (7, 2, 8), (16, 8), (16, 4)
    by_hand = 7 * 2 * 16 * (8 + 4)
    args = (x, w_input, w_hidden, (16,), (16,), (2, 4), (2, 4), False, [], 2, 4, 1)
    assert work("aten::mkldnn_rnn_layer", args, {}, ((7, 2, 4),)) == (by_hand, 7 * 2 * 4 * 13)
    weights = [w_input, w_hidden, (16,), (16,)]
    args = (x, weights, 4, None, (1, 2, 4), (1, 2, 4), 2, 4, 0, 1)
    assert work("aten::_cudnn_rnn", args, {}, ((7, 2, 4),)) == (by_hand, 7 * 2 * 4 * 13)
    packed = (x, [(1, 2, 4), (1, 2, 4)], [None], True, 1, 0.0, False, False, False)
    assert work("aten::quantized_lstm", packed, {}, ((7, 2, 4),)) == (by_hand, 7 * 2 * 4 * 13)


@pytest.mark.parametrize(
    "op", ["aten::mkldnn_convolution", "aten::cudnn_convolution", "aten::_conv_depthwise2d"]
)
def test_convolution_kernels(op):
    args = ((2, 3, 9, 9), (8, 3, 5, 5), [0, 0], [1, 1])
    assert work(op, args, {}, (2, 8, 5, 5)) == (2 * 25 * 8 * 3 * 25, 0)


def test_a_layer_and_its_loss_in_one_operator():
    # 6 rows of width 4, 10 classes; the gradients of the input and of the weight are made as well
    op = "torch_nn::_linear_cross_entropy_batch_chunked"
    args = ((6, 4), (10, 4), (6,), None, None, "mean", -100, 0.0, 2, "", None, False, True, True,
            False)  # fmt: skip
    assert work(op, args, {}, ((), (6, 4), (10, 4), ())) == (3 * 6 * 4 * 10, 5 * 6 * 10)
