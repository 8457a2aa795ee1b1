"""What an expression may ask of the trend of published systems."""

from datetime import date
from math import log10

import pytest
from flopledger.field.horizon_slope import slopes
from flopledger.field.look_up import usual_trends
from flopledger.statements.no_figure import NoFigure
from flopledger.statements.trend_figures import TREND_FUNCTIONS, TrendFigures

ALEXNET = (date(2012, 12, 3), 60_965_224.0)


@pytest.fixture
def told():
    """The figures, of a ledger that has AlexNet, and what they said that they rest on."""
    rests = []
    return TrendFigures({"alexnet": ALEXNET}.get, lambda kind, source: rests.append(kind)), rests


@pytest.mark.parametrize(("accounting", "table"), [("training", 0), ("all", 1)])
def test_each_accounting_has_the_trend_of_its_own_figures(told, accounting, table):
    figures, rests = told
    trend = usual_trends()[table]
    assert trend.accounting == accounting
    level, year, size = (one.value for one in trend.coefficients)
    years = (ALEXNET[0] - date(2012, 1, 1)).days / 365.25
    by_hand = level + year * years + size * log10(ALEXNET[1])
    assert log10(figures.trend("alexnet", accounting)) == pytest.approx(by_hand)
    assert figures.spread(accounting) == trend.sd
    assert figures.pair_spread(accounting) == pytest.approx(trend.sd * 2**0.5)
    assert figures.pair_spread(accounting, "two domains") == trend.across
    assert figures.pair_spread(accounting, "one domain") == trend.within
    assert set(rests) == {"cited", "derived"}


def test_the_check_made_before_is_what_claims_are_decided_by(told):
    figures, _ = told
    assert figures.spread("training") == pytest.approx(1.197, abs=5e-4)
    assert figures.pair_spread("training") == pytest.approx(1.692, abs=6e-4)


def test_a_slopes_ends_are_those_of_its_wider_interval(told):
    figures, rests = told
    low, value, high = (figures.horizon_slope("training", "games alone", end)
                        for end in ("low", "value", "high"))  # fmt: skip
    assert low < value < high
    assert value == figures.horizon_slope("training", "games alone")
    # of its two intervals the wider end of each
    slope = {one.name: one for one in slopes(usual_trends()[0])}["games alone"]
    assert low == min(slope.interval[0], slope.robust[0])
    assert high == max(slope.interval[1], slope.robust[1])
    assert slope.interval[0] != slope.robust[0]
    assert high - low > figures.horizon_slope("training", "any domain", "high") - (
        figures.horizon_slope("training", "any domain", "low")
    )
    assert "assumed" in rests


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("spread", ("some",), "no accounting is called 'some'; say all or training"),
        ("pair_spread", ("all", "three"), "no pairs are called 'three'; say any, one domain, two"),
        ("horizon_slope", ("all", "Go"), "no slope is of 'Go'; say any domain, games alone"),
        ("horizon_slope", ("all", "any domain", "middle"), "has no 'middle'; say value, low, high"),
    ],
)
def test_what_there_is_not_is_said(told, name, words, said):
    assert name in TREND_FUNCTIONS
    with pytest.raises(NoFigure, match=said):
        getattr(told[0], name)(*words)
