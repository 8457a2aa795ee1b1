"""Which output of the policy head a move has, worked out by hand."""

import random

import pytest
from flopledger.play.games import find_game


def output(game, position, word):
    state = game.start(position)
    return int(game.outputs[state.current_player()][game.action(state, word)])


def chess_plane(direction, distance):
    return 7 * direction + distance - 1  # 8 directions clockwise from forward


@pytest.mark.parametrize(
    ("position", "word", "plane", "row", "file"),
    [
        ("", "e4", chess_plane(0, 2), 1, 4),
        ("", "Nf3", 56 + 7, 0, 6),  # two on, one to the left
        ("e4", "e5", chess_plane(0, 2), 1, 4),  # Black's, seen from Black
        ("e4", "Nc6", 56 + 0, 0, 1),
        ("e4 e5", "Qh5", chess_plane(1, 4), 0, 3),
        ("e4 e5", "Ba6", chess_plane(7, 5), 0, 5),
        ("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", "O-O", chess_plane(2, 2), 0, 4),
        ("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", "O-O-O", chess_plane(6, 2), 0, 4),
        ("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", "Rg1", chess_plane(6, 1), 0, 7),
        ("r3k2r/8/8/8/8/8/8/4K3 b kq - 0 1", "O-O", chess_plane(2, 2), 0, 4),
        ("1n2k3/P7/8/8/8/8/8/4K3 w - - 0 1", "a8=Q", chess_plane(0, 1), 6, 0),
        ("1n2k3/P7/8/8/8/8/8/4K3 w - - 0 1", "axb8=N", 64 + 3 * 2 + 1, 6, 0),
        ("4k3/8/8/8/8/8/p7/1N2K3 b - - 0 1", "axb1=R+", 64 + 3 * 0 + 1, 6, 0),
        ("4k3/8/8/8/8/8/7p/4K1N1 b - - 0 1", "hxg1=B", 64 + 3 * 1 + 2, 6, 7),
    ],
)
def test_chess_by_hand(position, word, plane, row, file):
    assert output(find_game("chess"), position, word) == plane * 64 + row * 8 + file


@pytest.mark.parametrize(
    ("position", "word", "plane", "row", "column"),
    [
        ("", "7g7f", 0, 2, 2),  # a pawn, one forward
        ("", "2h5h", 8 * 6 + 2, 1, 7),  # the rook, three to the left
        ("7g7f", "3c3d", 0, 2, 2),  # White's, seen from White
        ("4k4/9/9/9/9/9/9/9/4KN3 b - 1", "4i3g", 64, 0, 5),  # a knight, to the right
        ("4k4/9/9/9/9/9/9/9/4KN3 b - 1", "4i5g", 65, 0, 5),
        ("4k4/9/9/8P/9/9/9/9/4K4 b - 1", "1d1c+", 66, 5, 8),
        ("4k4/9/9/9/9/9/9/9/4K4 b P 1", "P*5e", 132, 4, 4),
        ("4k4/9/9/9/9/9/9/9/4K4 w r 1", "R*1a", 138, 0, 0),  # White's own left corner
    ],
)
def test_shogi_by_hand(position, word, plane, row, column):
    assert output(find_game("shogi"), position, word) == plane * 81 + row * 9 + column


def test_go_and_connect_four():
    assert output(find_game("go", 9), "", "e5") == 4 * 9 + 4
    assert output(find_game("go", 9), "", "PASS") == 81
    assert output(find_game("connect_four"), "", "x3") == 3


@pytest.mark.parametrize("name", ["chess", "shogi"])
def test_legal_moves_have_outputs_of_their_own(name):
    game, rng = find_game(name), random.Random(0)
    state = game.start()
    for _ in range(200):
        if state.is_terminal():
            state = game.start()
        legal = state.legal_actions()
        outputs = game.outputs[state.current_player()][legal]
        assert len(set(outputs)) == len(legal)
        assert outputs.max() < game.moves
        state.apply_action(rng.choice(legal))


def test_no_two_moves_of_chess_share_an_output_but_castling():
    table = find_game("chess").outputs[0]
    assert sorted(table[:-2]) == list(range(73 * 64))
