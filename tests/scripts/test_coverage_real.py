"""scripts/coverage_real: its truth by hand, and what a network that ends badly costs."""

import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn, rand

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "coverage_real"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A module of the script, which imports its neighbours by their plain names."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


class _Calls(nn.Module):
    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)


class _Einsum(_Calls):
    def __init__(self, equation: str) -> None:
        super().__init__(lambda *terms: torch.einsum(equation, *terms))


attention = nn.functional.scaled_dot_product_attention
EDGES = torch.sparse_coo_tensor(
    [[0, 1, 3], [1, 2, 0]], torch.ones(3), (4, 4), check_invariants=True
)
BY_HAND: dict[str, tuple[nn.Module, tuple[Any, ...], int]] = {
    "linear": (nn.Linear(3, 5), (rand(2, 3),), 2 * 3 * 5),
    "matrix by vector": (_Calls(torch.mv), (rand(3, 4), rand(4)), 3 * 4),
    "dot": (_Calls(torch.dot), (rand(4), rand(4)), 4),
    # four gates over input and state, in two directions; the second layer's input is both of them
    "lstm": (nn.LSTM(3, 5, 2, bidirectional=True), (rand(7, 2, 3),),
             7 * 2 * 2 * (20 * (3 + 5) + 20 * (10 + 5))),
    "gru": (nn.GRU(3, 5), (rand(7, 2, 3),), 7 * 2 * 15 * (3 + 5)),
    "attention": (_Calls(attention), (rand(2, 4, 5, 8), rand(2, 4, 6, 8), rand(2, 4, 6, 8)),
                  2 * 4 * 5 * 6 * (8 + 8)),
    # query, key, value and result; scores and their use; two linear layers
    "encoder layer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (rand(2, 5, 8),),
                      2 * (5 * 4 * 8 * 8 + 2 * 5 * 5 * 8 + 5 * 2 * 8 * 16)),
    "bilinear": (nn.Bilinear(3, 4, 5), (rand(2, 3), rand(2, 4)), 2 * 5 * (3 * 4 + 4)),
    "distances": (_Calls(torch.cdist), (rand(30, 3), rand(7, 3)), 30 * 7 * 3),
    "distances of few": (_Calls(torch.cdist), (rand(3, 3), rand(7, 3)), 0),
    "outer": (_Calls(torch.outer), (rand(3), rand(4)), 0),
    "einsum": (_Einsum("bik,bjk->bij"), (rand(2, 3, 4), rand(2, 5, 4)), 2 * 3 * 4 * 5),
    "einsum over one": (_Einsum("bik, bjk -> bij"), (rand(2, 3, 1), rand(2, 5, 1)), 2 * 3 * 5),
    "einsum over one, ellipsis": (_Einsum("a...k,...bk->...ab"), (rand(3, 2, 1), rand(2, 5, 1)),
                                  2 * 3 * 5),
    "einsum over none": (_Einsum("i,j->ij"), (rand(3), rand(4)), 0),
    "complex": (_Calls(torch.mm), (rand(3, 4) + 1j, rand(4, 5) + 1j), 4 * 3 * 4 * 5),
    "sparse": (_Calls(torch.sparse.mm), (EDGES, rand(4, 5)), 3 * 5),
    # rows 0, 1 and 3 store column 1, 2 and 0; rows 1, 2 and 0 store one, none and one
    "sparse by sparse": (_Calls(torch.sparse.mm), (EDGES, EDGES), 1 + 0 + 1),
    "transposed convolution": (nn.ConvTranspose2d(4, 6, 3, groups=2), (rand(1, 4, 5, 5),),
                               5 * 5 * 4 * 3 * 3 * 3),
    "grouped": (_Calls(lambda a, b, ends: torch._grouped_mm(a, b, offs=ends)),
                (rand(8, 16).bfloat16(), rand(2, 16, 8).bfloat16(), torch.tensor([3, 8]).int()),
                8 * 16 * 8),
    # a parameter is an argument of a layer's forward, where PyTorch's ModuleTracker fails
    "parameter given": (nn.Sequential(nn.Linear(3, 5)), (nn.Parameter(rand(2, 3)),), 2 * 3 * 5),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("name", BY_HAND)
def test_the_truth_is_what_the_hand_counts(name: str, script: Callable[[str], Any]) -> None:
    network, args, macs = BY_HAND[name]
    assert script("truth").true_macs(network.eval(), args, {}) == macs


def _raises() -> Any:
    raise RuntimeError("no such\nkernel")


def _dies() -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


class _DiesUnseen(nn.Linear):
    """Runs once, and ends its process at the second call."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > 1:
            _dies()
        return super().forward(x)


@pytest.mark.parametrize(
    ("factory", "truth", "macs", "ended"),
    [
        (lambda: (nn.Linear(3, 5), (rand(2, 3),), {}), 30, 30, None),
        (_raises, None, None, "RuntimeError: no such kernel"),
        (_dies, None, None, "killed: SIGKILL"),
        (lambda: (_DiesUnseen(3, 5), (rand(2, 3),), {}), 30, None, "killed: SIGKILL"),
    ],
)
@pytest.mark.filterwarnings("ignore:This process")  # Python 3.12: of forks beside threads
def test_a_network_that_ends_badly_costs_its_row(
    factory: Any, truth: Any, macs: Any, ended: Any, script: Callable[[str], Any]
) -> None:
    script("rows").warm_up()
    row = script("rows").measured("library", "network", factory)
    assert (row.truth, row.macs, row.ended) == (truth, macs, ended)


def test_what_is_not_exact_is_said_and_explained(script: Callable[[str], Any]) -> None:
    make, page = script("rows").Row, script("page")
    rows = [
        make(library="a", network="same", truth=6, macs=6),
        make(library="a", network="less", truth=6, macs=4),
        make(library="b", network="none", truth=6, ended="ValueError: x|y"),
        make(library="b", network="known", truth=6, macs=5),
    ]
    reasons = {"b": {"known": "The router picks by value."}}
    assert [page.verdict(row, reasons) for row in rows] == [
        "exact", "differs", "refused: ValueError: x|y", "The router picks by value.",
    ]  # fmt: skip
    assert [page.is_settled(row, reasons) for row in rows] == [True, False, False, True]
    written = page.page(rows, reasons, ["torch"], "0123abcd")
    assert "| a | 2 | 1 (50.0%) | 0 | 1 |" in written
    assert "| b | none | - | 6 | refused: ValueError: x\\|y |" in written
