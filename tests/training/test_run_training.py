"""flopledger.train: what the command line does, from Python."""

import json
from dataclasses import fields
from typing import get_overloads

import flopledger
import pytest
import torch
from flopledger.training import alphazero, digits
from flopledger.training.checkpoints import BadCheckpoint
from flopledger.training.run_training import train
from flopledger.training.strength import is_due

SMALL = {"game": "tic_tac_toe", "blocks": 1, "filters": 4, "simulations": 4, "rounds": 1,
         "games": 2, "steps": 1, "batch": 2, "opponent": 0}  # fmt: skip


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
        get_overloads(train), (digits.Plan, alphazero.Plan),
        ({"dataset"}, {"board", "opponent", "rollouts"}),
        strict=True,
    ):  # fmt: skip
        named = set(overload.__annotations__) - own
        assert named == {field.name for field in fields(plan)} | more


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("lenet", {}, "name 'lenet' is not one of alexnet, alphazero"),
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


TINY = {"game": "tic_tac_toe", "blocks": 1, "filters": 2, "simulations": 2, "rounds": 1,
        "games": 2, "steps": 1, "batch": 2, "opponent": 2}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training's folder, and the training."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, flopledger.train("alphazero", output=folder, **TINY)


def test_a_resumed_training_has_the_strength_from_the_beginning(trained):
    folder, whole = trained
    again = flopledger.train("alphazero", output=folder, resume=True, **TINY)
    assert again.strength == whole.strength
    assert again.scores == whole.scores
    other = flopledger.train("alphazero", output=folder, resume=True, **TINY | {"rollouts": 3})
    assert other.strength == ()  # tests against 50 rollouts are none against 3


def test_the_strength_is_beside_what_it_had_cost(trained):
    _, whole = trained
    before, after = whole.strength
    assert (before.rounds, before.flops) == (0, 0)
    assert (after.rounds, after.flops) == (1, whole.flops)
    assert before.search.games == after.policy.games == TINY["opponent"]
    lines = whole.scores["search, every line of the game"]
    assert sum(lines.values()) > 100
    page = whole._repr_html_()
    assert "<svg" in page
    assert "FLOP of the training so far, metered" in page
    assert "search, of 2 against 50 rollouts" in repr(whole)


def test_tests_stand_evenly_apart_and_one_at_the_end():
    due = {rounds: [n for n in range(1, rounds + 1) if is_due(n, rounds)] for rounds in (1, 3, 20)}
    assert due == {1: [1], 3: [1, 2, 3], 20: [5, 10, 15, 20]}


def edited(edit):
    def damaged(path):
        kept = torch.load(path, weights_only=True)
        torch.save(edit(kept) or kept, path)

    return damaged


def flipped(path):
    """One bit of a weight is another; the archive is whole."""
    data = bytearray(path.read_bytes())
    weight = next(iter(torch.load(path, weights_only=True)["network"].values()))
    data[data.index(weight.numpy().tobytes())] ^= 1
    path.write_bytes(data)


def without_first_of(name):
    def edit(kept):
        kept[name].pop(next(iter(kept[name])))

    return edited(edit)


HARM = {
    "a flipped bit": (flipped, "is damaged"),
    "half of it": (lambda p: p.write_bytes(p.read_bytes()[:2000]), "is no checkpoint"),
    "nothing": (lambda p: p.write_bytes(b""), "is no checkpoint"),
    "a list": (edited(lambda kept: [1, 2]), "is no checkpoint"),
    "a plan that is a list": (edited(lambda kept: kept | {"plan": [1]}), "it has no plan"),
    "no optimiser": (edited(lambda kept: kept.pop("optimiser") and None), "it has no optimiser"),
    "another optimiser": (edited(lambda kept: kept | {"optimiser": {"state": {}}}),
                          "its optimiser does not fit"),
    "a missing weight": (without_first_of("network"), "it has no weight"),
    "a strange weight": (edited(lambda kept: kept["network"].update(x=torch.zeros(1))),
                         "it has a weight x"),
    "a mis-shaped weight": (
        edited(lambda kept: kept["network"].update(
            {name: w[:1] for name, w in list(kept["network"].items())[:1]})),
        "its weight"),
    "no totals": (without_first_of("totals"), "its totals"),
    "totals in words": (edited(lambda kept: kept["totals"].update(seconds="many")), "its totals"),
    "no tests": (edited(lambda kept: kept["more"].update(strength=3)), "its tests"),
    "no positions": (edited(lambda kept: kept | {"more": 3}), "its positions"),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_a_checkpoint_that_came_to_harm_is_named_and_kept(trained, tmp_path, harm):
    damage, words = HARM[harm]
    path = tmp_path / "alphazero-tic-tac-toe.pt"
    path.write_bytes((trained[0] / path.name).read_bytes())
    damage(path)
    before = path.read_bytes()
    with pytest.raises(BadCheckpoint) as refused:
        flopledger.train("alphazero", output=tmp_path, resume=True, **TINY)
    line = str(refused.value)
    assert words in line
    assert str(path) in line
    assert "\n" not in line
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_option_that_a_training_has_not(tmp_path):
    with pytest.raises(flopledger.FlopledgerError, match="no option 'epoch'; did you mean epochs"):
        flopledger.train("alexnet", output=tmp_path, epoch=1)
