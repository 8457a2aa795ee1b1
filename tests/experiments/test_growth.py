"""The two forms: each is found where it holds."""

from math import log10

import pytest
from flopledger.experiments.growth import growth_of
from flopledger.experiments.trials import Row

NOISE = (0.95, 1.0, 1.06)


def rows(law, horizons=(1, 2, 4, 8, 16, 32, 64, 128), most=10**9):
    return [
        Row(
            task="coin", arm=f"h = {h}", horizon=h, settings="", seed=seed, purpose="measuring",
            target=0.5, budget=most, reached=law(h) * noise <= most,
            samples=min(round(law(h) * noise), most), flops_learning=1.0, flops_making=1.0,
            score=0.5, seconds=1.0,
        )
        for h in horizons
        for seed, noise in enumerate(NOISE)
    ]  # fmt: skip


def test_a_line_is_found_and_preferred():
    growth = growth_of(rows(lambda h: 20_000 + 500 * h), "samples")
    a, b = growth.line.parameters["a"], growth.line.parameters["b"]
    assert a.value == pytest.approx(20_000, rel=0.03)
    assert b.value == pytest.approx(500, rel=0.03)
    assert a.low < 20_000 < a.high
    assert b.low < 500 < b.high
    assert growth.better is growth.line
    assert growth.line.left_out < 0.02 < growth.power.left_out
    assert growth.line.at(128) == pytest.approx(84_000, rel=0.03)


def test_a_power_law_is_found_and_preferred():
    growth = growth_of(rows(lambda h: 3000 * h**0.5), "samples")
    c, d = growth.power.parameters["c"], growth.power.parameters["d"]
    assert c.value == pytest.approx(3000, rel=0.03)
    assert d.value == pytest.approx(0.5, abs=0.01)
    assert growth.better is growth.power
    assert growth.power.at(128) == pytest.approx(3000 * 128**0.5, rel=0.03)


def test_censored_trials_bend_nothing():
    growth = growth_of(rows(lambda h: 3000 * h**0.8, most=130_000), "samples")  # 145,000 at 128
    assert growth.power.parameters["d"].value == pytest.approx(0.8, abs=0.02)
    assert growth.line.left_out is None  # the last horizon has no mean


def test_two_horizons_are_too_few():
    assert growth_of(rows(lambda h: 1000 * h, horizons=(1, 2)), "samples") is None


def test_every_form_goes_through_what_it_was_fitted_to():
    growth = growth_of(rows(lambda h: 1000.0), "samples")  # no growth at all
    assert growth.power.parameters["d"].value == pytest.approx(0, abs=0.01)
    assert log10(growth.line.at(128) / growth.line.at(1)) == pytest.approx(0, abs=0.02)
