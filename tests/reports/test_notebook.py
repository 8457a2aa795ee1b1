"""What a notebook shows: thousands, shares, a total row, the picture, and units that fit."""

import flopledger
import pandas as pd
import pytest
import torch
from flopledger.reports.notebook import as_html
from flopledger.reports.units import binary
from torch import nn


@pytest.mark.parametrize(
    ("size", "text"),
    [(96, "96 B"), (1536, "1.50 KiB"), (2 * 2**20, "2.00 MiB"), (5 * 2**30, "5,120.00 MiB"),
     (0, "0 B"), (None, "-")],
)  # fmt: skip
def test_bytes_are_in_the_unit_that_shows_them(size, text):
    assert binary(size) == text


def test_a_profile_has_shares_thousands_a_total_and_the_icicle():
    network = nn.Sequential(nn.Linear(100, 30), nn.Linear(30, 100))
    shown = flopledger.profile(network, torch.zeros(2, 100))._repr_html_()
    # 100 x 30 weights and 30 biases; 30 x 100 and 100; two rows through each
    for cell in ("3,030", "3,100", "6,130", "49.4%", "50.6%", "6,000", "12,000", "total"):
        assert f"<td>{cell}</td>" in shown, cell
    assert shown.startswith('<img alt="Where the FLOPs of Sequential are" src="data:image/svg')


def test_a_deep_network_is_folded_and_says_so():
    blocks = [nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(60)]
    shown = flopledger.profile(nn.Sequential(*blocks), torch.zeros(1, 2))._repr_html_()
    assert shown.count("<tr") == 1 + 60 + 1  # titles, blocks, total
    assert "layers are folded to depth 1" in shown


def test_names_are_escaped_and_unknown_figures_are_dashes():
    frame = pd.DataFrame({"<b>": ["<i>", None], "n": [1234567, float("nan")]})
    shown = as_html("<u>", frame, ["<s>"], {"n": 5})
    assert not any(tag in shown for tag in ("<b>", "<i>", "<u>", "<s>"))
    assert "<td>1,234,567</td>" in shown
    assert "<td>-</td>" in shown
