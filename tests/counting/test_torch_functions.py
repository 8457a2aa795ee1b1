"""What a mask throws away, and products that einsum and outer spell otherwise."""

import pytest
import torch
from flopledger.counting.torch_functions import Functions, masked_macs
from torch import randn, zeros

# 2 x 3 squares of 5 queries by 7 keys, 11 wide; values 13 wide
QUERY, KEY, VALUE = zeros(2, 3, 5, 11), zeros(2, 3, 7, 11), zeros(2, 3, 7, 13)


def test_a_causal_mask_by_hand():
    # query i meets i + 1 keys: of 35 scores 1 + 2 + 3 + 4 + 5 are met
    found = masked_macs(QUERY, KEY, VALUE, is_causal=True)
    assert found == 2 * 3 * (35 - 15) * (11 + 13)
    # 7 queries by 5 keys: 1 + 2 + 3 + 4 + 5 + 5 + 5
    found = masked_macs(KEY, QUERY, zeros(2, 3, 5, 13), is_causal=True)
    assert found == 2 * 3 * (35 - 25) * (11 + 13)


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
    with Functions(lambda: "layer") as functions:
        attention(QUERY, KEY, VALUE)
        attention(QUERY, KEY, VALUE, is_causal=True)
    (call,) = functions.calls
    assert (call.path, call.op) == ("layer", "aten::scaled_dot_product_attention")
    assert (call.masked_macs, call.macs) == (2 * 3 * 20 * 24, 0)


class Products(torch.utils._python_dispatch.TorchDispatchMode):
    """The operands' shapes of each matrix product that is dispatched."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func._schema.name in ("aten::mm", "aten::bmm"):
            self.shapes.append(tuple(tuple(a.shape) for a in args))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("function", [torch.outer, torch.ger, torch.Tensor.outer, torch.Tensor.ger])
def test_an_outer_product_is_a_matrix_product(function):
    a, b = randn(3), randn(5)
    with Functions(lambda: ""), Products() as products:
        found = function(a, b)
    assert torch.equal(found, a[:, None] * b)
    assert products.shapes == [((3, 1), (1, 5))]
    mixed = function(a, b.double())  # an elementwise product takes two dtypes
    with Functions(lambda: ""):
        assert torch.equal(function(a, b.double()), mixed)


@pytest.mark.parametrize(
    ("equation", "shapes", "product"),
    [
        ("ij,jk->ik", [(2, 3), (3, 5)], ((1, 2, 3), (1, 3, 5))),
        ("ij, jk -> ki", [(2, 3), (3, 5)], ((1, 2, 3), (1, 3, 5))),
        ("i,j->ij", [(3,), (5,)], ((1, 3, 1), (1, 1, 5))),
        ("bi,bj->bij", [(2, 3), (2, 5)], ((2, 3, 1), (2, 1, 5))),
        ("bqhd,bkhd->bhqk", [(2, 3, 5, 7), (2, 11, 5, 7)], ((10, 3, 7), (10, 7, 11))),
        ("i,i->", [(7,), (7,)], ((1, 1, 7), (1, 7, 1))),
        ("ij,jk->ik", [(2, 1), (1, 5)], ((1, 2, 1), (1, 1, 5))),  # a sum over one
        ("abij,bjak->bik", None, None),
    ],
)
def test_an_einsum_of_two_is_the_product_that_it_is(equation, shapes, product):
    if shapes is None:  # a stands in both and not in the result: it is summed as j is
        shapes, product = [(2, 3, 5, 7), (3, 7, 2, 11)], ((3, 5, 14), (3, 14, 11))
    operands = [randn(shape) for shape in shapes]
    with Functions(lambda: ""), Products() as products:
        found = torch.einsum(equation, *operands)
    assert products.shapes == [product]
    torch.testing.assert_close(found, torch.einsum(equation, *operands), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,ij->ij", [(2, 3), (2, 3)]),
        ("ij,j->ij", [(2, 3), (3,)]),
        ("ii,ij->j", [(3, 3), (3, 5)]),
        ("ijk,jl->il", [(2, 3, 5), (3, 7)]),  # k is one operand's alone
        ("ij,jkl->ik", [(2, 3), (3, 5, 7)]),
        ("ij,jk->ik", [(2, 3), (1, 5)]),  # a side of 1 spreads
        ("ij->ji", [(2, 3)]),
        ("ij,jk,kl->il", [(2, 3), (3, 5), (5, 7)]),
        ("...ij,jk->...ik", [(2, 2, 3), (3, 5)]),
    ],
)
def test_any_other_einsum_is_left_to_pytorch(equation, shapes):
    operands = [randn(shape) for shape in shapes]
    with Functions(lambda: ""):
        found = torch.einsum(equation, *operands)
    torch.testing.assert_close(found, torch.einsum(equation, *operands))
