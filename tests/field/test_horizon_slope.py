"""The slope of what lies off the trend on the steps that share an outcome."""

from dataclasses import replace
from datetime import date
from math import log10

import numpy as np
import pytest
from field_by_hand import system
from flopledger.field.horizon_slope import slopes
from flopledger.field.published_systems import PRIMARY, of_table, read_published, since
from flopledger.field.trend import fit

BEGIN = date(2012, 1, 1)


def trend_of(steps_and_offs):
    """A trend whose systems have these steps and lie so far off."""
    base = fit("any", [system(str(n), date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5), n % 5)
                       for n in range(8)])  # fmt: skip
    systems = tuple(
        system(str(n), domain="Games" if steps else "", steps_per_outcome=steps)
        for n, (steps, _) in enumerate(steps_and_offs)
    )
    return replace(base, systems=systems, residuals=tuple(off for _, off in steps_and_offs))


def test_points_on_a_line_have_its_slope_and_no_interval():
    line = [(s, 0.25 + 0.5 * log10(s)) for s in (1, 1, 1, 10, 100, 1000)]
    found, _ = slopes(trend_of([*line, (None, 9.0)]))  # of unknown steps: not in it
    assert (found.systems, found.long) == (6, 3)
    for slope in (found.value, *found.interval, *found.robust, *found.left_out):
        assert slope == pytest.approx(0.5)


def test_few_long_systems_give_none():
    assert slopes(trend_of([(1, 0.0), (1, 0.5), (10, 1.0), (100, 2.0)])) == ()
    assert slopes(trend_of([(10, 0.0), (20, 0.5), (30, 1.0), (100, 2.0)])) == ()


def test_the_real_slope_is_least_squares_by_hand_and_its_intervals_hold_it():
    trend = fit(PRIMARY, since(of_table(read_published(), PRIMARY), BEGIN))
    known = [(log10(one.steps_per_outcome), off, one.domains)
             for one, off in zip(trend.systems, trend.residuals, strict=True)
             if one.steps_per_outcome]  # fmt: skip
    every, games = slopes(trend)
    for slope, rows in ((every, known), (games, [row for row in known if "Games" in row[2]])):
        steps, off = np.array([row[:2] for row in rows]).T
        assert slope.value == pytest.approx(np.polyfit(steps, off, 1)[0])
        assert slope.systems == len(rows)
        assert slope.long == (steps > 0).sum() == 6
        drawn = [np.polyfit(np.delete(steps, n), np.delete(off, n), 1)[0]
                 for n in np.flatnonzero(steps)]  # fmt: skip
        assert slope.left_out == pytest.approx((min(drawn), max(drawn)))
        for low, high in (slope.interval, slope.robust):
            assert low < slope.value < high
    # so few say less by themselves than beside 286 of one step
    assert games.robust[1] - games.robust[0] > every.robust[1] - every.robust[0]
