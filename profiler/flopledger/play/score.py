"""What a match came to: games won, drawn and lost, and each side's FLOPs."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from flopledger.play.statistics import CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Score:
    """Games, from the network's view."""

    won: int
    drawn: int
    lost: int

    @property
    def games(self) -> int:
        """All of them."""
        return self.won + self.drawn + self.lost

    @property
    def win_rate(self) -> float:
        """Wins and half the draws, as a share of the games."""
        return (self.won + self.drawn / 2) / self.games

    @property
    def interval(self) -> tuple[float, float]:
        """The 90% interval of the win rate: Wilson's.

        It takes a game's variance for p (1 - p), which a draw makes smaller: with draws the
        interval is wider than it need be.
        """
        z, n, p = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), self.games, self.win_rate
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        # at 0 and 1 rounding would lead out of the shares
        return max(0.0, middle - reach) if p else 0.0, min(1.0, middle + reach) if p < 1 else 1.0


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one side's searches took, as metered.

    Attributes:
        moves: searched.
        flops: the network's forward FLOPs.
        most: FLOPs of the costliest move.
    """

    moves: int
    flops: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Match:
    """Games of two settings, the score from the candidate's view."""

    score: Score
    candidate: Spent
    opponent: Spent

    @property
    def flops(self) -> float:
        """Of both sides."""
        return self.candidate.flops + self.opponent.flops
