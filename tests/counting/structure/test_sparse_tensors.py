"""A sparse tensor, wherever a network keeps it, counts by what it stores."""

import warnings

import pytest
import torch
from flopledger import WrongOption, memory
from flopledger.counting.profiling import profile
from flopledger.counting.structure.sparse_tensors import stored_bytes, stored_elements
from torch import nn

pytestmark = pytest.mark.filterwarnings("ignore:Sparse")

# 4 of 4 x 8 elements; two of the blocks of 2 x 2, which store 8
DENSE = torch.zeros(4, 8)
DENSE[[0, 1, 2, 3], [0, 2, 4, 6]] = 1
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    POINTS = DENSE.to_sparse()
    ROWS, COLUMNS = DENSE.to_sparse_csr(), DENSE.to_sparse_csc()
    BLOCKS = (DENSE * torch.tensor([[1.0], [0], [1], [0]])).to_sparse_bsr((2, 2))


class Graph(nn.Module):
    """Rows gathered along a sparse matrix that is kept in one of several places."""

    def __init__(self, matrix, place):
        super().__init__()
        if place == "buffer":
            self.register_buffer("matrix", matrix)
        elif place == "parameter":
            self.matrix = nn.Parameter(matrix)
        else:
            self.held = {"attribute": matrix, "list": [matrix], "dict": {"a": [matrix]}}[place]

    def forward(self, x):
        held = self.matrix if hasattr(self, "matrix") else self.held
        while isinstance(held, list | dict):
            held = held["a"] if isinstance(held, dict) else held[0]
        return held @ x


@pytest.mark.parametrize("place", ["buffer", "parameter", "attribute", "list", "dict"])
@pytest.mark.parametrize(("matrix", "stored"), [(POINTS, 4), (ROWS, 4), (BLOCKS, 2 * 4)])
def test_stored_elements_meet_a_row_each_wherever_they_are_kept(matrix, stored, place):
    counted = profile(Graph(matrix, place), torch.ones(8, 3))
    assert (counted.total("macs"), counted.check.agrees) == (stored * 3, None)
    assert "sparse" in counted.check.reason


def test_layers_beside_a_sparse_matrix_count_as_ever_backward_too():
    network = nn.Sequential(nn.Linear(3, 5), Graph(POINTS, "buffer"))
    counted = profile(network, torch.ones(8, 3), backward=True)
    assert counted.total("macs") == 8 * 3 * 5 + 4 * 5
    assert counted.backward.macs == 8 * 3 * 5 + 4 * 5  # the layer's weight, and what reaches it


def test_a_sparse_matrix_is_as_large_as_what_it_stores():
    places = 8  # bytes of an int64
    assert stored_elements(POINTS) == 4
    assert stored_bytes(POINTS) == 4 * 4 + 2 * 4 * places
    assert stored_bytes(ROWS) == 4 * 4 + (5 + 4) * places
    assert stored_bytes(BLOCKS) == 8 * 4 + (3 + 2) * places
    assert stored_bytes(COLUMNS) == 4 * 4 + (9 + 4) * places
    assert stored_bytes(torch.zeros(4, 8)) == 32 * 4
    points = torch.arange(2_000_000)  # 16 TB if it were dense
    graph = torch.sparse_coo_tensor(torch.stack([points, points]), torch.ones(2_000_000))
    assert profile(Graph(graph, "buffer"), torch.ones(2_000_000, 1)).total("macs") == 2_000_000


EDGES = torch.tensor([[0, 1, 2, 2], [1, 0, 2, 1]])  # four, of three nodes
MADE = {
    "points": lambda h: torch.sparse_coo_tensor(EDGES, torch.ones(4), (3, 3)),
    "of values": lambda h: torch.sparse_coo_tensor(EDGES, h[EDGES[0], 0], (3, 3)).coalesce(),
    "rows": lambda h: torch.sparse_coo_tensor(EDGES, torch.ones(4), (3, 3)).to_sparse_csr(),
    "rows at once": lambda h: torch.sparse_csr_tensor(
        torch.tensor([0, 1, 2, 4]), torch.tensor([1, 0, 1, 2]), torch.ones(4), (3, 3)
    ),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_one_that_is_made_in_forward_counts_by_what_it_stores(make):
    class Spreads(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 5)

        def forward(self, x):
            hidden = self.layer(x)
            return make(hidden) @ hidden

    counted = profile(Spreads(), (torch.rand(3, 4),))
    assert counted.total("macs") == 3 * 4 * 5 + 4 * 5
    assert {call.op for call in counted.calls if not call.counted} == set()
    assert "everything was computed" in counted.notes[0]


def test_sparse_gradients_of_a_table_take_no_products_and_unknown_memory():
    network = nn.Sequential(nn.Embedding(100, 3, sparse=True), nn.Linear(3, 4))
    tokens = torch.zeros(2, 5, dtype=torch.int64)
    counted = profile(network, (tokens,), backward=True)
    assert (counted.total("macs"), counted.backward.macs) == (10 * 12, 2 * 10 * 12)
    assert not [call.op for call in counted.backward_calls if not call.counted]
    # shapes do not tell their memory
    assert memory(network, (tokens,), backward=False).params_bytes == 4 * (100 * 3 + 3 * 4 + 4)
    with pytest.raises(WrongOption, match=r"sparse gradients .* sparse=False"):
        memory(network, (tokens,))
