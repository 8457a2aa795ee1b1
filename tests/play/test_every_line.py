"""Every line of tic-tac-toe: how many there are, and how a player who sees them fares."""

from flopledger.play.every_line import every_line
from flopledger.play.games import find_game
from flopledger.play.networks import tower
from flopledger.play.search import Settings

GAME = find_game("tic_tac_toe")
NET = tower(GAME, 1, 4, seed=0)


def lines(player, own):
    """By recursion: a line for each answer, one move of the player's own in each position."""

    def go(state):
        if state.is_terminal():
            return [state.returns()[player]]
        legal = state.legal_actions()
        if state.current_player() == player:
            legal = [own(state)]
        return [end for action in legal for end in go(state.child(action))]

    return go(GAME.start())


def test_the_first_legal_move_in_every_line(monkeypatch):
    monkeypatch.setattr("flopledger.play.every_line.draw", lambda root, temperature, rng: 0)
    ends = [end for player in (0, 1) for end in lines(player, lambda s: s.legal_actions()[0])]
    found = every_line(GAME, NET, Settings(simulations=0, noise=0))
    assert (found.won, found.drawn, found.lost) == tuple(ends.count(end) for end in (1, 0, -1))
