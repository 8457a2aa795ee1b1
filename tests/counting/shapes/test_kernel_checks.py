"""What PyTorch's kernels refuse is refused on shapes alone; what they take is taken."""

import pytest
import torch
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.trace import fvcore_counter
from torch import nn

HALF, DOUBLE, WHOLE, COMPLEX = torch.float16, torch.float64, torch.int64, torch.complex64


class Masked(nn.Module):
    """Rows, and all of each, that a mask of that shape chooses."""

    def __init__(self, *shape):
        super().__init__()
        self.mask = torch.ones(shape, dtype=torch.bool)

    def forward(self, x):
        return x[self.mask], x[:, self.mask]


class Chosen(nn.Module):
    def forward(self, x):
        return torch.where(x, 1.0, torch.ones(2, 4))


CALLS = [
    (Masked(2), (2, 2), torch.float32),
    (Masked(2), (2, 4), torch.float32),
    (Masked(2, 2), (2, 2, 2), torch.float32),
    (Masked(3, 4), (2, 4, 4), torch.float32),
    (Chosen(), (2, 4), torch.float32),
    (Chosen(), (2, 4), torch.bool),
    (nn.Linear(4, 5), (2, 4), DOUBLE),
    (nn.Linear(4, 5), (2, 4), WHOLE),
    (nn.Conv2d(4, 4, 1), (1, 4, 3, 3), HALF),
    (nn.ConvTranspose2d(3, 4, 3), (1, 4, 5, 5), torch.float32),
    (nn.ConvTranspose2d(3, 4, 3), (0, 3, 5, 5), DOUBLE),
    (nn.ConvTranspose2d(3, 4, 3), (1, 3, 0, 5), torch.float32),
    (nn.ConvTranspose2d(3, 4, 1, padding=1), (1, 3, 2, 3), torch.float32),
    (nn.ConvTranspose2d(3, 4, 1, padding=1), (1, 3, 3, 3), torch.float32),
    (nn.Conv2d(3, 4, 3, padding=2), (1, 3, 0, 5), torch.float32),
    (nn.Embedding(6, 4), (2, 3), torch.bool),
    (nn.Embedding(6, 4), (2, 3), torch.int32),
    (nn.Softmax(dim=3), (2, 4), torch.float32),
    (nn.LogSoftmax(dim=-3), (2, 4), torch.float32),
    (nn.Softmax(dim=0), (), torch.float32),
    (nn.LayerNorm(4), (2, 4), DOUBLE),
    (nn.LayerNorm(4), (2, 4), HALF),
    (nn.GroupNorm(2, 4), (2, 4), COMPLEX),
    (nn.ReLU(), (2, 4), COMPLEX),
    (nn.MaxPool2d(2), (1, 4, 4), COMPLEX),
    (nn.AdaptiveAvgPool2d(2), (1, 4, 0, 5), torch.float32),
    (nn.Upsample(scale_factor=2, mode="bilinear"), (1, 4, 0, 5), torch.float32),
    (nn.Upsample(scale_factor=2, mode="bilinear"), (0, 4, 5, 5), torch.float32),
]


@pytest.mark.parametrize("count", [fvcore_counter.count, dispatch_counter.count])
@pytest.mark.parametrize(("network", "shape", "dtype"), CALLS)
def test_as_with_numbers(count, network, shape, dtype):
    network, x = network.eval(), torch.zeros(shape, dtype=dtype)
    try:
        network(x)
    except (RuntimeError, IndexError):
        with pytest.raises((RuntimeError, IndexError)):
            count(network, (x,), {})
    else:
        count(network, (x,), {})


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.Linear(4, 5), (2, 3)),
        (nn.Linear(4, 5, bias=False), (2, 3)),
        (nn.Conv2d(4, 6, 3, groups=2), (1, 3, 8, 8)),
        (nn.Conv1d(3, 6, 3), (2, 4, 8)),
    ],
)
def test_wrong_sizes_are_told_in_the_kernels_words(network, shape):
    with pytest.raises(RuntimeError) as kernels:
        network(torch.zeros(shape))
    with pytest.raises(RuntimeError) as told:
        dispatch_counter.count(network, (torch.zeros(shape),), {})
    assert str(told.value) == str(kernels.value)


@pytest.mark.parametrize("index", [-1, 6])
def test_a_row_that_an_embedding_does_not_have(index):
    with pytest.raises(RuntimeError, match=f"index {index} is outside an embedding of 6 rows"):
        fvcore_counter.count(nn.Embedding(6, 4), (torch.tensor([0, index]),), {})
