"""In what dtype products are taken, as the counter sees them."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from flopledger.counting.dispatch import product_dtypes
from flopledger.counting.dispatch.product_dtypes import product_dtype
from flopledger.counting.dispatch.recorder import Recorder
from torch import nn


def products(action):
    with Recorder(lambda: "", {}, computed=True) as recorder, torch.no_grad():
        action()
    return dict(recorder.products)


def test_autocast_multiplies_in_its_dtype_whatever_the_weights_are():
    net, x = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 6)), torch.zeros(3, 4)
    macs = 3 * (4 * 5 + 5 * 6)
    assert products(lambda: net(x)) == {"float32": macs}
    with torch.autocast("cpu", torch.bfloat16):
        assert products(lambda: net(x)) == {"bfloat16": macs}


def test_each_product_has_its_own():
    a, q = torch.zeros(2, 3, dtype=torch.float64), torch.zeros(1, 1, 2, 4, dtype=torch.float16)
    whole = torch.zeros(32, 32, dtype=torch.int8)

    def act():
        a @ a.T
        F.scaled_dot_product_attention(q, q, q)
        torch._int_mm(whole, whole)
        torch.zeros(2, 3, dtype=torch.complex64) @ torch.zeros(3, 2, dtype=torch.complex64)

    assert products(act) == {
        "float64": 2 * 3 * 2,
        "float16": 2 * (2 * 4 * 2),  # scores and their product with the values
        "int8": 32**3,
        "float32": 4 * 2 * 3 * 2,  # four products of parts
    }


def test_what_multiplies_nothing_has_none():
    assert products(lambda: torch.zeros(3).relu() + 1) == {}
    assert product_dtype("aten::mm", ()) is None


@pytest.mark.parametrize(
    ("op", "backend", "capability", "dtype"),
    [
        ("aten::mm", "cuda.matmul", (8, 0), "tf32"),
        ("aten::mm", "cudnn.conv", (8, 0), "float32"),
        ("aten::mm", "cuda.matmul", (7, 5), "float32"),  # Turing has none
        ("aten::convolution", "cudnn.conv", (9, 0), "tf32"),
        ("aten::convolution", "cuda.matmul", (9, 0), "float32"),
        ("aten::_cudnn_rnn", "cudnn.rnn", (8, 0), "tf32"),
    ],
)
def test_tf32_where_it_is_allowed_and_there_is_such(monkeypatch, op, backend, capability, dtype):
    backends = SimpleNamespace(
        **{
            home: SimpleNamespace(
                **{
                    name: SimpleNamespace(
                        fp32_precision="tf32" if backend == f"{home}.{name}" else "none"
                    )
                    for name in names
                }
            )
            for home, names in {"cuda": ["matmul"], "cudnn": ["conv", "rnn"]}.items()
        }
    )
    monkeypatch.setattr(torch, "backends", backends)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    product_dtypes._has_tf32.cache_clear()
    card = SimpleNamespace(dtype=torch.float32, is_cuda=True, device="cuda:0")
    assert product_dtype(op, [card]) == dtype
    card.dtype = torch.bfloat16
    assert product_dtype(op, [card]) == "bfloat16"
    product_dtypes._has_tf32.cache_clear()
