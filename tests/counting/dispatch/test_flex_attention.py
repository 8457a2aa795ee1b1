"""flex_attention's products by hand, and those that its block mask leaves out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from flopledger.counting.dispatch.flex_attention import attend, uncompiled

# 2 x 3 squares of 5 queries by 7 keys, 11 wide; values 13 wide
QUERY, KEY, VALUE = torch.zeros(2, 3, 5, 11), torch.zeros(2, 3, 7, 11), torch.zeros(2, 3, 7, 13)
SCORES = 2 * 3 * 5 * 7


def mask(partial, full, *sides):
    """The parts of a block mask that are read: lengths, blocks, then a block's sides."""
    return (5, 7, partial, None, full, None, None, None, None, None, *sides, None)


@pytest.mark.parametrize(
    ("partial", "full", "kept"),
    [
        # of [1, 1, 5] rows of blocks of 2 x 2: 1 + 2 + 0 + 3 + 1 blocks, for every square alike
        (torch.tensor([[[1, 2, 0, 3, 1]]]), None, 7 * 4),
        (torch.tensor([[[1, 2, 0, 3, 1]]]), torch.tensor([[[0, 0, 1, 0, 0]]]), (7 + 1) * 4),
        # of each head its own: 7, 5 and 0 blocks, 4 on average
        (torch.tensor([[[1, 2, 0, 3, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]]), None, 4 * 4),
    ],
)
def test_what_a_block_mask_leaves_out(partial, full, kept):
    made, macs, skipped, again = attend(
        "flex_attention", (QUERY, KEY, VALUE, None, mask(partial, full, 2, 2))
    )
    assert (macs, again) == (SCORES * (11 + 13), 0)
    assert skipped == 2 * 3 * (5 * 7 - kept) * (11 + 13)
    assert [tuple(t.shape) for t in made] == [(2, 3, 5, 13), (2, 3, 5), (2, 3, 5)]
    assert made[1].dtype is torch.float32


def test_blocks_beyond_the_end_skip_nothing():
    # one block of 128 x 128 holds more than the square
    partial = torch.tensor([[[1]]])
    _, _, skipped, _ = attend(
        "flex_attention", (QUERY, KEY, VALUE, None, mask(partial, None, 128, 128))
    )
    assert skipped == 0


def test_four_products_backward_and_the_scores_again():
    grads, macs, skipped, again = attend("flex_attention_backward", (QUERY, KEY, VALUE))
    assert (macs, skipped, again) == (SCORES * 2 * (11 + 13), 0, SCORES * 11)
    assert [tuple(t.shape) for t in grads[:3]] == [QUERY.shape, KEY.shape, VALUE.shape]
    assert grads[3] == ()


def test_flex_attention_is_as_it_was_afterwards():
    from torch.nn.attention import flex_attention as home

    before = home._validate_device, home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG
    with uncompiled():
        assert home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG
        assert home._validate_device(None, None, None) is None
        with ThreadPoolExecutor(1) as other:  # a thread that is not the pass's
            assert not other.submit(bool, home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG).result()
            with pytest.raises(AttributeError):
                other.submit(home._validate_device, None, None, None).result()
    assert (home._validate_device, home._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG) == before
