"""AlphaZero's input planes, against boards that are set up by hand."""

import numpy as np
import pytest
from flopledger.play.games import find_game
from flopledger.play.planes import stack


def planes_of(game, position=""):
    state = game.start(position)
    return stack(game.layout, [game.replayed(state)])[0]


def points(plane):
    return {tuple(map(int, point)) for point in np.argwhere(plane)}


@pytest.mark.parametrize(
    ("name", "board", "planes", "moves"),
    [
        ("tic_tac_toe", None, 2 + 1, 9),
        ("connect_four", None, 2 + 1, 7),
        ("hex", 5, 2 + 1, 25),
        ("go", 9, 8 * 2 + 1, 81 + 1),
        ("go", 19, 8 * 2 + 1, 361 + 1),
        ("chess", None, 8 * (6 + 6 + 2) + 7, 73 * 64),
        ("shogi", None, 8 * (14 + 14 + 3 + 7 + 7) + 2, 139 * 81),
    ],
)
def test_sizes_are_the_papers(name, board, planes, moves):
    game = find_game(name, board)
    assert planes_of(game).shape == (planes, game.layout.rows, game.layout.columns)
    assert game.moves == moves


def test_hex_by_hand():
    game = find_game("hex", 3)
    # the first player joins top and bottom: b1 is (row 0, column 1), c2 (1, 2)
    x = planes_of(game, "b1 c2")
    assert (points(x[0]), points(x[1])) == ({(0, 1)}, {(1, 2)})
    assert x[2].all()
    # the second player's board is mirrored, so that he too joins the top with the bottom
    x = planes_of(game, "b1 c2 a3")
    assert (points(x[0]), points(x[1])) == ({(2, 1)}, {(1, 0), (0, 2)})
    assert not x[2].any()
    # and so are his moves: c1 is (0, 2) to both, output 2 x 3 + 0 of the second
    action = game.action(game.start(), "c1")
    assert game.outputs[:, action].tolist() == [0 * 3 + 2, 2 * 3 + 0]
    state = game.start("a1 c1 a2 c2")
    state.apply_action(game.action(state, "a3"))
    assert state.returns() == [1, -1]


def test_go_by_hand():
    go = find_game("go", 9)
    x = planes_of(go, "e5 c3 a9")  # Black, White, Black: White is to move
    e5, c3, a9 = (4, 4), (2, 2), (8, 0)
    own, others = x[0:16:2], x[1:16:2]
    assert points(own[0]) == {c3}
    assert points(others[0]) == {e5, a9}
    assert (points(own[1]), points(others[1])) == ({c3}, {e5})  # a move ago
    assert (points(own[2]), points(others[2])) == (set(), {e5})
    assert not x[6:16].any()  # the empty board, and before the start
    assert not x[16].any()  # White's turn
    assert planes_of(go, "e5 c3")[16].all()


def test_a_stone_that_is_taken_is_gone_and_stays_in_the_history():
    # White a1; Black b1, a2 take it
    x = planes_of(find_game("go", 9), "b1 a1 a2")
    assert points(x[0]) == set()
    assert points(x[1]) == {(0, 1), (1, 0)}
    assert points(x[2]) == {(0, 0)}


def test_a_pass_is_a_step_of_history():
    x = planes_of(find_game("go", 9), "e5 PASS")
    assert points(x[0]) == points(x[2]) == {(4, 4)}


def test_history_is_eight_positions_long():
    x = planes_of(find_game("go", 9), "a1 b1 c1 d1 e1 f1 g1 h1 j1")  # 9 stones, White to move
    counts = [int(plane.sum()) for plane in x[:16]]
    assert counts == [4, 5, 4, 4, 3, 4, 3, 3, 2, 3, 2, 2, 1, 2, 1, 1]


def test_chess_at_the_start():
    x = planes_of(find_game("chess"))
    own, others = x[0:6], x[6:12]  # pawn, knight, bishop, rook, queen, king
    assert points(own[0]) == {(1, file) for file in range(8)}
    assert points(own[1]) == {(0, 1), (0, 6)}
    assert points(own[4]) == {(0, 3)}
    assert points(own[5]) == {(0, 4)}
    assert points(others[3]) == {(7, 0), (7, 7)}
    assert not x[12:112].any()  # no repetition, nothing before
    white, moves, *castling, plies = x[112:]
    assert white.all()
    assert all(plane.all() for plane in castling)
    assert not moves.any()
    assert not plies.any()


def test_chess_is_turned_to_black():
    x = planes_of(find_game("chess"), "e4 Nf6 Ke2")
    assert points(x[1]) == {(0, 1), (2, 5)}  # Black's knights on b8 and f6, seen from Black
    assert points(x[6]) == {(6, f) for f in (0, 1, 2, 3, 5, 6, 7)} | {(4, 4)}  # White's pawns
    assert points(x[6 + 5]) == {(6, 4)}  # the king on e2
    white, moves, own_king, own_queen, king, queen, plies = x[112:]
    assert not white.any()
    assert moves[0, 0] == pytest.approx(3 / 512)
    assert own_king.all()
    assert own_queen.all()
    assert not king.any()
    assert not queen.any()
    assert plies[0, 0] == pytest.approx(2 / 100)  # the knight and the king


def test_chess_history_is_turned_with_the_board():
    x = planes_of(find_game("chess"), "e4")  # Black to move; a move ago White's pawn was on e2
    assert (4, 4) in points(x[6])
    assert (6, 4) in points(x[14 + 6])


def test_chess_repetitions():
    chess = find_game("chess")
    there_and_back = "Nf3 Nf6 Ng1 Ng8"
    once, again = planes_of(chess, "Nf3 Nf6 Ng1"), planes_of(chess, there_and_back)
    assert not once[12].any()
    assert again[12].all()  # the start, for the second time
    assert not again[13].any()
    assert not again[14 + 12].any()  # a move ago: once
    # four moves later the position before has occurred twice
    assert planes_of(chess, there_and_back + " Nf3")[12].all()


def test_chess_castling_of_one_side_only():
    x = planes_of(find_game("chess"), "4k2r/8/8/8/8/8/8/R3K3 b Qk - 7 30")
    own_king, own_queen, king, queen = x[114:118]
    assert own_king.all()
    assert queen.all()
    assert not own_queen.any()
    assert not king.any()
    assert x[118, 0, 0] == pytest.approx(0.07)


def test_shogi_at_the_start():
    x = planes_of(find_game("shogi"))
    own, others = x[0:14], x[14:28]
    # pawn, lance, knight, silver, gold, bishop, rook, king, then the promoted ones
    assert points(own[0]) == {(2, file) for file in range(9)}
    assert points(own[1]) == {(0, 0), (0, 8)}
    assert points(own[5]) == {(1, 1)}  # Black's bishop on 8h: the second file from the left
    assert points(own[6]) == {(1, 7)}
    assert points(own[7]) == {(0, 4)}
    assert points(others[5]) == {(7, 7)}
    assert points(others[6]) == {(7, 1)}
    assert not own[8:].any()
    assert not x[28:360].any()  # no repetition, no prisoners, nothing before
    assert x[360].all()
    assert not x[361].any()


def test_shogi_is_turned_half_round_to_white_with_prisoners_and_promotions():
    # White (gote) to move: king 5a, a promoted pawn on 3h; Black's king 5i, bishop 8b
    x = planes_of(find_game("shogi"), "4k4/1B7/9/9/9/9/9/6+p2/4K4 w R2Ppb 1")
    own, others, hands = x[0:14], x[14:28], x[31:45]
    assert points(own[7]) == {(0, 4)}
    assert points(own[8]) == {(7, 2)}  # file 3 is the third from White's left
    assert points(others[7]) == {(8, 4)}
    assert points(others[5]) == {(1, 7)}
    assert not x[360].any()
    # pawn, lance, knight, silver, gold, bishop, rook: White's, then Black's
    shares = [float(plane[0, 0]) for plane in hands]
    white, black = [1 / 18, 0, 0, 0, 0, 1 / 2, 0], [2 / 18, 0, 0, 0, 0, 0, 1 / 2]
    assert shares == pytest.approx(white + black)


def test_shogi_repetitions():
    shogi = find_game("shogi")
    start = planes_of(shogi, "5i5h 5a5b 5h5i 5b5a")
    assert start[28].all()
    assert not start[29].any()
    assert planes_of(shogi, "5i5h 5a5b 5h5i 5b5a " * 2)[29].all()


def test_connect_four_by_hand():
    x = planes_of(find_game("connect_four"), "x3 o3 x0")  # the second player is to move
    assert points(x[0]) == {(4, 3)}  # the row above the lowest; row 0 is the top
    assert points(x[1]) == {(5, 3), (5, 0)}
    assert not x[2].any()


def test_tic_tac_toe_by_hand():
    x = planes_of(find_game("tic_tac_toe"), "x(1,1) o(0,2)")
    assert points(x[0]) == {(1, 1)}
    assert points(x[1]) == {(0, 2)}
    assert x[2].all()


def test_a_batch_is_what_its_positions_are_one_by_one():
    chess = find_game("chess")
    seen = [chess.replayed(chess.start(text)) for text in ("", "e4", "e4 e5 Nf3")]
    whole = stack(chess.layout, seen)
    assert np.array_equal(
        whole, np.concatenate([stack(chess.layout, [position]) for position in seen])
    )


def test_a_key_is_the_same_where_the_planes_are():
    four, go = find_game("connect_four"), find_game("go", 9)
    moves, other = "x3 o3 x0 o0", "x0 o0 x3 o3"  # the same stones, in another order
    assert four.replayed(four.start(moves)).key() == four.replayed(four.start(other)).key()
    moves, other = "e5 c3 a9 a1", "a9 a1 e5 c3"  # as above, but the history is shown
    assert go.replayed(go.start(moves)).key() != go.replayed(go.start(other)).key()
    assert go.replayed(go.start("e5 PASS")).key() != go.replayed(go.start("e5")).key()
