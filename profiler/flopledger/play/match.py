"""Matches: a network with its search against other settings of it, or against a fixed opponent."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from torch import nn

from flopledger.errors import FlopledgerError
from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory
from flopledger.play.games import Game
from flopledger.play.lockstep import AT_ONCE, lockstep
from flopledger.play.players import Player, Rollouts, Searching
from flopledger.play.score import Match, Score, Spent
from flopledger.play.search import Asking, Settings
from flopledger.play.tree import Node

_TRIES = 1000  # at an opening that does not end the game


class NoOpening(FlopledgerError, ValueError):
    """An opening of so many moves ends the game; the message says what to change."""


class Stopped(FlopledgerError):
    """A match was stopped; `flops` had gone into it, and the cause says by what."""

    exit_code = 1

    def __init__(self, flops: float) -> None:
        super().__init__(f"stopped after {flops:g} FLOPs")
        self.flops = flops


def between(
    game: Game,
    network: nn.Module,
    candidate: Settings,
    opponent: Settings,
    games: int,
    opening: int,
    seed: tuple[int, ...],
    on_game: Callable[[], None] = lambda: None,
    at_once: int = AT_ONCE,
) -> Match:
    """A match of two settings of the search with one network.

    Args:
        game: what is played.
        network: of both sides, in eval mode.
        candidate: one side's settings.
        opponent: the other's.
        games: how many, at least one.
        opening: moves that are drawn evenly from the legal ones before each two games, which begin
            alike, a game from either side: without them two sides that draw nothing would play one
            game again and again.
        seed: with a game's number it makes the game.
        on_game: called after each game.
        at_once: games under way, which are the positions of one pass.

    Raises:
        NoOpening: openings of that length end the game.
        Stopped: by an interrupt, or for want of memory.
    """

    def sides(index: int) -> tuple[Player, Player]:
        rng = np.random.default_rng((*seed, 1, index))
        return Searching(game, candidate, rng), Searching(game, opponent, rng)

    return _match(game, network, sides, games, opening, seed, on_game, at_once)


def against_rollouts(
    game: Game,
    network: nn.Module,
    settings: Settings,
    rollouts: int,
    games: int,
    opening: int,
    seed: tuple[int, ...],
    at_once: int = AT_ONCE,
) -> Match:
    """A match against OpenSpiel's MCTSBot, whose strength does not change, or against chance.

    Args:
        game: what is played.
        network: in eval mode.
        settings: of its search.
        rollouts: simulations of the bot a move, a random game each; with 0 it moves at random.
        games: how many, at least one.
        opening: as in `between`.
        seed: with a game's number it makes the game.
        at_once: games under way, which are the positions of one pass.

    Raises:
        NoOpening: openings of that length end the game.
        Stopped: by an interrupt, or for want of memory.
    """

    def sides(index: int) -> tuple[Player, Player]:
        rng = np.random.default_rng((*seed, 1, index))
        return Searching(game, settings, rng), Rollouts(game, rollouts, int(rng.integers(2**31)))

    return _match(game, network, sides, games, opening, seed, lambda: None, at_once)


def _match(
    game: Game,
    network: nn.Module,
    sides: Callable[[int], tuple[Player, Player]],
    games: int,
    opening: int,
    seed: tuple[int, ...],
    on_game: Callable[[], None],
    at_once: int,
) -> Match:
    begun: list[tuple[Player, Player]] = []
    results = []

    def begin() -> Iterator[Asking[float]]:
        for index in range(games):
            begun.append(sides(index))
            state = opened(game, opening, np.random.default_rng((*seed, 0, index // 2)))
            first = state.current_player()
            own = first if index % 2 == 0 else 1 - first
            yield _game(game, begun[-1], state, own, game.longest - opening)

    try:
        for result in lockstep(NetworkEvaluator(game, network), begin(), at_once):
            results.append(result)
            on_game()
    except (KeyboardInterrupt, OutOfMemory) as error:
        raise Stopped(sum(player.flops for both in begun for player in both)) from error
    return Match(score=_score(results), candidate=_spent(begun, 0), opponent=_spent(begun, 1))


def _game(
    game: Game, players: tuple[Player, Player], state: Any, own: int, moves: int
) -> Asking[float]:
    """The result of the first of the players, who moves as player `own`: 1, 0 or -1."""
    seen = game.replayed(state)
    for player in players:
        player.begin(Node(state.clone(), seen))
    for _ in range(moves):
        mover = players[0 if state.current_player() == own else 1]
        action = yield from mover.move()
        state.apply_action(action)
        if state.is_terminal():
            return float(state.returns()[own])
        for player in players:
            player.follow(action)
    return 0.0


def _spent(begun: list[tuple[Player, Player]], side: int) -> Spent:
    flops = [move for players in begun for move in players[side].spent]
    return Spent(moves=len(flops), flops=sum(flops), most=max(flops, default=0))


def opened(game: Game, opening: int, rng: np.random.Generator) -> Any:
    """OpenSpiel's state after so many random moves that do not end the game.

    Raises:
        NoOpening: none was found.
    """
    for _ in range(_TRIES):
        state = game.start()
        for _ in range(opening):
            if state.is_terminal():
                break
            state.apply_action(int(rng.choice(state.legal_actions())))
        if not state.is_terminal():
            return state
    raise NoOpening(f"{opening} moves of an opening end {game.name}; give a smaller --opening")


def _score(results: list[float]) -> Score:
    return Score(
        won=sum(result > 0 for result in results),
        drawn=sum(result == 0 for result in results),
        lost=sum(result < 0 for result in results),
    )
