"""Positions that are set up by hand, checked: OpenSpiel takes a board without kings."""

import re
from typing import Any

from flopledger.errors import FlopledgerError

_FEN = re.compile(r"(\S+) ([wb]) (-|K?Q?k?q?) (-|[a-h][36]) (\d+) (\d+)")
_SFEN = re.compile(r"(\S+) ([wb]) (-|(?:\d*[PLNSGBRplnsgbr])+) (\d+)")
_HOMES = {"K": (7, 4, "K", 7, "R"), "Q": (7, 4, "K", 0, "R")}
_HOMES |= {"k": (0, 4, "k", 7, "r"), "q": (0, 4, "k", 0, "r")}

Square = tuple[int, int]  # file and rank from 0, as OpenSpiel has them


class BadPosition(FlopledgerError, ValueError):
    """There is no such position, or it is not legal; the message says why."""


def check_fen(text: str) -> Square:
    """See that it is a FEN of chess with a king a side, and that its castling can be.

    Returns:
        The square of the king of the side that is not to move.

    Raises:
        BadPosition: it is none.
    """
    parts = _FEN.fullmatch(text)
    rows = _rows(parts[1], 8, "pnbrqk", "") if parts else None
    if parts is None or rows is None:
        raise BadPosition(
            f"chess: {text!r} is no FEN; its six parts are board, w or b, castling, en passant, "
            "plies without progress, number of the move"
        )
    _check_kings("chess", text, rows)
    if {"P", "p"} & {*rows[0], *rows[7]}:
        raise BadPosition(f"chess: {text!r} is not legal: a pawn stands on the first or last rank")
    for right in parts[3].replace("-", ""):
        row, file, king, corner, rook = _HOMES[right]
        if rows[row][file] != king or rows[row][corner] != rook:
            raise BadPosition(
                f"chess: {text!r} is not legal: castling {right} needs king and rook at home"
            )
    return _square(rows, "k" if parts[2] == "w" else "K")


def check_sfen(text: str) -> Square:
    """See that it is an SFEN of shogi with a king a side.

    Returns:
        The square of the king of the side that is not to move.

    Raises:
        BadPosition: it is none.
    """
    parts = _SFEN.fullmatch(text)
    rows = _rows(parts[1], 9, "plnsgbrk", "plnsbr") if parts else None
    if parts is None or rows is None:
        raise BadPosition(
            f"shogi: {text!r} is no SFEN; its four parts are board, b or w, hands, number of the "
            "move"
        )
    _check_kings("shogi", text, rows)
    return _square(rows, "k" if parts[2] == "b" else "K")


def _rows(board: str, side: int, pieces: str, promoted: str) -> list[list[str]] | None:
    """The letters on every square ("" for none), the top row first; None if it is no board."""
    letter = rf"\+[{promoted}{promoted.upper()}]|" if promoted else ""
    letter += rf"[{pieces}{pieces.upper()}]"
    rows = []
    for text in board.split("/"):
        if not re.fullmatch(rf"(?:{letter}|[1-{side}])+", text):
            return None
        row: list[str] = []
        for part in re.findall(rf"{letter}|\d", text):
            row += [""] * int(part) if part.isdigit() else [part]
        if len(row) != side:
            return None
        rows.append(row)
    return rows if len(rows) == side else None


def _check_kings(game: str, text: str, rows: list[list[str]]) -> None:
    for king in "Kk":
        count = sum(row.count(king) for row in rows)
        if count != 1:
            raise BadPosition(f"{game}: {text!r} is not legal: it has {count} {king}, and needs 1")


def _square(rows: list[list[str]], king: str) -> Square:
    row = next(number for number, pieces in enumerate(rows) if king in pieces)
    return rows[row].index(king), len(rows) - 1 - row


def reaches(state: Any, moves: Any, square: Square) -> bool:
    """Whether the side to move could move to the square; `moves` is pyspiel.chess or .shogi."""
    board = state.board()
    ends = [moves.action_to_move(action, board).to_square for action in state.legal_actions()]
    return any((end.x, end.y) == square for end in ends)
