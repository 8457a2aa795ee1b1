"""Matches: a network with its search against a random player, or against other settings."""

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from flopledger.errors import FlopledgerError
from flopledger.metering.module_meter import Meter, meter
from flopledger.metering.reading import Reading
from flopledger.play.evaluator import NetworkEvaluator, OutOfMemory
from flopledger.play.games import Game
from flopledger.play.score import Match, Score, Spent
from flopledger.play.search import Search, Settings, draw
from flopledger.play.tree import Node

_TRIES = 1000  # at an opening that does not end the game
_SIDES = ("candidate", "opponent")


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
) -> Match:
    """A match of two settings of the search with one network; each begins every other game.

    Args:
        game: what is played.
        network: of both sides, in eval mode.
        candidate: one side's settings.
        opponent: the other's.
        games: how many, at least one.
        opening: moves that are drawn evenly from the legal ones before each game, for each anew:
            without them two sides that draw nothing would play one game again and again.
        seed: with a game's number it makes the game.
        on_game: called after each game.

    Raises:
        NoOpening: openings of that length end the game.
        Stopped: by an interrupt, or for want of memory.
    """
    evaluator, results = NetworkEvaluator(game, network), []
    searches: tuple[Search, ...] = ()
    with meter({"network": network}) as metered:
        try:
            for index in range(games):
                rng = np.random.default_rng((*seed, index))
                searches = tuple(
                    Search(game, evaluator, settings, rng) for settings in (candidate, opponent)
                )
                results.append(
                    _game(game, searches, (candidate, opponent), opening, index, rng, metered)
                )
                on_game()
        except (KeyboardInterrupt, OutOfMemory) as error:
            made = results or any(search.tally.made for search in searches)
            flops = metered.read().totals.known("flops") if made else 0.0
            raise Stopped(flops) from error
    reading = metered.read()
    own, other = (_spent(reading, side) for side in _SIDES)
    return Match(score=_score(results), candidate=own, opponent=other)


def _game(
    game: Game,
    searches: tuple[Search, ...],
    settings: tuple[Settings, ...],
    opening: int,
    index: int,
    rng: np.random.Generator,
    metered: Meter,
) -> float:
    """The candidate's result: 1, 0 or -1."""
    state = opened(game, opening, rng)
    own = state.current_player() if index % 2 == 0 else 1 - state.current_player()
    seen = game.replayed(state)
    for search in searches:
        search.begin(Node(state.clone(), seen))
    for _ in range(game.longest - opening):
        side = 0 if state.current_player() == own else 1
        with metered.unit(_SIDES[side]):
            root = searches[side].run()
        action = root.actions[draw(root, settings[side].temperature, rng)]
        state.apply_action(action)
        if state.is_terminal():
            return float(state.returns()[own])
        for search in searches:
            search.follow(action)
    return 0.0


def _spent(reading: Reading, side: str) -> Spent:
    if side not in reading.units:  # a single game may end with its first move
        return Spent(moves=0, flops=0, most=0)
    reading.totals.known("flops")
    flops = reading.by_unit(side)["flops"]
    return Spent(moves=len(flops), flops=float(flops.sum()), most=float(flops.max()))


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


def against_random(
    game: Game, network: nn.Module, simulations: int, games: int, seed: int
) -> Score:
    """Games in which the network begins every other one.

    It plays the most visited move, without noise; with 0 simulations, its policy's likeliest one.
    """
    return _score([_result(game, network, simulations, seed, index) for index in range(games)])


def _result(game: Game, network: nn.Module, simulations: int, seed: int, index: int) -> float:
    rng = np.random.default_rng((seed, index, 2))
    evaluator = NetworkEvaluator(game, network)
    settings = Settings(simulations=max(simulations, 1), noise=0)
    state = game.start()
    seen = game.seen(state)
    own = state.current_player() if index % 2 == 0 else 1 - state.current_player()
    for _ in range(game.longest):
        if state.current_player() != own:
            action = int(rng.choice(state.legal_actions()))
        else:
            search = Search(game, evaluator, settings, rng)
            root = Node(state.clone(), seen)
            if simulations:
                search.begin(root)
                search.run()
                action = root.actions[int(root.visits.argmax())]
            else:
                ((prior, _),) = evaluator.evaluate([root])
                action = state.legal_actions()[int(prior.argmax())]
        state.apply_action(action)
        if state.is_terminal():
            return float(state.returns()[own])
        seen = game.seen(state, seen.frames)
    return 0.0
