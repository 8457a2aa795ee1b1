"""Many games at once: each waits for the evaluation of one position, and all share a pass.

A game's search is what it would be alone: it never has two positions under way.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from flopledger.play.evaluator import Evaluator
from flopledger.play.search import Asking
from flopledger.play.tree import Node

T = TypeVar("T")

AT_ONCE = 32  # games; passes of a small network are no quicker a position with more


def lockstep(evaluator: Evaluator, games: Iterable[Asking[T]], at_once: int) -> Iterator[T]:
    """Play the games, so many at once, and give what each comes to as it ends.

    Args:
        evaluator: of all games' positions.
        games: each yields the positions that it wants evaluated, one at a time; a new one is begun
            when there is room.
        at_once: games under way, at least 1.
    """
    waiting = iter(games)
    playing: list[tuple[Asking[T], Node]] = []
    more = True
    while True:
        while more and len(playing) < at_once:
            begun = next(waiting, None)
            if begun is None:
                more = False
                break
            try:
                playing.append((begun, next(begun)))
            except StopIteration as end:
                yield end.value
        if not playing:
            return
        answers = evaluator.evaluate([node for _, node in playing])
        asked, playing = playing, []
        for (game, _), answer in zip(asked, answers, strict=True):
            try:
                playing.append((game, game.send(answer)))
            except StopIteration as end:
                yield end.value
