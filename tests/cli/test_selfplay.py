"""flopledger selfplay, from the command line."""

import json

import pytest

QUICK = "selfplay --game tic_tac_toe --blocks 1 --filters 4 --simulations 20".split()


def test_a_table(run):
    code, out, err = run(*QUICK, "--games", "2")
    assert (code, err) == (0, [])
    lines = out.splitlines()
    assert lines[0].startswith("tic_tac_toe, alphazero-1x4 (")
    assert "20 simulations a move, 2 games, seed 0" in lines[0]
    for name in ("network evaluations", "saved by the cache", "saved at terminal nodes", "FLOPs"):
        assert any(line.startswith(name) for line in lines)
    assert lines[-1].startswith("evaluations per simulation, without the roots': 0.")


def test_json(run):
    code, out, _ = run(*QUICK, "--games", "2", "--cache", "--reuse-tree", "--format", "json")
    parsed = json.loads(out)
    assert code == 0
    assert (parsed["game"], parsed["network"], parsed["games"]) == (
        "tic_tac_toe",
        "alphazero-1x4",
        2,
    )
    # every move asks for 20 simulations and its root
    saved = sum(parsed["saved"].values())
    assert parsed["moves"] * 21 == parsed["evaluations"] + saved


def test_output_and_resume_give_what_one_run_gives(run, tmp_path):
    def figures(*words):
        code, out, err = run(*QUICK, "--format", "json", *words)
        return code, json.loads(out), err

    file = str(tmp_path / "games.jsonl")
    whole = figures("--games", "3")[1]
    assert figures("--games", "2", "--output", file)[0] == 0
    with open(file, "a") as torn:
        torn.write('{"index": 2')
    code, resumed, err = figures("--games", "3", "--output", file, "--resume")
    assert code == 0
    assert resumed == whole
    assert err == [f"flopledger: {file}: its last line was torn and is dropped"]
    assert figures("--games", "3", "--output", file, "--resume")[1] == whole  # nothing to do


def test_an_interrupt_prints_what_was_played(run, monkeypatch, tmp_path):
    from flopledger.play.search import Search

    runs, search = [], Search.run

    def interrupted(self):
        runs.append(1)
        if len(runs) == 12:
            raise KeyboardInterrupt
        return search(self)

    monkeypatch.setattr(Search, "run", interrupted)
    file = tmp_path / "games.jsonl"
    code, out, err = run(*QUICK, "--games", "9", "--batch", "1", "--output", str(file))
    assert code == 130
    (line,) = err
    assert line.startswith("flopledger: interrupted in game ")
    assert "was stopped (interrupted) after" in out
    kept = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    assert sum(game["moves"] for game in kept) == 11
    assert kept[-1]["ended"] == "interrupted"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--simulations -1", "--simulations -1 is too small"),
        ("--games 0", "--games 0 is too small"),
        ("--batch 0", "--batch 0 is too small"),
        ("--resign 0.5", "--resign 0.5 is no value to give up at"),
        ("--resume", "name it with --output"),
        ("--game goo", "did you mean go?"),
        ("--game go --board 30", "give 2 to 19"),
        ("--network alphazero-chess", "alphazero-chess takes 119 x 8 x 8"),
        ("--network alphazero-ches", "no model is called 'alphazero-ches'"),
        ("--position x(5,5)", "move 1, 'x(5,5)', is not legal"),
        ("--output /nowhere/games.jsonl", "/nowhere does not exist"),
    ],
)
def test_bad_input_is_one_line(run, words, complaint):
    code, out, err = run(*QUICK, *words.split())
    assert (code, out) == (2, "")
    (line,) = err
    assert complaint in line


def test_want_of_memory_is_one_line_and_keeps_the_games(run, monkeypatch):
    from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory

    evaluate, calls = NetworkEvaluator.evaluate, []

    def full(self, nodes):
        calls.append(1)
        if len(calls) > 40:
            raise OutOfMemory("a batch of 8 positions does not fit into memory")
        return evaluate(self, nodes)

    monkeypatch.setattr(NetworkEvaluator, "evaluate", full)
    code, out, err = run(*QUICK, "--games", "50")
    assert code == 1
    (line,) = err
    assert "a batch of 8 positions does not fit into memory" in line
    assert "network evaluations" in out
