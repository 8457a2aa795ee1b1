"""The trend, held against least squares by hand and a check made before it was written."""

import csv
from dataclasses import replace
from datetime import date
from math import log10, sqrt

import numpy as np
import pytest
from field_by_hand import system
from flopledger.field.published_systems import (
    OLDER,
    PRIMARY,
    newest,
    of_table,
    read_published,
    since,
)
from flopledger.field.trend import TooFew, fit
from flopledger.storage.facts import facts_folder

BEGIN = date(2012, 1, 1)


def by_hand(table):
    """Names, [1, years, log parameters] and log compute per parameter, from the file itself."""
    lines = facts_folder("systems.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    rows = [r for r in rows if r["table"] == table and r["published_on"] >= "2012-01-01"]
    days = [(date.fromisoformat(r["published_on"]) - BEGIN).days / 365.25 for r in rows]
    params = np.log10([float(r["params"]) for r in rows])
    orders = np.log10([float(r["flop"]) for r in rows]) - params
    return [r["name"] for r in rows], np.column_stack([np.ones(len(rows)), days, params]), orders


@pytest.fixture(scope="module")
def primary():
    """The primary trend."""
    return fit(PRIMARY, since(of_table(read_published(), PRIMARY), BEGIN))


def test_the_spread_is_that_of_least_squares_by_hand(primary):
    names, x, y = by_hand(PRIMARY)
    slopes, *_ = np.linalg.lstsq(x, y, rcond=None)
    off = y - x @ slopes
    assert [one.name for one in primary.systems] == names
    assert [c.value for c in primary.coefficients] == pytest.approx(slopes)
    assert primary.residuals == pytest.approx(off)
    assert primary.sd == pytest.approx(sqrt(off @ off / (len(y) - 3)))
    assert primary.pair_sd == pytest.approx(primary.sd * 2**0.5)


def test_the_figures_are_those_of_the_check_made_before(primary):
    assert len(primary.systems) == 392
    assert primary.accounting == "training"
    assert primary.sd == pytest.approx(1.197, abs=5e-4)
    assert primary.pair_sd == pytest.approx(1.692, abs=6e-4)
    assert primary.residual("AlexNet") == pytest.approx(0.47, abs=5e-3)
    assert primary.of_domain("Games").mean() == pytest.approx(1.67, abs=5e-3)
    # the run's parameters, with Epoch's compute by either accounting: gradient steps are like the
    # trend's own figures, all compute is not, and is only ever shown beside a word that says so
    for flop, sds in ((3.67e22, 3.5), (1.06e20, 1.35)):
        off = primary.off(date(2017, 12, 5), 22.8e6, flop / 22.8e6)
        assert off / primary.sd == pytest.approx(sds, abs=0.05)


def test_domains_and_the_other_table_move_it_as_the_check_said(primary):
    published = read_published()
    by_domain = fit("domains", primary.systems, by_domain=True)
    assert by_domain.sd == pytest.approx(1.09, abs=5e-3)
    assert sum(by_domain.of_domain("Vision")) != 0
    union = fit("both", since(newest(published), BEGIN))
    # the check had 792: a name that ends in a blank in one of the tables was two systems
    assert len(union.systems) == 791
    assert union.sd == pytest.approx(1.33, abs=5e-3)
    assert union.accounting is None
    assert fit("old", since(of_table(published, OLDER), BEGIN)).accounting == "all"


def test_each_left_out_is_off_the_trend_of_the_others(primary):
    names, x, y = by_hand(PRIMARY)
    for name in ("AlexNet", "GOAT", "GPT-3 175B (davinci)"):
        at = names.index(name)
        slopes, *_ = np.linalg.lstsq(np.delete(x, at, 0), np.delete(y, at), rcond=None)
        assert primary.left_out[at] == pytest.approx(y[at] - x[at] @ slopes)
    assert primary.left_out_sd == pytest.approx(np.sqrt(np.mean(np.square(primary.left_out))))


def test_the_spreads_interval_is_that_of_refitting_resampled_systems(primary):
    _, x, y = by_hand(PRIMARY)
    draw = np.random.default_rng(7)
    spreads = []
    for _ in range(500):
        chosen = draw.integers(0, len(y), len(y))
        slopes, *_ = np.linalg.lstsq(x[chosen], y[chosen], rcond=None)
        rest = y[chosen] - x[chosen] @ slopes
        spreads.append(sqrt(rest @ rest / (len(y) - 3)))
    assert primary.sd_interval == pytest.approx(np.percentile(spreads, (5, 95)), abs=0.015)


def test_the_coefficients_intervals_are_hc3s(primary):
    _, x, y = by_hand(PRIMARY)
    inverse = np.linalg.inv(x.T @ x)
    off = y - x @ inverse @ x.T @ y
    leverage = np.sum(x @ inverse * x, axis=1)
    meat = (x * (off / (1 - leverage))[:, None] ** 2).T @ x
    errors = np.sqrt(np.diag(inverse @ meat @ inverse))
    for coefficient, error in zip(primary.coefficients, errors, strict=True):
        low, high = coefficient.interval
        # statsmodels takes the normal's 95th percentile or Student's of 389, 0.2% further out
        assert (high - low) / 2 == pytest.approx(1.6449 * error, rel=4e-3)


def test_systems_on_a_plane_are_off_it_by_nothing_and_one_by_what_it_is():
    days = [date(2012 + n, 1, 1 + n) for n in range(8)]
    sizes = [10.0 ** (5 + n * n % 7) for n in range(8)]
    systems = [
        system(str(n), day, size, 2 + 0.5 * (day - BEGIN).days / 365.25 - 0.25 * log10(size))
        for n, (day, size) in enumerate(zip(days, sizes, strict=True))
    ]
    trend = fit("a plane", systems)
    assert trend.sd == pytest.approx(0, abs=1e-9)
    assert [c.value for c in trend.coefficients] == pytest.approx([2, 0.5, -0.25])
    # two orders above what the plane says of 2015 and a million parameters
    plane = 2 + 0.5 * (date(2015, 6, 1) - BEGIN).days / 365.25 - 0.25 * 6
    assert trend.off(date(2015, 6, 1), 1e6, 10 ** (plane + 2)) == pytest.approx(2)


def test_pairs_are_counted_by_domain():
    offs = {"a": (0.0, 1.0), "b": (3.0, -4.0)}
    trend = fit("any", [system(str(n), date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5), n % 5)
                        for n in range(8)])  # fmt: skip
    trend = type(trend)(**{
        **{name: getattr(trend, name) for name in trend.__dataclass_fields__},
        "systems": tuple(system(f"{d}{i}", domain=d) for d in offs for i in (0, 1)),
        "residuals": (*offs["a"], *offs["b"]),
    })  # fmt: skip
    # by hand: 0 and 1, 3 and -4 are of one domain, 1 and 7 apart; across 3, 4, 2 and 5
    assert trend.within == pytest.approx(sqrt((1 + 49) / 2))
    assert trend.across == pytest.approx(sqrt((9 + 16 + 4 + 25) / 4))
    assert trend.share_apart(3) == pytest.approx(4 / 6)
    assert trend.share_below(0.5) == 0.5


def test_of_pairs_that_are_not_there_nothing_is_known():
    one_domain = fit("one", [system(str(n), date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5), n % 5)
                             for n in range(8)])  # fmt: skip
    assert one_domain.across is None
    assert one_domain.within is not None


def test_a_download_of_all_that_there_is_needs_no_array_of_its_pairs():
    # 200,000 systems have 2e10 pairs; those of 0 and those of 1 order, half of each, are 1 apart
    n = 200_000
    trend = replace(
        fit("any", [system(str(n), date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5)) for n in range(8)]),
        residuals=(0.0, 1.0) * (n // 2),
    )
    assert trend.share_apart(1) == pytest.approx((n / 2) ** 2 / (n * (n - 1) / 2))


def test_a_system_that_is_a_domain_of_its_own_tells_the_other_coefficients_nothing():
    # warnings are errors: its residual and what HC3 divides that by are both 0
    some = [system(str(n), date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5), n % 5) for n in range(8)]
    alone = system("one", date(2015, 6, 1), 1e9, 9, domain="Its own")
    without, joined = fit("8", some), fit("9", [*some, alone], by_domain=True)
    for one, other in zip(without.coefficients[1:], joined.coefficients[1:], strict=True):
        assert other.value == pytest.approx(one.value)
        assert other.interval == pytest.approx(one.interval)
    assert len(joined.left_out) == 8


def test_too_few_systems_and_systems_that_are_alike_have_no_trend():
    with pytest.raises(TooFew, match=r"few: a trend takes 6 systems .* 2 are left; .* larger"):
        fit("few", [system("a"), system("b")])
    with pytest.raises(TooFew, match="alike: 9 systems differ too little in day and size"):
        fit("alike", [system(str(n)) for n in range(9)])
    with pytest.raises(TooFew, match=r"none: .* 0 are left"):
        fit("none", [])
