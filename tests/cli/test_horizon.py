"""flopledger horizon, from the command line."""

import csv
import json

import coin_task
import pytest

COIN = "horizon coin --seeds 2 --jobs 1".split()


@pytest.fixture(autouse=True)
def coin(monkeypatch):
    """The task "coin", which takes no time."""
    coin_task.offer(monkeypatch)


def test_a_table_with_progress_and_time_left(run):
    code, out, said = run(*COIN)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "coin (a formula), to 0.5, 100k samples at most"
    assert [line.split("  ")[0] for line in lines[2:8]] == [
        "supervised", "h = 1", "h = 4", "h = 16", "h = 64", "h = 256",
    ]  # fmt: skip
    assert lines[8].startswith("samples = a + b h: a = ")
    assert lines[9].startswith("samples = c h^d: c = ")
    assert lines[10] == "a + b h is the likelier form in 100% of resamples"
    # the first trial: (1000 + 100) x 0.9 samples; 41 are left, a second each
    assert said[0] == (
        "flopledger: 1 of 42: h = 1, rate 1, seed 0: 0.5 after 990 samples; about 41 s left"
    )


def test_csv_has_a_row_a_trial_and_json_every_figure(run):
    _, out, _ = run(*COIN, "--format", "csv")
    rows = list(csv.DictReader(out.splitlines()))
    assert len(rows) == 42
    assert rows[0]["versions"].startswith("torch 2.")
    _, out, _ = run(*COIN, "--format", "json")
    result = json.loads(out)
    assert len(result["trials"]) == 42
    assert [arm["arm"] for arm in result["arms"]][:2] == ["supervised", "h = 1"]
    assert result["growth"]["line"]["parameters"]["a"]["value"] == pytest.approx(1000, rel=0.1)


def test_an_interrupt_says_what_there_is_and_ends_with_130(run, monkeypatch, tmp_path):
    learn = coin_task.learn

    def interrupted(trial):
        if trial.arm == "h = 64":
            raise KeyboardInterrupt
        return learn(trial)

    monkeypatch.setattr(coin_task, "learn", interrupted)
    file = str(tmp_path / "coin.jsonl")
    code, out, said = run(*COIN, "--output", file)
    assert code == 130
    assert said[-1] == "flopledger: interrupted with 18 of 42 trials; what they came to follows"
    assert "not measured yet: supervised, h = 1, h = 4, h = 16, h = 64, h = 256" in out
    monkeypatch.setattr(coin_task, "learn", learn)
    code, out, said = run(*COIN, "--output", file, "--resume")
    assert code == 0
    assert said[0].startswith("flopledger: 19 of 42: ")


@pytest.mark.parametrize(
    ("form", "told"),
    [("table", "coin (a"), ("csv", "task,arm,horizon,"), ("json", '"trials": []'),
     ("markdown", "## coin"), ("html", "coin (a")],
)  # fmt: skip
def test_an_interrupt_before_any_trial_leaves_what_there_is(run, monkeypatch, form, told):
    def interrupted(trial):
        raise KeyboardInterrupt

    monkeypatch.setattr(coin_task, "learn", interrupted)
    code, out, said = run(*COIN, "--format", form)
    assert code == 130
    assert said == ["flopledger: interrupted with 0 of 42 trials; what they came to follows"]
    assert told in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--target 1.5", "--target 1.5 is never reached; give a share above 0 and at most 1"),
        ("--target -0.1", "--target -0.1 is no share to be reached; give one above 0"),
        ("--target 0", "--target 0 is no share to be reached; give one above 0"),
        ("--target nan", "--target nan is no share"),
        ("--arm h=4", "--arm 'h=4' is no arm of coin; did you mean h = 4"),
        ("--seeds 0", "--seeds 0 is too small; give 1 or more"),
        ("--seed -1", "--seed -1 is too small; give 0 or more"),
        ("--samples 0", "--samples 0 is too small; give 1 or more"),
        ("--jobs 0", "--jobs 0 is too small; give 1 or more"),
        ("--resume", "name it with --output"),
        ("--output /nowhere/coin.jsonl", "/nowhere does not exist"),
        ("--output {text}", "is not empty; --resume goes on with it, or name another file"),
        ("--output {text} --resume", "is no file of flopledger horizon; name another"),
        ("--output {other} --resume", "was made with target 0.25, not 0.5; ask for the same, or"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, words, complaint):
    text, other = tmp_path / "words.txt", tmp_path / "other.jsonl"
    text.write_text("words\n")
    run(*COIN, "--arm", "supervised", "--target", "0.25", "--output", str(other))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, said = run(*COIN, *words.format(text=text, other=other).split())
    assert (code, out) == (2, "")
    (line,) = said
    assert complaint in line
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_task_that_there_is_not(run):
    code, _, said = run("horizon", "digit")
    assert code == 2
    assert said[0].startswith("flopledger: task 'digit' is not one of digits")
