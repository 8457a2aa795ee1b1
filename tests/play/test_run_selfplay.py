"""flopledger.selfplay: what the command line does, from Python."""

import json

import flopledger
import pytest
import torch
from flopledger import profile
from flopledger.play import networks
from flopledger.play.games import find_game
from flopledger.play.search import Search

QUICK = {"game": "tic_tac_toe", "blocks": 1, "filters": 4, "simulations": 8}
WORDS = "selfplay --game tic_tac_toe --blocks 1 --filters 4 --simulations 8 --games 2".split()


def test_it_is_the_command_lines_twin(run, capsys):
    steps = []
    played = flopledger.selfplay(**QUICK, games=2, progress=steps.append)
    assert capsys.readouterr() == ("", "")
    assert played.to_json() == run(*WORDS, "--format", "json")[1]
    assert repr(played) + "\n" == run(*WORDS)[1]
    assert played._repr_html_().startswith("<p>tic_tac_toe, alphazero-1x4 (")
    # a step a move: the game's number, of two
    assert len(steps) == sum(game.moves for game in played.games)
    assert {(step.done, step.total) for step in steps} == {(0, 2), (1, 2)}
    assert [step.message for step in steps[:3]] == [
        "game 1, move 1", "game 2, move 1", "game 1, move 2"
    ]  # fmt: skip


def test_a_network_of_the_zoo_plays_untrained_as_its_seed_makes_it():
    played = flopledger.selfplay(
        game="go", board=9, network="alphazero-tower", simulations=1, games=1, moves=1, seed=3
    )
    net = networks.named(find_game("go", 9), "alphazero-tower", seed=3)
    # the root and its one child are evaluated
    flops = 2 * profile(net, torch.zeros(1, 17, 9, 9)).total("flops")
    (game,) = played.games
    assert (game.made, game.flops) == (2, flops)
    assert json.loads(played.to_json())["network"] == "alphazero-tower"


def test_an_interrupt_carries_what_was_played(monkeypatch):
    searches, search = [], Search.run

    def interrupted(self):
        searches.append(1)
        if len(searches) == 12:  # a game has 5 to 9 moves
            raise KeyboardInterrupt
        return search(self)

    monkeypatch.setattr(Search, "run", interrupted)
    with pytest.raises(flopledger.Interrupted) as stop:
        flopledger.selfplay(**QUICK, games=9, batch=2)
    games = stop.value.result.games
    assert sum(game.moves for game in games) == 11
    assert [game.ended for game in games if not game.finished] == ["interrupted"] * 2
    assert str(stop.value) == "interrupted in 2 games"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"games": 0}, "--games 0 is too small; give 1 or more"),
        ({"simulations": 2.5}, "--simulations 2.5 is no whole number; give 0 or more"),
        ({"noise": 1.5}, "--noise 1.5 is no share; give 0 to 1"),
        ({"fpu": -0.5}, "--fpu -0.5 is no unit value; give 0 to 1"),
        ({"fpu": -2, "values": "signed"}, "--fpu -2 is no signed value; give -1 to 1"),
        ({"filters": 0}, "--filters 0 is too small; give 1 or more"),
        ({"resume": True}, "--resume goes on with a file; name it with --output"),
        ({"game": "goo"}, "no game is called 'goo'; did you mean go?"),
    ],
)
def test_what_is_refused(options, line, run):
    with pytest.raises(flopledger.FlopledgerError) as refused:
        flopledger.selfplay(**QUICK | options)
    assert str(refused.value) == line
    if line.startswith("--noise"):
        assert run(*WORDS, "--noise", "1.5") == (2, "", [f"flopledger: {line}"])
