"""flopledger.train: what the command line does, from Python."""

import json
from dataclasses import fields
from typing import get_overloads

import flopledger
import pytest
from flopledger.training import alphazero, digits
from flopledger.training.run_training import train

SMALL = {"game": "tic_tac_toe", "blocks": 1, "filters": 4, "simulations": 4, "rounds": 1,
         "moves": 4, "steps": 1, "batch": 2, "opponent": 0}  # fmt: skip


def test_it_is_the_command_lines_twin(run, tmp_path, capsys):
    steps = []
    trained = flopledger.train(
        "alphazero", **SMALL, output=tmp_path / "a", progress=steps.append
    )  # fmt: skip
    assert capsys.readouterr() == ("", "")
    words = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
    _, out, lines = run("train", "alphazero", *words, "--output", str(tmp_path / "b"),
                        "--format", "json")  # fmt: skip
    ours, theirs = json.loads(trained.to_json()), json.loads(out)
    for clock in (ours, theirs):  # seconds are not the same twice
        clock["flops_per_second"] = clock["totals"]["seconds"] = None
    assert ours == theirs
    assert lines[0] == f"flopledger: {steps[0].message}"
    assert (steps[0].done, steps[0].total) == (1, 1)
    assert trained.metered.name == "alphazero-tic-tac-toe-metered.toml"
    assert trained.predicted.exists()
    assert repr(trained).splitlines()[0].startswith("alphazero-tic-tac-toe (")
    assert "the counts agree" in trained._repr_html_()


def test_the_signatures_have_the_plans_settings():
    own = {"output", "resume", "peak", "progress", "name", "return"}
    for overload, plan, more in zip(
        get_overloads(train), (digits.Plan, alphazero.Plan), ({"dataset"}, {"board", "opponent"}),
        strict=True,
    ):  # fmt: skip
        named = set(overload.__annotations__) - own
        assert named == {field.name for field in fields(plan)} | more


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("lenet", {}, "--name 'lenet' is not one of alexnet, alphazero"),
        ("alexnet", {"epochs": 0}, "--epochs 0 is too small; give 1 or more"),
        ("alexnet", {"rate": 0}, "--rate 0 is no learning rate; give a number above 0"),
        ("alexnet", {"dataset": "cifar"}, "--dataset 'cifar' is not one of digits"),
        ("alphazero", {"batch": 1}, "--batch 1 is too small; give 2 or more"),
        ("alphazero", {"seed": -1}, "--seed -1 is too small; give 0 or more"),
    ],
)
def test_what_is_refused(name, options, line, tmp_path):
    with pytest.raises(flopledger.FlopledgerError) as refused:
        flopledger.train(name, **options, output=tmp_path)
    assert str(refused.value) == line
    assert not list(tmp_path.iterdir())
