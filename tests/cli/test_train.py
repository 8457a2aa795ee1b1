"""flopledger train: the tables, the run files that compare takes, a stop, and bad input."""

import json

import pytest
from flopledger.training import digits

SMALL = "--game tic_tac_toe --blocks 1 --filters 4 --simulations 8 --rounds 2 --games 2".split()
SMALL += "--steps 2 --batch 4 --opponent 4".split()


@pytest.fixture
def few(monkeypatch):
    """Digits enough for a test."""
    whole = digits.read_digits(0)
    part = tuple(tensor[:64] for tensor in whole.trained)
    monkeypatch.setattr(digits, "read_digits", lambda seed: digits.Digits(part, part))


def test_both_trainings_agree_with_their_predictions_and_compare(run, few, tmp_path):
    folder = str(tmp_path / "new")
    code, out, err = run("train", "alexnet", "--epochs", "2", "--output", folder, "--format",
                          "json", "--peak", "1e15")  # fmt: skip
    assert code == 0
    alexnet = json.loads(out)
    assert [line.partition(":")[2].partition(": loss")[0] for line in err[:2]] == [
        " epoch 1 of 2", " epoch 2 of 2",
    ]  # fmt: skip
    assert alexnet["totals"]["samples"] == 2 * 64
    assert alexnet["agreement"]["counts_agree"]
    assert alexnet["agreement"]["total_agrees"]
    assert max(abs(part["off"]) for part in alexnet["agreement"]["parts"]) < 1e-9
    assert alexnet["mfu"] == pytest.approx(alexnet["flops_per_second"] / 1e15)

    code, out, _ = run("train", "alphazero", *SMALL, "--output", folder, "--format", "json")
    assert code == 0
    other = json.loads(out)
    parts = {part["name"]: part for part in other["agreement"]["parts"]}
    assert other["agreement"]["counts_agree"]
    counts = {name for name, part in parts.items() if not part["chance"]}
    assert counts == {
        "games", "simulations_per_move", "root_evaluations", "steps", "batch_size",
        "FLOP, from the metered facts",
    }  # fmt: skip
    assert parts["FLOP, whole run"]["metered"] == other["flops"]
    assert [test["rounds"] for test in other["strength"]] == [0, 1, 2]
    assert other["strength"][-1]["flops"] == other["flops"]
    assert sum(other["strength"][-1]["search"].values()) == 4

    files = [
        f"{folder}/{name}-metered.toml" for name in ("alexnet-digits", "alphazero-tic-tac-toe")
    ]
    code, out, _ = run("compare", *files, "--format", "json")
    assert code == 0
    split = json.loads(out)
    assert sum(factor["orders"] for factor in split["factors"]) == pytest.approx(split["orders"])
    assert split["a_total"] == pytest.approx(alexnet["flops"] / alexnet["params"])
    assert split["b_total"] == pytest.approx(other["flops"] / other["params"])
    assert {factor["kind"] for factor in split["factors"]} <= {"measured", "derived"}


def test_a_table_says_whether_it_agrees(run, few, tmp_path):
    code, out, err = run("train", "alexnet", "--epochs", "1", "--output", str(tmp_path))
    assert code == 0
    assert (
        "the counts agree within 0.1% (the worst is 0.000% off); the whole run lies inside" in out
    )
    assert "peak unknown; --peak gives it" in out
    assert err[-1].endswith("alexnet-digits-predicted.toml and -metered.toml are runs to compare")


def test_a_stop_keeps_what_was_done(run, few, tmp_path, monkeypatch):
    epoch = digits.Trainer.epoch

    def stopped(self, *args):
        if self.totals.epochs == 1:
            raise KeyboardInterrupt
        return epoch(self, *args)

    words = ("train", "alexnet", "--epochs", "2", "--output", str(tmp_path))
    monkeypatch.setattr(digits.Trainer, "epoch", stopped)
    code, out, err = run(*words)
    assert code == 130
    assert "epochs           1\n" in out
    assert err[-1].startswith("flopledger: interrupted; what was done follows")
    assert not (tmp_path / "alexnet-digits-metered.toml").exists()
    monkeypatch.setattr(digits.Trainer, "epoch", epoch)
    code, _, err = run(*words)
    assert (code, len(err)) == (2, 1)
    assert "is there; --resume goes on, or choose another --output" in err[0]
    code, out, _ = run(*words, "--resume")
    assert code == 0
    assert "epochs           2\n" in out
    code, _, err = run(*words, "--resume", "--seed", "1")
    assert (code, len(err)) == (2, 1)
    assert "was made with seed 0, not 1" in err[0]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("alphazero --rate 0", "--rate 0 is no learning rate"),
        ("alphazero --peak nan", "--peak nan is no FLOP/s"),
        ("alphazero --game goo", "did you mean go?"),
        ("alphazero --blocks 0", "--blocks"),
        ("alexnet --rate inf", "--rate inf is no learning rate"),
        ("alexnet --dataset cifar", "'cifar'"),
        ("alexnet --output /dev/null", "/dev/null is no folder"),
    ],
)
def test_bad_input_is_one_line(run, words, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("train", *words.split())
    assert (code, out) == (2, "")
    assert len(err) == 1
    assert complaint in err[0]
    assert not list(tmp_path.iterdir())


def test_without_scikit_learn(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    code, _, err = run("train", "alexnet", "--output", str(tmp_path))
    assert (code, len(err)) == (2, 1)
    assert "pip install 'flopledger[digits]'" in err[0]
