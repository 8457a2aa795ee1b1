"""Laws held against further sizes, and letters of one size."""

import json
from math import ceil

import pytest
from flopledger.sweeping.findings import findings, further_sizes, swept_letters
from flopledger.sweeping.rows import Row

WINDOWED = '''
import torch
from torch import nn
from torch.nn.functional import pad

class Net(nn.Module):
    """A linear layer of 8 at each token, and one of 8 by 3 at each of padded windows of 8."""
    def __init__(self):
        super().__init__()
        self.each, self.window = nn.Linear(8, 8, bias=False), nn.Linear(8, 3, bias=False)

    def forward(self, x):
        return self.each(x), self.window(pad(x, (0, 0, 0, -x.shape[1] % 8)))
'''


def rows(figures, letter="N"):
    return [
        Row(model="net", sizes={letter: n, "B": 1}, samples=1, flops=flops, trainable_params=0,
            activations=0)
        for n, flops in figures.items()
    ]  # fmt: skip


def test_a_letter_of_one_size_does_not_cost_the_laws():
    swept = rows({n: 7 * n for n in (4, 5, 6)})
    assert swept_letters(swept, {"B": 1, "N": 1}) == ["N"]
    law, *_ = findings(swept, {"B": 1, "N": 1})
    assert (law.letter, law.law.coefficients) == ("N", {1: 7})


def test_a_law_that_a_further_size_refutes_is_named_up_to_there():
    asked, spans = rows(dict.fromkeys(range(10, 16), 100)), {"N": 1}
    law = findings(asked, spans)[0]
    sizes = further_sizes([law], {*law.asked})
    assert max(sizes) >= 2 * 15
    held = findings(asked, spans, rows(dict.fromkeys(sizes, 200)))[0]
    assert held.law.holds == tuple(range(10, 16))
    assert not held.law.covers(max(sizes))
    assert held.confirmed == 0
    held = findings(asked, spans, rows(dict.fromkeys(sizes, 100)))[0]
    assert held.law.everywhere
    assert held.confirmed == 2


def test_powers_of_two_are_held_against_sizes_that_are_none():
    def figure(t):  # padded to the next power of two
        return 230 * t + 5 * 2 ** (t - 1).bit_length()

    asked, spans = rows({2**n: figure(2**n) for n in range(1, 10)}), {"N": 1}
    law = findings(asked, spans)[0]
    assert law.law.coefficients == {1: 235}
    further = set()
    while more := further_sizes([law], {*law.asked, *further}):
        further |= {*more}
        law = findings(asked, spans, rows({t: figure(t) for t in further}))[0]
    assert not any(law.law.covers(t) and law.law.at(t) != figure(t) for t in (6, 12, 300, 1000))


def test_windows_that_sizes_of_a_step_hide_are_told_apart_by_the_further_ones():
    def figure(t):
        return 100 * t + 320 * ceil(t / 64)

    asked, spans = rows({t: figure(t) for t in range(128, 513, 32)}), {"N": 1}
    law = findings(asked, spans)[0]
    more = further_sizes([law], set(law.asked))
    law = findings(asked, spans, rows({t: figure(t) for t in more}))[0].law
    assert law.window.width == 64
    assert law.everywhere


@pytest.fixture
def windowed(tmp_path):
    path = tmp_path / "windowed.py"
    path.write_text(WINDOWED)
    return f"{path}:Net"


def test_a_network_of_windows(run, windowed):
    code, out, _ = run(
        "sweep", windowed, "--input", "B,T,8", "--over", "T=16:73:8", "--over", "B=1",
        "--jobs", "1",
    )  # fmt: skip
    assert code == 0
    # 2 x 8 x 8 FLOPs a token, 2 x 8 x 3 a place of a window: which sizes between show
    assert "FLOPs = 128 T + 48 P with P = 8 ceil(T / 8), exactly, at all 8 sizes" in out
    code, out, _ = run(
        "sweep", windowed, "--input", "1,T,8", "--over", "T=16:73:8", "--jobs", "1",
        "--format", "json",
    )  # fmt: skip
    law = json.loads(out)["laws"][0]
    assert law["law"]["windows"] == [{"width": 8, "of": "T", "power": 1, "value": 48.0}]
    assert len(law["confirmed_at"]) >= 2
