"""What a trace shows by name alone, at sides that are distinct primes."""

import pytest
from flopledger.counting.formulas.every import work


def macs(op, *args, out, **kwargs):
    return work(op, args, kwargs, out)[0]


@pytest.mark.parametrize(
    ("equation", "shapes", "out", "by_hand"),
    [
        ("ij,jk->ik", [(2, 3), (3, 5)], (2, 5), 2 * 3 * 5),
        ("ij, jk", [(2, 3), (3, 5)], (2, 5), 2 * 3 * 5),  # j, that is twice, is summed
        ("i,i", [(7,), (7,)], (), 7),
        ("i,j", [(3,), (5,)], (3, 5), 0),  # nothing is summed
        ("ij,ij->ij", [(2, 3), (2, 3)], (2, 3), 0),
        ("ij,j->ij", [(2, 3), (3,)], (2, 3), 0),  # a product of elements
        # k is the first's alone, and is summed before it meets the second
        ("ijk,jl->il", [(2, 3, 7), (3, 5)], (2, 5), 2 * 3 * 5),
        ("ij,jkl->ik", [(2, 3), (3, 5, 7)], (2, 5), 2 * 3 * 5),
        # from the left: 2 x 3 x 5, then 2 x 5 x 7
        ("ij,jk,kl->il", [(2, 3), (3, 5), (5, 7)], (2, 7), 2 * 3 * 5 + 2 * 5 * 7),
        # j is still wanted by the third: nothing is summed at first
        ("ij,jk,j->ik", [(2, 3), (3, 5), (3,)], (2, 5), 2 * 3 * 5),
        ("ij,j,jk->ik", [(2, 3), (3,), (3, 5)], (2, 5), 2 * 3 * 5),
        # an ellipsis is broadcast from the right, whichever operand has more of it
        ("...ij,jk->...ik", [(7, 2, 3), (3, 5)], (7, 2, 5), 7 * 2 * 3 * 5),
        ("...ij,...jk->...ik", [(7, 2, 3), (11, 7, 3, 5)], (11, 7, 2, 5), 11 * 7 * 2 * 3 * 5),
        ("...ij,...jk", [(7, 2, 3), (7, 3, 5)], (7, 2, 5), 7 * 2 * 3 * 5),
        ("bij,bjk->bik", [(1, 2, 3), (7, 3, 5)], (7, 2, 5), 7 * 2 * 3 * 5),  # a side of 1 spreads
        ("ii->i", [(3, 3)], (3,), 0),
        ("ik,j->ij", [(2, 3), (5,)], (2, 5), 0),  # k is summed before, then nothing is
        ("ij,jk->ik", [(2, 1), (1, 5)], (2, 5), 2 * 1 * 5),  # over 1 as over any other length
        ("ij,jk->ik", [(2, 3), (1, 5)], (2, 5), 0),  # j is the first's alone where it has 3
    ],
)
def test_an_einsum_by_hand(equation, shapes, out, by_hand):
    assert macs("aten::einsum", equation, shapes, out=out) == by_hand


def test_an_einsum_goes_the_way_of_its_path():
    three = [(2, 3), (3, 5), (5, 7)]
    args = "ij,jk,kl->il", three
    assert macs("aten::einsum", *args, [1, 2, 0, 1], out=(2, 7)) == 3 * 5 * 7 + 2 * 3 * 7
    assert macs("aten::einsum", *args, [0, 1, 0, 1], out=(2, 7)) == 2 * 3 * 5 + 2 * 5 * 7
    assert macs("aten::einsum", "ij,jk->ik", three[:2], [0, 1], out=(2, 5)) == 2 * 3 * 5


def test_products_of_an_einsum_in_which_nothing_is_summed_are_other_flops():
    assert work("aten::einsum", ("i,j->ij", [(3,), (5,)]), {}, (3, 5)) == (0, 3 * 5)
    assert work("aten::einsum", ("ij,jk->ik", [(2, 3), (3, 5)]), {}, (2, 5)) == (2 * 3 * 5, 0)


def test_a_tensordot_sums_over_the_axes_that_are_named():
    shapes = (2, 3, 5), (3, 5, 7)
    assert macs("aten::tensordot", *shapes, [1, 2], [0, 1], out=(2, 7)) == 2 * 7 * 3 * 5
    # no axis: PyTorch makes a matrix product of it, over an axis of length 1
    assert macs("aten::tensordot", (2, 3), (5, 7), [], [], out=(2, 3, 5, 7)) == 2 * 3 * 5 * 7


@pytest.mark.parametrize("op", ["aten::linalg_multi_dot", "aten::chain_matmul"])
@pytest.mark.parametrize(
    ("shapes", "by_hand"),
    [
        ([(2, 3), (3, 5)], 2 * 3 * 5),
        ([(2, 3), (3, 5), (5, 7)], 2 * 3 * 5 + 2 * 5 * 7),  # the other way is 105 + 42
        ([(7, 5), (5, 3), (3, 2)], 5 * 3 * 2 + 7 * 5 * 2),
        ([(3,), (3, 5), (5, 7)], 3 * 5 + 5 * 7),  # a row
        ([(7, 5), (5, 3), (3,)], 5 * 3 + 7 * 5),  # a column
        ([(3,), (3, 5), (5,)], 3 * 5 + 3),  # the column first
        # Cormen et al., Introduction to Algorithms, 15.2: six matrices in 15,125 products
        ([(30, 35), (35, 15), (15, 5), (5, 10), (10, 20), (20, 25)], 15_125),
    ],
)
def test_a_chain_takes_the_cheapest_order(op, shapes, by_hand):
    assert macs(op, shapes, out=()) == by_hand


@pytest.mark.parametrize("op", ["aten::linalg_matrix_power", "aten::matrix_power"])
@pytest.mark.parametrize(
    ("power", "products"), [(0, 0), (1, 0), (2, 1), (3, 2), (-3, 2), (4, 2), (5, 3), (7, 4), (8, 3)]
)
def test_a_power_is_by_squaring(op, power, products):
    assert macs(op, (2, 5, 5), power, out=(2, 5, 5)) == products * 2 * 5**3


@pytest.mark.parametrize("wanted", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1)])
def test_a_layer_with_its_loss_makes_the_gradients_that_are_wanted(wanted):
    op = "torch_nn::_linear_cross_entropy_batch_chunked"
    args = ((7, 3), (5, 3), (7,), None, None, "mean", -100, 0.0, 2, "", None, *map(bool, wanted))
    products = 1 + wanted[0] + wanted[1]
    assert work(op, args, {}, ((), (7, 3), (5, 3), ())) == (products * 7 * 3 * 5, 5 * 7 * 5)
    counts = work(f"{op}_no_reduction", args[:5], {}, (7,))
    assert counts == (7 * 3 * 5, 5 * 7 * 5)
