"""Elo: win rates as differences of rating, and back."""

from math import inf, log10

from flopledger.errors import WrongOption


def elo_of(win_rate: float) -> float:
    """The difference of rating at which a player is expected to score this: 400 log10(p / (1 - p)).

    >>> round(elo_of(0.665))
    119

    Args:
        win_rate: wins and half the draws, as a share of the games.

    Returns:
        Points of Elo; minus and plus infinity for 0 and 1.

    Raises:
        ValueError: it is no share.
    """
    if not 0 <= win_rate <= 1:
        raise WrongOption(f"a win rate of {win_rate} is none; give a share, 0 to 1")
    if win_rate in (0, 1):
        return inf if win_rate else -inf
    return 400 * log10(win_rate / (1 - win_rate))


def win_rate_of(elo: float) -> float:
    """The score that is expected of a player who is rated so much higher: 1 / (1 + 10^(-d / 400)).

    >>> win_rate_of(0)
    0.5

    Args:
        elo: the difference of rating in points, plus or minus infinity among them.

    Returns:
        Wins and half the draws, as a share of the games.
    """
    odds: float = 10 ** (-abs(elo) / 400)  # the other sign would overflow
    return 1 / (1 + odds) if elo >= 0 else odds / (1 + odds)
