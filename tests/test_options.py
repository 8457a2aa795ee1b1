"""What an option may be."""

import flopledger
import numpy as np
import pytest
import torch
from flopledger.errors import FlopledgerError
from flopledger.options import check_least, parse_percent
from torch import nn


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("1%", 0.01), ("0.01", 0.01), ("0", 0.0), ("0%", 0.0), (".5%", 0.005), ("150 %", 1.5),
     ("0.7%", 0.007), ("1e-3", 0.001)],
)  # fmt: skip
def test_percent(text, fraction):
    assert parse_percent(text) == fraction


@pytest.mark.parametrize("text", ["", "%", "x", "-1%", "-0.1", "nan", "inf%", "1%%", "1", "5"])
def test_what_is_no_percent(text):
    with pytest.raises(ValueError, match=r"; say .*%") as error:
        parse_percent(text)
    assert repr(text) in str(error.value)


ODD = [None, "x", [1], (1,), {}, object(), np.zeros(2), print]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize(
    ("call", "option"),
    [
        (lambda **o: flopledger.compare("alexnet", "alexnet", **o), "samples"),
        (lambda **o: flopledger.compare("alexnet", "alexnet", **o), "seed"),
        (lambda **o: flopledger.meter(nn.Linear(3, 4), **o), "recount"),
        (lambda **o: flopledger.sweep(**{**SWEEP, **o}), "jobs"),
        (lambda **o: flopledger.sweep(**{**SWEEP, **o}), "timeout"),
        (lambda **o: flopledger.sweep(**{**SWEEP, **o}), "over"),
        (lambda **o: flopledger.selfplay("tic_tac_toe", **o), "games"),
        (lambda **o: flopledger.tune("tic_tac_toe", **o), "trials"),
        (lambda **o: flopledger.train("alexnet", **o), "epochs"),
        (lambda **o: flopledger.train("alexnet", **o), "rate"),
        (lambda **o: flopledger.timing(nn.Linear(3, 4), torch.zeros(1, 3), **o), "repeats"),
    ],
)
def test_an_argument_of_another_type_is_named(call, option, odd, tmp_path, monkeypatch):
    if odd is None and option in ("jobs", "timeout"):
        return  # which leaves it out
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlopledgerError, match=option) as refused:
        call(**{option: odd})
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


SWEEP = {"models": "lstm", "inputs": "1,T:int64", "over": {"T": [8]}, "jobs": 1}


def test_numpys_numbers_are_numbers():
    check_least({"games": (np.int64(3), 1)})
    with pytest.raises(ValueError, match="--games 0 is too small"):
        check_least({"games": (np.int64(0), 1)})
