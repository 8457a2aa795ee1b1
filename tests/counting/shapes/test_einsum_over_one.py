"""An einsum over an axis of length 1 is the product of matrices that its letters say."""

import pytest
import torch
from flopledger.counting.shapes.einsum_over_one import sum_over_one
from torch import randn
from torch.utils._python_dispatch import TorchDispatchMode


class Products(TorchDispatchMode):
    """The operands' shapes of each matrix product that is dispatched."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func._schema.name in ("aten::mm", "aten::bmm"):
            self.shapes.append(tuple(tuple(a.shape) for a in args))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("equation", "shapes", "products"),
    [
        ("ij,jk->ik", [(2, 1), (1, 5)], [((1, 2, 1), (1, 1, 5))]),
        ("ij, jk -> ki", [(2, 1), (1, 5)], [((1, 2, 1), (1, 1, 5))]),
        ("ij,jk", [(2, 1), (1, 5)], [((1, 2, 1), (1, 1, 5))]),
        ("i,i", [(1,), (1,)], [((1, 1, 1), (1, 1, 1))]),
        ("bij,bjk->bik", [(7, 2, 1), (1, 1, 5)], [((7, 2, 1), (7, 1, 5))]),  # b spreads
        # the axis of 3 is the second's alone
        ("...ij,...jk->...ik", [(7, 2, 1), (3, 7, 1, 5)], [((7, 2, 1), (7, 1, 3 * 5))]),
        ("...ij,jk", [(7, 2, 1), (1, 5)], [((1, 14, 1), (1, 1, 5))]),
        ("ijm,jk->ik", [(2, 1, 3), (1, 5)], [((1, 2, 1), (1, 1, 5))]),  # m is summed before
        ("iij,jk->ik", [(3, 3, 1), (1, 5)], [((1, 3, 1), (1, 1, 5))]),  # a diagonal
        # over 1 first, then over 5 as ever
        ("ij,jk,kl->il", [(2, 1), (1, 5), (5, 7)],
         [((1, 2, 1), (1, 1, 5)), ((1, 2, 5), (1, 5, 7))]),
    ],
)  # fmt: skip
def test_a_sum_over_one_is_a_matrix_product(equation, shapes, products):
    operands = [randn(shape) for shape in shapes]
    with Products() as seen:
        made = sum_over_one(equation, *operands)
    assert seen.shapes == products
    torch.testing.assert_close(made, torch.einsum(equation, *operands))


def test_every_form_of_its_operands():
    a, b = randn(2, 1), randn(1, 5)
    for args in (
        ("ij,jk->ik", (a, b)),
        ("ij,jk->ik", [a, b]),
        (a, [0, 1], b, [1, 2], [0, 2]),
        (a, [0, 27], b, [27, 30]),
        (a, [..., 0, 1], b, [1, 2]),
    ):
        torch.testing.assert_close(sum_over_one(*args), a @ b)
    mixed = sum_over_one("ij,jk->ik", a, b.double())  # PyTorch multiplies the elements of both
    assert torch.equal(mixed, torch.einsum("ij,jk->ik", a, b.double()))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 5)]),
        ("i,j->ij", [(1,), (5,)]),  # nothing is summed
        ("ij,ij->ij", [(1, 3), (1, 3)]),
        ("ij,jk->ik", [(2, 3), (1, 5)]),  # j is summed before
        ("ij->i", [(2, 1)]),
        ("ij,jk->ik", [(2, 1)]),  # no einsum: PyTorch says so
        ("ij,jk->ik", [(2, 1, 1), (1, 5)]),
    ],
)
def test_any_other_einsum_is_left_to_pytorch(equation, shapes):
    assert sum_over_one(equation, *[randn(shape) for shape in shapes]) is None
