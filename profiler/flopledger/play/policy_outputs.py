"""Which output of a network's policy head stands for which of OpenSpiel's actions."""

import numpy as np
from numpy.typing import NDArray

# kinds of move of one piece, as AlphaZero's planes have them: 8 directions, clockwise from forward
DIRECTIONS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))  # (rows, files)
KNIGHT = ((2, 1), (1, 2), (-1, 2), (-2, 1), (-2, -1), (-1, -2), (1, -2), (2, -1))

CHESS_PLANES = 7 * 8 + 8 + 9
SHOGI_PLANES = 2 * (8 * 8 + 2) + 7

Outputs = NDArray[np.intp]  # [player to move, OpenSpiel's action] -> the policy's output


def as_they_are(actions: int) -> Outputs:
    """Go, connect four, tic-tac-toe: an action is the point (the pass is last) or the column."""
    return np.tile(np.arange(actions), (2, 1))


def hexagons(side: int) -> Outputs:
    """Hex: the point, with rows and columns exchanged for the second player."""
    points = np.arange(side * side)
    return np.stack((points, points.reshape(side, side).T.ravel()))


def chess() -> Outputs:
    """73 planes x 8 x 8 squares that a piece leaves, rows counted from the mover's side.

    56 planes of 8 directions x 7 distances, 8 of a knight, 9 of a promotion to rook, bishop or
    knight (straight on, to the right, to the left). A promotion to a queen is the pawn's plain
    move; castling is the king's move by two squares.
    """
    # OpenSpiel's 73 kinds of move in its order: promotions, then four lines from end to end
    lines = ((1, 0), (0, 1), (1, 1), (-1, 1))
    far = [way for way in range(-7, 8) if way]
    knight = ((-1, -2), (1, -2), (-2, -1), (2, -1), (-1, 2), (1, 2), (-2, 1), (2, 1))
    kinds = [7 * 8 + 8 + kind for kind in range(9)]
    kinds += [_along((line[0] * way, line[1] * way), 7) for line in lines for way in far]
    kinds += [7 * 8 + KNIGHT.index(step) for step in knight]
    table = np.empty(8 * 8 * 73 + 2, np.intp)
    for square in range(8 * 8):
        file, row = divmod(square, 8)
        for kind, plane in enumerate(kinds):
            table[square * 73 + kind] = plane * 64 + row * 8 + file
    king = 4  # the file of e1, and of e8 where the board is turned to Black
    table[-2:] = [_along((0, files), 7) * 64 + king for files in (-2, 2)]
    return np.tile(table, (2, 1))


def shogi() -> Outputs:
    """139 planes x 9 x 9 squares, the board turned to the mover.

    64 planes of 8 directions x 8 distances and 2 of a knight, at the square that a piece leaves;
    the same 66 again with promotion; 7 of drops, at the square where the piece is put.
    """
    table = np.zeros((2, 2 * 81 * 81 + 7 * 81), np.intp)
    squares = np.arange(81)
    for player, turned in enumerate((squares, squares[::-1])):
        for start in range(81):
            for end in range(81):
                plane = _step(turned[start], turned[end])
                if plane is not None:  # elsewhere no piece goes, and 0 stays
                    action = (start * 81 + end) * 2  # and 1 more with promotion
                    table[player, action] = plane * 81 + turned[start]
                    table[player, action + 1] = (66 + plane) * 81 + turned[start]
        for piece in range(7):
            drops = 2 * 81 * 81 + piece * 81
            table[player, drops : drops + 81] = (2 * 66 + piece) * 81 + turned
    return table


def _step(start: int, end: int) -> int | None:
    """The plane of a piece of shogi that goes there, without promotion; None if none can."""
    rows, files = int(end // 9 - start // 9), int(end % 9 - start % 9)
    if rows == 2 and abs(files) == 1:
        return 8 * 8 + (files < 0)
    distance = max(abs(rows), abs(files))
    straight = distance and abs(rows) in (0, distance) and abs(files) in (0, distance)
    return _along((rows, files), 8) if straight else None


def _along(step: tuple[int, int], longest: int) -> int:
    distance = max(abs(step[0]), abs(step[1]))
    direction = (step[0] // distance, step[1] // distance)
    return longest * DIRECTIONS.index(direction) + distance - 1
