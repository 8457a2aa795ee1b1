"""Outer products that are gradients of a counted product, and gradients of these in turn."""

import pytest
import torch
from flopledger import profile
from torch import func, nn


class Gradient(nn.Module):
    """Of the squares of a [4, 8] matrix times a vector."""

    def __init__(self, of, dtype=torch.float32):
        super().__init__()
        self.weight, self.of = nn.Parameter(torch.rand(4, 8, dtype=dtype)), of

    def forward(self, x):
        return self.of(self.weight, x)


def squares(weight, x):
    return (weight @ x).abs().square().sum()


def by_autograd(weight, x):
    return torch.autograd.grad(squares(weight, x), weight, create_graph=True)[0]


def by_sample(weight, x):
    return func.vmap(func.grad(squares), (None, 0))(weight, x)


@pytest.mark.parametrize(
    ("of", "x", "vectors"), [(by_autograd, (8,), 1), (by_sample, (5, 8), 5)], ids=["one", "vmap"]
)
def test_a_gradient_of_such_a_gradient_is_a_product_again(of, x, vectors):
    counted = profile(Gradient(of), (torch.rand(x),), backward=True)
    product = vectors * 4 * 8
    assert counted.total("macs") == 2 * product  # the matrix times the vector, the outer product
    # back through the outer product to what its column was made of, and from there to the weight
    check = counted.backward_check
    assert (counted.backward.macs, check.macs, check.agrees) == (2 * product, 2 * product, True)


def test_of_complex_numbers_each_product_is_four():
    dtype = torch.complex64
    counted = profile(Gradient(by_autograd, dtype), torch.rand(8, dtype=dtype), backward=True)
    product = 4 * 4 * 8
    check = counted.backward_check
    assert counted.total("macs") == 2 * product
    assert (counted.backward.macs, check.macs, check.agrees) == (2 * product, 2 * product, True)
