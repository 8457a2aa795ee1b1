"""Networks drawn at random from 34 kinds of blocks: both passes against products by hand."""

import os
import random
from math import prod

import pytest
import random_blocks as blocks
import torch
from flopledger.counting.profiling import profile
from torch import nn

NETWORKS = int(os.environ.get("FLOPLEDGER_FUZZ", "60"))  # make fuzz draws 500
LARGEST = 4_000  # elements between two blocks


def residual(draw, shape, kinds):
    """A block beside its input, where their shapes are one."""
    inner = draw(kinds)(draw, shape)
    if inner.shape != shape:
        return inner
    step = blocks.Do(lambda x, inner: x + inner(x), inner=inner.step)
    return blocks.Block(step, shape, inner.products, inner.again, inner.gradients)


def branches(draw, shape, kinds):
    """Two blocks of one input, joined along its second axis."""
    first, other = draw(kinds)(draw, shape), draw(kinds)(draw, shape)
    if (first.shape[:1], first.shape[2:]) != (other.shape[:1], other.shape[2:]):
        return first
    joined = (first.shape[0], first.shape[1] + other.shape[1], *first.shape[2:])
    step = blocks.Do(lambda x, a, b: torch.cat([a(x), b(x)], 1), a=first.step, b=other.step)
    gradients = tuple(map(sum, zip(first.gradients, other.gradients, strict=True)))
    again = first.again + other.again
    return blocks.Block(step, joined, [*first.products, *other.products], again, gradients)


def drawn(seed):
    """A network, its input, and its blocks with their result's place in it."""
    random_ = random.Random(seed)
    draw = random_.choice
    if draw([True, True, False]):
        sides = [draw([3, 4, 5])] * draw([1, 2, 2, 3])
        shape = (draw([1, 2]), draw([1, 2, 4]), *sides)
        given = torch.zeros(shape, requires_grad=draw([False, False, True]))
        chosen = add([], shape, draw, blocks.OF_IMAGES, draw([1, 2, 3]))
        shape = chosen[-1].shape if chosen else shape
        chosen.append(blocks.Block(nn.Flatten(2), (*shape[:2], prod(shape[2:])), []))
    else:
        words, width = (draw([1, 2]), draw([2, 5])), draw([2, 3, 4])
        given = torch.zeros(words, dtype=torch.int64)
        layer = draw([nn.Embedding(7, width), nn.Embedding(7, width).requires_grad_(False)])
        chosen = [blocks.Block(layer, (*words, width), [])]
    chosen = add(chosen, chosen[-1].shape, draw, blocks.OF_ROWS, draw([1, 2, 3, 4]))
    chosen.append(blocks.linear(draw, chosen[-1].shape))  # so that something is trained
    return given, chosen


def add(chosen, shape, draw, kinds, number):
    for _ in range(number):
        kind = draw([*kinds, residual, branches])
        pair = kind in (residual, branches)
        block = kind(draw, shape, kinds) if pair else kind(draw, shape)
        if prod(block.shape) > LARGEST:
            break
        chosen, shape = [*chosen, block], block.shape
    return chosen


def backward_by_hand(given, chosen):
    """A factor's gradient is wanted where it is a parameter, or something before it is trained."""
    total, wanted = 0, given.requires_grad
    for block in chosen:
        total += block.backward(wanted)
        wanted = wanted or any(p.requires_grad for p in block.step.parameters())
    return total


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_both_counters_and_the_products_by_hand_agree(seed):
    given, chosen = drawn(seed)
    network = nn.Sequential(*(block.step for block in chosen))
    assert network(given).shape == chosen[-1].shape  # the drawing itself is right
    counted = profile(network, given, backward=True)
    assert counted.total("macs") == sum(block.macs for block in chosen)
    assert counted.check.agrees is not False, counted.check
    assert counted.complete
    assert counted.layers["macs"].sum() == counted.total("macs")
    assert counted.backward.macs == backward_by_hand(given, chosen)
    assert counted.backward.recomputed_macs == sum(block.again for block in chosen)


@pytest.mark.parametrize("kind", [*blocks.OF_IMAGES, *blocks.OF_ROWS], ids=lambda k: k.__name__)
def test_a_block_alone(kind):
    draw = random.Random(kind.__name__).choice
    shape = (2, 4, 5, 5) if kind in blocks.OF_IMAGES else (2, 3, 4)
    block = kind(draw, shape)
    for wanted in (False, True):
        given = torch.zeros(shape, requires_grad=wanted)
        network = nn.Sequential(block.step, nn.Linear(block.shape[-1], 1))
        head = prod(block.shape)
        trained = wanted or any(p.requires_grad for p in block.step.parameters())
        counted = profile(network, given, backward=True)
        assert counted.total("macs") == block.macs + head
        assert counted.backward.macs == block.backward(wanted) + head * (1 + trained)
