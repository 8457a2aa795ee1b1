"""Lengths whose calls lie on one polynomial, and such as do not."""

from flopledger import meter
from torch import nn, zeros


def rows_of(net, lengths, calls=1):
    """A reading's rows of calls with so many rows of four."""
    with meter(net) as m:
        for length in lengths:
            for _ in range(calls):
                net(zeros(length, 4)).sum().backward()
    return m.read()


class Scores(nn.Module):
    """Every row meets every row, of the last 40 if there are more."""

    def __init__(self, most=10**9):
        super().__init__()
        self.weight, self.most = nn.Parameter(zeros(4)), most

    def forward(self, x):
        kept = (x * self.weight)[-self.most :]
        return kept @ kept.T


def test_the_law_of_lengths_is_of_their_square():
    lengths = [*range(5, 37, 2), *range(6, 36, 2)]
    reading = rows_of(Scores(), lengths)
    assert reading.by_signature()["watched"].tolist() == [1] * 16 + [0] * 15
    assert reading.totals.macs == sum(4 * n * n for n in lengths)


def test_lengths_that_follow_no_law_are_watched():
    lengths = range(30, 60)
    reading = rows_of(Scores(most=40), lengths)
    assert reading.totals.macs == sum(4 * min(n, 40) ** 2 for n in lengths)


def test_a_law_is_left_when_a_length_beyond_does_not_follow_it():
    lengths = [*range(5, 37), 80, *range(37, 80)]
    reading = rows_of(Scores(most=40), lengths)
    assert reading.totals.macs == sum(4 * min(n, 40) ** 2 for n in lengths)


def test_one_of_32_lengths_is_watched_though_a_law_tells_of_it():
    lengths = [5, 101, *range(6, 20), *range(20, 101)]
    watched = rows_of(nn.Linear(4, 5), lengths).by_signature()["watched"].tolist()
    assert watched == [1] * 16 + ([0] * 31 + [1]) * 2 + [0] * 17
