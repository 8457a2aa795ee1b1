"""What a ledger takes of a profile, what it refuses, and which key of which file is at fault."""

import pytest
import torch
from flopledger import FlopledgerError, ledger_of, profile
from flopledger.ledger.build import measured
from torch import nn


@torch.library.custom_op("ledgers::halve", mutates_args=())
def halve(x: torch.Tensor) -> torch.Tensor:
    """An operator that nobody has a formula for."""
    return x / 2


halve.register_fake(torch.empty_like)
halve.register_autograd(lambda _, gradient: gradient / 2)


class Halves(nn.Linear):
    def forward(self, x):
        return halve(super().forward(x))


def test_of_one_sample_and_what_is_trained():
    network = nn.Sequential(nn.Linear(4, 5, bias=False), nn.Linear(5, 6, bias=False))
    network[0].requires_grad_(False)
    figures = measured(profile(network, torch.zeros(3, 4), backward=True))
    assert figures.params == 5 * 6
    assert figures.forward_flops == 2 * (4 * 5 + 5 * 6)
    assert figures.backward_ratio == (5 * 6) / (4 * 5 + 5 * 6)  # the second layer's weight alone


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (nn.BatchNorm1d(4), "BatchNorm1d has 8 trainable parameters and does 0 MACs"),
        (Halves(4, 4), "Halves: its FLOPs are a lower bound, and no ledger's: ledgers::halve has"),
    ],
)
def test_what_is_unknown_is_no_ledgers(network, problem):
    with pytest.raises(FlopledgerError, match=problem):
        measured(profile(network.eval(), torch.zeros(3, 4), backward=True))


NETS = """
from torch import nn


def raises(width=1):
    raise KeyError("x")


def number():
    return 3


def tiny(width=3):
    return nn.Sequential(nn.Linear(4, width), nn.Linear(width, 1))
"""
RUN = """
title = "A run"
published_on = 2020-01-01
method = "supervised"
images = {value = 1000, source = "a paper"}
epochs = {value = 9, source = "a paper"}
"""
TINY = 'model = "nets.py:tiny"\ninput = ["1,4"]\n'


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """The ledger of a run, whose networks are in a file beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "broken.py").write_text('raise ValueError("first\\nsecond")')

    def read(keys: str):
        (tmp_path / "mine.toml").write_text(RUN + keys)
        return ledger_of(tmp_path / "mine.toml")

    return read


def test_a_file_may_be_a_path(ledger):
    # 4 x 3 + 3 x 1 MACs, 12 + 3 + 3 + 1 parameters; backward: all weights, and 3 for the input
    by_hand = 1000 * 9 * 2 * (15 + 15 + 3) / 19
    assert ledger(TINY).total == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("keys", "place", "what", "code"),
    [
        ('model = "nets.py:raises"', "model", "its factory fails: KeyError: 'x'", 1),
        ('model = "nets.py:number"', "model", "its factory makes a int", 1),
        ('model = "nets.py:raises"\noptions = {width = 2}', "options", "its factory fails", 2),
        ('model = "nets.py:tiny"\noptions = {breadth = 2}', "options", "argument 'breadth'", 2),
        ('model = "nets.py:tiny"\noptions = {breadth = 2}', "options", "give options = {NAME", 2),
        ('model = "nets.py:tiny"', "input", 'is not known; give input = ["1,3,224,224"]', 2),
        ('model = "nets.py:none"', "model", "it has no 'none'; it has raises, number, tiny", 2),
        ('model = "broken.py:x"', "model", "cannot be imported: ValueError: first second at", 2),
        ('model = "alexnt"\ninput = ["1,4"]', "model", "no model is called 'alexnt'", 2),
        ('model = "nets.py:tiny"\ninput = ["1,5"]', "input", "cannot be multiplied", 2),
        (TINY + 'frozen = ["fc"]', "frozen", "has no parameter 'fc' to freeze; there are 0, 1", 2),
        (TINY + 'frozen = ["0", "1"]', "frozen", "has no parameter left to train", 2),
        (TINY + '[[phases]]\nname = "late"\nmodel = "nets.py:raises"', "phases.model of 'late'",
         "its factory fails", 1),
        (TINY + '[[phases]]\nname = "late"\nfrozen = ["fc"]', "phases.frozen of 'late'",
         "to freeze", 2),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_counted_names_file_and_key(ledger, keys, place, what, code):
    with pytest.raises(FlopledgerError) as caught:
        ledger(keys)
    line = str(caught.value)
    assert f"mine.toml: [{place}] " in line
    assert what in line
    assert "\n" not in line
    assert caught.value.exit_code == code
