"""Whole games: what is counted, what is kept, and how they end."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from flopledger.counting.profiling import profile
from flopledger.play import games_file, networks
from flopledger.play.fen import BadPosition
from flopledger.play.game_loop import Stopped, play
from flopledger.play.games import GAMES, MissingGames, UnknownGame, find_game
from flopledger.play.played_game import Habits, Played
from flopledger.play.search import Settings
from flopledger.play.statistics import as_object, ratio

FEW = Settings(simulations=12)


def game_and_net(name="tic_tac_toe", board=None):
    game = find_game(name, board)
    return game, networks.tower(game, blocks=1, filters=4, seed=0)


def one_game(game, net, settings, habits, seed, index):
    """That game of that seed."""
    (played,) = play(game, net, settings, habits, seed, [index])
    return played


def of_game(index, **other):
    counts = "moves asked made roots cache reuse terminal flops seconds result".split()
    return Played(index=index, ended="over", **(dict.fromkeys(counts, 0) | other))


HEADER = games_file.Header(
    game="tic_tac_toe", network="alphazero-1x4", params=1, simulations=10, noise=0.25,
    reuse=False, cache=False, sampled=30, resign=None, longest=None, position="", seed=7,
    puct=1.25, puct_base=19652, values="unit", fpu=0.0, temperature=1.0, evaluations=None,
)  # fmt: skip


@pytest.mark.parametrize("name", GAMES)
def test_each_game_is_played_and_metered(name):
    game, net = game_and_net(name, 5 if name in ("go", "hex") else None)
    played = one_game(game, net, FEW, Habits(longest=6), seed=0, index=0)
    assert 1 <= played.moves <= 6
    assert played.asked == played.moves * 13 == played.made + played.terminal
    layout = game.layout
    x = torch.zeros(1, layout.planes, layout.rows, layout.columns)
    assert played.flops == played.made * profile(net, x).total("flops")


def test_a_game_is_made_by_its_seed_and_index():
    game, net = game_and_net("connect_four")
    games = [one_game(game, net, FEW, Habits(), 3, index) for index in (0, 1, 0)]
    first, other, again = ({**asdict(each), "seconds": 0} for each in games)
    assert first == again
    assert first != other


def test_the_result_is_the_first_players():
    game, net = game_and_net("tic_tac_toe")
    settings = Settings(simulations=200, noise=0)
    to_win = "x(0,0) o(1,0) x(0,1) o(1,1)"
    for position, result in ((to_win, 1.0), (to_win + " x(2,2)", -1.0)):
        played = one_game(game, net, settings, Habits(position=position, sampled=0), 0, 0)
        assert (played.result, played.moves, played.ended) == (result, 1, "over")


def test_who_is_about_to_lose_resigns():
    # x has two rows of two: whatever o does, x wins
    game, net = game_and_net("tic_tac_toe")
    hopeless = Habits(position="x(0,0) o(1,0) x(2,2) o(2,0) x(0,2)", resign=-0.5, sampled=0)
    played = one_game(game, net, Settings(simulations=2000, noise=0), hopeless, 0, 0)
    assert (played.ended, played.result, played.moves) == ("resigned", 1.0, 1)
    with_hope = replace(hopeless, resign=-1.0)
    assert one_game(game, net, FEW, with_hope, 0, 0).ended == "over"


def test_a_network_of_another_game_does_not_fit():
    with pytest.raises(networks.DoesNotFit, match="alphazero-chess takes 119 x 8 x 8"):
        networks.named(find_game("connect_four"), "alphazero-chess", 0)
    with pytest.raises(networks.DoesNotFit, match="alphazero-go takes 17 x 19 x 19"):
        networks.named(find_game("go", 9), "alphazero-go", 0)
    assert networks.named(find_game("go", 9), "alphazero-tower", 0)


@pytest.mark.parametrize(
    ("name", "board", "words"),
    [
        ("goo", None, "did you mean go"),
        ("poker", None, "there are tic_tac_toe"),
        ("chess", 9, "leave --board out"),
        ("hex", 1, "no board of Hex has 1 points"),
        ("go", 20, "give 2 to 19"),
        ("go", 1, "give 2 to 19"),
    ],
)
def test_a_game_that_does_not_exist(name, board, words):
    with pytest.raises(UnknownGame, match=words):
        find_game(name, board)


def test_without_openspiel_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyspiel", None)
    with pytest.raises(MissingGames, match=r"flopledger\[games\]"):
        find_game("chess")


@pytest.mark.parametrize(
    ("name", "position", "words"),
    [
        ("chess", "rnbqkbnr/8 w", "is no FEN"),
        ("chess", "4k3/9/8/8/8/8/8/4K3 w - - 0 1", "is no FEN"),
        ("chess", "8/8/8/8/8/8/8/4K3 w - - 0 1", "it has 0 k"),
        ("chess", "4k2P/8/8/8/8/8/8/4K3 w - - 0 1", "pawn stands"),
        ("chess", "4k3/8/8/8/8/8/8/4K3 w K - 0 1", "castling K needs"),
        ("chess", "4k3/4R3/8/8/8/8/8/4K3 w - - 0 1", "could take the king"),
        ("chess", "e4 e5 Ke3", "move 3, 'Ke3', is not legal"),
        ("chess", "f3 e5 g4 Qh4#", "the game is over"),
        ("shogi", "9/9 b - 1", "is no SFEN"),
        ("shogi", "4k4/9/9/9/4X4/9/9/9/4K4 b - 1", "is no SFEN"),
        ("shogi", "4k4/9/9/9/4+G4/9/9/9/4K4 b - 1", "is no SFEN"),
        ("shogi", "4k4/9/9/9/9/9/9/9/9 b - 1", "it has 0 K"),
        ("shogi", "4k4/4R4/9/9/9/9/9/9/4K4 b - 1", "could take the king"),
        ("go", "e5 e5", "move 2, 'e5', is not legal"),
        ("connect_four", "x9", "x0, x1, x2, x3, x4, x5 are"),
        ("tic_tac_toe", "x(0,0) o(1,0) x(0,1) o(1,1) x(0,2) o(2,2)", "none: the game is over"),
    ],
)
def test_an_illegal_position(name, position, words, capfd):
    with pytest.raises(BadPosition) as refused:
        find_game(name, 9 if name == "go" else None).start(position)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")  # OpenSpiel would print


def test_games_at_once_are_those_that_are_played_alone():
    game, net = game_and_net("connect_four")
    together = {one.index: one for one in play(game, net, FEW, Habits(), 3, range(7), at_once=4)}
    assert sorted(together) == list(range(7))
    for index, one in together.items():
        alone = one_game(game, net, FEW, Habits(), 3, index)
        assert asdict(one) | {"seconds": 0} == asdict(alone) | {"seconds": 0}


def test_a_game_is_begun_when_there_is_room_for_it():
    game, net = game_and_net("tic_tac_toe")
    begun, ended = [], []

    def indices():
        for index in range(5):
            begun.append((index, len(ended)))
            yield index

    for one in play(game, net, FEW, Habits(), 0, indices(), at_once=2):
        ended.append(one.index)
    # the first two at once, and each later one when another has ended
    assert [(index, count >= index - 1) for index, count in begun] == [(n, True) for n in range(5)]
    assert [count for _, count in begun[:2]] == [0, 0]
    assert len(ended) == 5


def test_games_without_search_cost_an_evaluation_a_move():
    game, net = game_and_net("hex", 4)
    alone = Settings(simulations=0, noise=0)
    for played in play(game, net, alone, Habits(), 0, range(4)):
        assert 7 <= played.moves <= 16  # the first to join two sides of 4 has played 4 times
        assert (played.made, played.roots, played.asked) == (played.moves,) * 3


def test_the_cache_gives_the_answers_that_the_network_gave():
    game, net = game_and_net("connect_four")
    kept, without = (
        one_game(game, net, Settings(simulations=60, noise=0), Habits(cache=cache), 0, 0)
        for cache in (True, False)
    )
    assert kept.cache > 0
    assert (kept.moves, kept.asked, kept.result) == (without.moves, without.asked, without.result)
    assert kept.made + kept.cache == without.made
    assert kept.flops / kept.made == without.flops / without.made


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_want_of_memory_keeps_what_was_measured(error):
    game, net = game_and_net("connect_four")
    calls = []

    def fails(module, args):
        calls.append(len(args[0]))
        if len(calls) > 20:
            raise error

    handle = net.stem.register_forward_pre_hook(fails)
    with pytest.raises(Stopped) as stopped:
        list(play(game, net, FEW, Habits(), 0, range(3)))
    handle.remove()
    kept = stopped.value.played
    assert [game.ended for game in kept] == ["out of memory"] * 3
    assert sum(game.made for game in kept) == sum(calls[:20])
    assert not any(game.finished for game in kept)
    assert "does not fit into memory; give a smaller --batch" in str(stopped.value.__cause__)


def test_games_are_read_back_and_a_torn_line_is_survived(tmp_path):
    file = tmp_path / "games.jsonl"
    assert games_file.begin(file, HEADER, resume=True) == ([], "")
    games_file.append(file, of_game(0, moves=5))
    games_file.append(file, of_game(1, moves=6))
    whole = file.read_text()
    file.write_text(whole + '{"index": 2, "mov')
    assert games_file.read(file)[1] == [of_game(0, moves=5), of_game(1, moves=6)]
    games, note = games_file.begin(file, HEADER, resume=True)
    assert [game.moves for game in games] == [5, 6]
    assert "torn" in note
    assert file.read_text() == whole
    games_file.append(file, of_game(2, moves=7))
    assert [game.moves for game in games_file.read(file)[1]] == [5, 6, 7]


def test_games_of_another_search_are_not_gone_on_with(tmp_path):
    file = tmp_path / "games.jsonl"
    old = {name: value for name, value in asdict(HEADER).items() if name != "values"}
    file.write_text(json.dumps({"settings": old}) + "\n")
    with pytest.raises(games_file.BadRecord, match=r"values None, not 'unit'"):
        games_file.begin(file, HEADER, resume=True)


def test_a_torn_first_line_is_a_new_file(tmp_path):
    file = tmp_path / "games.jsonl"
    file.write_text('{"settings": {"ga')
    assert games_file.begin(file, HEADER, resume=True) == ([], "")
    assert games_file.read(file) == (HEADER, [])


def test_a_game_that_was_stopped_gives_way_to_itself_played_anew(tmp_path):
    file = tmp_path / "games.jsonl"
    games_file.begin(file, HEADER, resume=False)
    games_file.append(file, replace(of_game(0, moves=2), ended="interrupted"))
    games_file.append(file, of_game(0, moves=9))
    assert [game.moves for game in games_file.read(file)[1]] == [9]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("hello\n", "is no file of flopledger selfplay"),
        (json.dumps({"settings": {**asdict(HEADER), "seed": 8}}) + "\n", "seed 8, not 7"),
        (json.dumps({"settings": asdict(HEADER)}) + "\n{}\n", "line 2 is no game"),
        (
            "".join(
                json.dumps(line) + "\n"
                for line in ({"settings": asdict(HEADER)}, {**asdict(of_game(0)), "moves": "two"})
            ),
            "line 2 is no game",
        ),
    ],
)
def test_a_file_of_something_else(tmp_path, content, words):
    file = tmp_path / "games.jsonl"
    file.write_text(content)
    with pytest.raises(games_file.BadRecord, match=words):
        games_file.begin(file, HEADER, resume=True)
    with pytest.raises(games_file.BadRecord, match="--resume"):
        games_file.begin(file, HEADER, resume=False)


def test_a_mean_and_its_interval_by_hand():
    games = [of_game(n, made=made, asked=2) for n, made in enumerate((1, 2, 3))]
    mean = ratio(games, lambda each: each.made)
    # the mean of 1, 2, 3 has a standard error of 1 / sqrt(3); Student's 95% point for 2 is 2.920
    assert mean.mean == 2
    assert mean.high - 2 == pytest.approx(2.920 / 3**0.5, rel=1e-3)
    assert 2 - mean.low == pytest.approx(2.920 / 3**0.5, rel=1e-3)
    assert ratio(games, lambda each: each.made, lambda each: each.asked).mean == 1
    assert ratio(games[:1], lambda each: each.made).low is None
    assert ratio(games, lambda each: each.made, lambda each: 0) is None


def test_the_json_object_by_hand():
    # two games of 2 and 3 moves, 10 simulations each move; 1 root a move was evaluated
    games = [
        of_game(0, moves=2, asked=22, made=20, roots=2, terminal=2, flops=200.0),
        of_game(1, moves=3, asked=33, made=27, roots=3, terminal=1, cache=5, flops=270.0),
        replace(of_game(2, moves=1, asked=11, made=5, roots=1, flops=50.0), ended="interrupted"),
    ]
    summary = as_object(HEADER, games)
    assert list(summary) == (
        "game network params simulations games moves evaluations flops per_game "
        "evaluations_per_simulation saved seed".split()
    )
    assert (summary["games"], summary["moves"], summary["evaluations"], summary["flops"]) == (
        2,
        6,
        52,
        520,
    )
    assert summary["per_game"]["moves"]["mean"] == 2.5
    assert summary["per_game"]["evaluations"]["mean"] == (20 + 27) / 2
    assert summary["evaluations_per_simulation"]["mean"] == (18 + 24 + 4) / (20 + 30 + 10)
    assert summary["saved"] == {"cache": 5, "reuse": 0, "terminal": 3}
    assert summary["seed"] == 7
