"""flopledger tune, from the command line."""

import json
import sqlite3
from contextlib import closing

import pytest
import torch

QUICK = "tune --game tic_tac_toe --blocks 1 --filters 4 --evaluations 4 --trials 2".split()
QUICK += "--games 2 --final 4".split()


def test_a_table(run):
    code, out, err = run(*QUICK)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("tic_tac_toe, untrained alphazero-1x4 (")
    assert max(map(len, lines)) <= 105
    for name in ("PUCT constant", "FLOPs of tuning", "win rate", "90% (Elo)", "FLOPs a move"):
        assert any(line.startswith(name) for line in lines)
    verdicts = [line.partition(":")[0] for line in lines[-3:]]
    assert verdicts[-2:] == ["Gaussian process", "random search"] or verdicts == [
        "Gaussian process", "random search", "all chose one setting",
    ]  # fmt: skip
    assert err[0].startswith("flopledger: gp: trial 1 of 2 scored ")


def test_json_resumed_is_what_one_run_gives(run, tmp_path):
    def figures(*words):
        code, out, err = run(*QUICK, "--format", "json", *words)
        assert code == 0
        return json.loads(out), err

    file = str(tmp_path / "study.db")
    whole, _ = figures()
    figures("--storage", file, "--trials", "1")
    resumed, _ = figures("--storage", file, "--resume")
    gp, other = (parsed["samplers"]["gp"] for parsed in (whole, resumed))
    assert gp["settings"] == other["settings"]
    assert gp["search_flops"] == other["search_flops"]
    assert gp["final"] == other["final"]
    again, err = figures("--storage", file, "--resume")
    assert again == resumed
    assert not any("trial" in line for line in err)  # nothing was left to do
    random = whole["samplers"]["random"]
    assert random["search_flops"] >= gp["search_flops"]
    final = gp["final"]
    assert final["won"] + final["drawn"] + final["lost"] == 4
    assert final["win_rate"]["mean"] == (final["won"] + final["drawn"] / 2) / 4
    for side in final["flops_per_move"].values():
        assert side["mean"] <= side["most"] <= whole["budget_flops_per_move"]


def test_random_search_stops_at_the_tuners_flops(run, monkeypatch):
    from flopledger.play.score import Match, Score, Spent
    from flopledger.tuning import tuner

    costs = {0: 10.0, 1: 4.0}  # of a trial, by sampler

    def play(self, chosen, games, key, on_game):
        side = Spent(moves=1, flops=costs[key[0]] / 2, most=1)
        return Match(
            score=Score(won=1, drawn=0, lost=games - 1), candidate=side, opponent=side
        )  # fmt: skip

    monkeypatch.setattr(tuner.Contest, "play", play)
    _, out, _ = run(*QUICK, "--trials", "3", "--format", "json")
    samplers = json.loads(out)["samplers"]
    assert (samplers["gp"]["trials"], samplers["gp"]["search_flops"]) == (3, 30)
    # 7 trials come to 28 FLOPs, 8 to 32
    assert (samplers["random"]["trials"], samplers["random"]["search_flops"]) == (8, 32)


def test_an_interrupt_keeps_the_trials(run, monkeypatch, tmp_path):
    from flopledger.play.search import Search

    runs, search = [], Search.run

    def interrupted(self):
        runs.append(1)
        if len(runs) == 11:  # a game has at most 5 moves, a trial 2 games
            raise KeyboardInterrupt
        return search(self)

    monkeypatch.setattr(Search, "run", interrupted)
    file = str(tmp_path / "study.db")
    words = [*QUICK, "--trials", "3", "--storage", file, "--format", "json"]
    code, out, err = run(*words)
    assert code == 130
    assert err[-1] == "flopledger: interrupted; what was played follows"
    parsed = json.loads(out)["samplers"]["gp"]
    assert 0 < parsed["trials"] < 3
    assert parsed["final"] is None
    assert parsed["verdict"] == "not played to the end"
    monkeypatch.setattr(Search, "run", search)
    code, out, _ = run(*QUICK, "--trials", "3", "--storage", file, "--resume", "--format", "json")
    assert code == 0
    assert json.loads(out)["samplers"]["gp"]["trials"] == 3


def test_an_interrupt_before_any_trial_is_a_table_too(run, monkeypatch):
    from flopledger.play.search import Search

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "run", interrupted)
    code, out, _ = run(*QUICK)
    assert code == 130
    assert out.splitlines()[-1] == "random search: not played to the end"


def test_a_storage_that_another_process_holds(run, tmp_path, monkeypatch):
    from flopledger.tuning import studies

    class Hasty(studies.RDBStorage):
        def __init__(self, url):  # SQLite would wait for 5 s
            super().__init__(url, engine_kwargs={"connect_args": {"timeout": 0.1}})

    monkeypatch.setattr(studies, "RDBStorage", Hasty)
    file = str(tmp_path / "study.db")
    with closing(sqlite3.connect(file)) as other:
        other.isolation_level = None
        assert run(*QUICK, "--trials", "1", "--storage", file)[0] == 0
        before = [*other.execute("SELECT number, state FROM trials")]
        other.execute("BEGIN IMMEDIATE")
        code, out, err = run(*QUICK, "--storage", file, "--resume")
        assert (code, out) == (1, "")
        assert err == [f"flopledger: {file}: database is locked; mend it, and --resume goes on"]
        other.execute("ROLLBACK")
        assert [*other.execute("SELECT number, state FROM trials")] == before


def test_a_checkpoint(run, tmp_path):
    file = str(tmp_path / "alphazero-tic-tac-toe.pt")
    train = "train alphazero --game tic_tac_toe --blocks 1 --filters 4 --simulations 4 --games 1"
    words = "--rounds 1 --steps 1 --opponent 0 --output".split()
    assert run(*train.split(), *words, str(tmp_path))[0] == 0
    code, out, _ = run(*QUICK, "--checkpoint", file, "--trials", "1", "--format", "json")
    assert code == 0
    parsed = json.loads(out)
    kept = torch.load(file, weights_only=True)["network"]
    assert parsed["network"] == "alphazero-1x4"
    assert parsed["params"] == sum(
        weight.numel()
        for name, weight in kept.items()
        if "running" not in name and "tracked" not in name
    )
    code, _, err = run(*QUICK, "--checkpoint", file, "--game", "connect_four")
    assert code == 2
    assert err[0].endswith("was trained to play tic_tac_toe, not connect_four; give its --game")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--game goo", "did you mean go?"),
        ("--trials 0", "--trials 0 is too small; give 1 or more"),
        ("--games 0", "--games 0 is too small; give 2 or more"),
        ("--final 1", "--final 1 is too small; give 2 or more"),
        ("--evaluations 1", "--evaluations 1 is too small; give 2 or more"),
        ("--opening 9", "9 moves of an opening end tic_tac_toe; give a smaller --opening"),
        ("--resume", "name it with --storage"),
        ("--storage /nowhere/study.db", "/nowhere does not exist"),
        ("--storage {text} --resume", "cannot be read as a SQLite file (file is not a database)"),
        ("--storage {text}", "is there; --resume goes on, or name another file"),
        ("--checkpoint {text}", "is no checkpoint of flopledger train alphazero"),
        ("--checkpoint /nowhere.pt", "is no checkpoint of flopledger train alphazero"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, words, complaint):
    text = tmp_path / "words.txt"
    text.write_text("words, " * 200)
    before = set(tmp_path.iterdir())
    code, out, err = run(*QUICK, *words.format(text=text).split())
    assert (code, out) == (2, "")
    (line,) = err
    assert complaint in line
    assert set(tmp_path.iterdir()) == before


def test_without_optuna_the_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    code, out, err = run(*QUICK)
    assert (code, out) == (2, "")
    assert err == ["flopledger: tune needs Optuna; pip install 'flopledger[tune]'"]


def test_without_sqlalchemy_the_extra_is_named(run, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    code, _, err = run(*QUICK, "--storage", str(tmp_path / "study.db"))
    assert code == 2
    assert "pip install 'flopledger[tune]'" in err[0]
