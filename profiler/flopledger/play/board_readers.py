"""OpenSpiel's states, read: what of them AlphaZero's networks are shown."""

import re
import struct
from typing import Any

import numpy as np

from flopledger.play.planes import Layout

LONGEST = 512  # moves; AlphaZero's pseudocode ends chess and shogi there, as a draw

_CHESS_DIGITS = {ord("/"): None, **{ord(str(n)): "." * n for n in range(1, 9)}}
_SHOGI_DIGITS = {ord("/"): None, **{ord(str(n)): "." * n for n in range(1, 10)}}
_PROMOTED = dict(zip("plnsbrPLNSBR", "qmotcuQMOTCU", strict=True))  # a letter each
_HELD = "PLNSGBR"
# no paper gives a scale for a plane that holds a count: each is a share of the most there can be
_MOST_HELD = (18, 4, 4, 4, 4, 2, 2)
_NO_PROGRESS = 100  # plies; chess is drawn then


def board_layout(rows: int, columns: int, line: int) -> Layout:
    """Connect four and tic-tac-toe: three planes, for these rules never look back.

    `line` is the letters of a printed row, its end included; the first one is the board's top.
    """
    points = np.arange(rows * columns)
    turned = points // columns * line + points % columns
    return Layout(
        rows=rows,
        columns=columns,
        history=1,
        letters=rows * line,
        pieces=("x", "o"),
        turned=np.tile(turned, (2, 1)),
    )


def read_board(state: Any) -> tuple[bytes, bytes]:
    """The printed board, and whether the first player is to move."""
    return str(state).encode() + b"\1", _colour(state.current_player() == 0)


def hex_layout(side: int) -> Layout:
    """Hex: three planes, turned so that the mover joins the top with the bottom."""
    points = np.arange(side * side)
    return Layout(
        rows=side,
        columns=side,
        history=1,
        letters=side * side,
        pieces=("x", "o"),
        turned=np.stack((points, points.reshape(side, side).T.ravel())),
    )


def read_hex(state: Any) -> tuple[bytes, bytes]:
    """The stones row by row, and whether the first player is to move."""
    stones = str(state).replace(" ", "").replace("\n", "")
    return stones.encode() + b"\1", _colour(state.current_player() == 0)


def go_layout(side: int) -> Layout:
    """17 planes: 8 positions' own and other's stones, and 1 where Black is to move."""
    points = np.arange(side * side)
    # the last row is printed first, and each begins with its number
    turned = (side - 1 - points // side) * (side + 4) + 3 + points % side
    return Layout(
        rows=side,
        columns=side,
        history=8,
        letters=side * (side + 4),
        pieces=("X", "O"),
        turned=np.tile(turned, (2, 1)),
    )


def read_go(state: Any) -> tuple[bytes, bytes]:
    """The printed board, without the line above it, and whether Black is to move."""
    text = str(state)
    begin = text.index("\n\n") + 2
    end = text.rindex("\n   ", begin) + 1
    return text[begin:end].encode() + b"\1", _colour(state.current_player() == 0)


def chess_layout() -> Layout:
    """119 planes: 8 positions' 6 + 6 kinds of piece and 2 repetitions; 7 of the state.

    Those are whether White is to move, the moves so far, castling on the king's and on the queen's
    side, first one's own and then the other's, and the plies without progress.
    """
    points = np.arange(64)
    rows, files = points // 8, points % 8
    white, black = (7 - rows) * 8 + files, rows * 8 + files
    return Layout(
        rows=8,
        columns=8,
        history=8,
        letters=64,
        pieces=("pnbrqk", "PNBRQK"),  # OpenSpiel's player 0 is Black
        turned=np.stack((black, white)),
        repetitions=2,
        state=7,
    )


def read_chess(state: Any) -> tuple[bytes, bytes]:
    """The FEN's board, how often it has occurred, and what else the planes say."""
    board, turn, castling, _, plies, _ = str(state).split(" ")
    often = state.num_repetitions(state)
    sides = "KQkq" if turn == "w" else "kqKQ"
    numbers = struct.pack(
        "7f",
        turn == "w",
        state.move_number() / LONGEST,
        *(side in castling for side in sides),
        int(plies) / _NO_PROGRESS,
    )
    return board.translate(_CHESS_DIGITS).encode() + bytes((often,)), numbers


def shogi_layout() -> Layout:
    """362 planes: 8 positions' 14 + 14 kinds of piece, 3 repetitions, 7 + 7 prisoners; 2 of state.

    Those are whether Black, who begins, is to move, and the moves so far.
    """
    points = np.arange(81)
    black = (8 - points // 9) * 9 + points % 9
    pieces = "plnsgbrk" + "".join(_PROMOTED[piece] for piece in "plnsbr")
    return Layout(
        rows=9,
        columns=9,
        history=8,
        letters=81,
        pieces=(pieces.upper(), pieces),  # OpenSpiel's player 0 is Black
        turned=np.stack((black, 80 - black)),
        repetitions=3,
        prisoners=_MOST_HELD,
        state=2,
    )


def read_shogi(state: Any) -> tuple[bytes, bytes]:
    """The SFEN's board and hands, how often it has occurred, and what else the planes say."""
    board, turn, hands, _ = str(state).split(" ")
    if "+" in board:
        board = re.sub(r"\+(.)", lambda piece: _PROMOTED[piece[1]], board)
    held = [0] * 14
    if hands != "-":
        for count, letter in re.findall(r"(\d*)([A-Za-z])", hands):
            player = letter.islower()
            held[7 * player + _HELD.index(letter.upper())] = int(count or 1)
    counts = bytes((state.num_repetitions(state), *held))
    numbers = struct.pack("2f", turn == "b", state.move_number() / LONGEST)
    return board.translate(_SHOGI_DIGITS).encode() + counts, numbers


def _colour(first: bool) -> bytes:
    return struct.pack("f", first)
