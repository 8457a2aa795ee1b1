"""Laws, held against polynomials that are known and arithmetic written out."""

from fractions import Fraction

import pytest
from flopledger.sweeping.laws import NEAR, fewest, fit
from flopledger.sweeping.terms import forms
from hypothesis import given, settings
from hypothesis import strategies as st

COEFFICIENTS = st.integers(-(10**9), 10**12)
SIZES = st.lists(st.integers(1, 500), min_size=8, max_size=24, unique=True)


def strided(size: int) -> int:
    """MACs of three 3 x 3 convolutions of stride 2 with padding 1, then of a linear layer.

    A side of n comes out as floor((n - 1) / 2) + 1.
    """
    macs = 0
    for before, after in ((3, 8), (8, 16), (16, 32)):
        size = (size - 1) // 2 + 1
        macs += size * size * 9 * before * after
    return macs + 32 * 10


def test_a_strided_network_by_hand():
    # at multiples of 8 nothing is rounded: sides of n/2, n/4, n/8
    square = Fraction(9 * 3 * 8, 4) + Fraction(9 * 8 * 16, 16) + Fraction(9 * 16 * 32, 64)
    law = fit({size: strided(size) for size in (32, 40, 48, 56, 60, 61)}, spans=2)
    assert law.coefficients == {2: square, 0: 320}
    assert law.exact
    assert law.holds == (32, 40, 48, 56)
    assert list(law.deviations) == [60, 61]
    exact = float(square) * 61**2 + 320
    assert law.deviations[61] == pytest.approx((strided(61) - exact) / strided(61))
    assert law.worst == pytest.approx(max(map(abs, law.deviations.values())))


def test_a_law_of_a_few_multiples_is_told_apart_from_the_many_between():
    law = fit({size: strided(size) for size in range(32, 129)}, spans=2)
    assert law.exact
    assert law.holds == tuple(range(32, 129, 8))


def test_attention_is_quadratic_in_tokens_and_quartic_in_the_side_of_an_image():
    def attention(tokens):
        return 12 * 64**2 * tokens + 2 * 64 * tokens**2

    law = fit({t: attention(t) for t in (128, 256, 512, 1024)}, spans=1)
    assert law.coefficients == {2: 128, 1: 12 * 64**2}
    # (n / 16)^2 patches and a class token
    by_side = fit({n: attention((n // 16) ** 2 + 1) for n in range(128, 257, 16)}, spans=2)
    assert list(by_side.coefficients) == [4, 2, 0]
    assert by_side.everywhere


def test_a_window_of_attention_is_quadratic_up_to_it():
    def windowed(tokens):
        return 5 * tokens * min(tokens, 512) + 100 * tokens

    law = fit({t: windowed(t) for t in range(64, 705, 64)}, spans=1)
    assert law.coefficients == {2: 5, 1: 100}
    assert law.holds == tuple(range(64, 513, 64))
    assert list(law.deviations) == [576, 640, 704]


def test_borders_without_padding_are_linear():
    law = fit({n: (n - 2) ** 2 for n in (5, 6, 7, 9, 12)}, spans=2)
    assert law.coefficients == {2: 1, 1: -4, 0: 4}


def test_a_constant_is_no_law_of_two_that_happen_to_be_alike():
    law = fit({n: n // 16 * 1000 for n in range(20, 60)}, spans=1)
    assert law.coefficients != {0: 1000}
    assert fit(dict.fromkeys(range(20, 60), 7)).coefficients == {0: 7}


def test_too_few_sizes_are_no_law():
    assert fewest(1) == fewest(2) == 3
    assert fit({}) is None
    assert fit({128: 5}) is None
    assert fit({128: 5, 256: 9}) is None
    assert fit({128: 5, 256: 5}).coefficients == {0: 5}


def test_least_squares_of_the_relative_deviation_by_hand():
    # y = c x, weighted by 1 / y: c = sum(x / y) / sum((x / y)^2); here close to 3, and not exact
    figures = {100: 301, 200: 599, 400: 1201, 800: 2399}
    law = fit(figures, spans=1)
    assert not law.exact
    assert law.everywhere
    assert law.worst < NEAR
    assert float(law.at(400)) == pytest.approx(1200, rel=0.005)


def test_noise_follows_nothing_and_that_is_seen():
    law = fit({10: 3, 20: 900, 30: 7, 40: 2000, 50: 11}, spans=2)
    assert not law.exact
    assert not law.everywhere
    assert not law.stands  # three coefficients fit three of them: that is none
    assert law.worst > 0.5


@given(SIZES, st.integers(1, 3), st.data())
def test_a_polynomial_of_a_form_is_found_exactly(sizes, spans, data):
    form = data.draw(st.sampled_from(forms(spans)))
    coefficients = {power: data.draw(COEFFICIENTS) for power in form}
    law = fit({n: sum(c * n**p for p, c in coefficients.items()) for n in sizes}, spans)
    assert law.exact
    assert law.everywhere
    assert law.worst == 0
    assert law.coefficients == ({p: c for p, c in coefficients.items() if c} or {0: 0})
    assert law.holds == tuple(sorted(sizes))


@settings(max_examples=40)
@given(st.integers(1, 10**6), st.integers(0, 10**9), st.integers(0, 11), st.integers(1, 10**6))
def test_one_size_that_is_off_is_named(square, constant, place, by):
    sizes = [32 * i for i in range(4, 16)]
    figures = {n: square * n**2 + constant for n in sizes}
    figures[sizes[place]] += by
    law = fit(figures, spans=2)
    assert law.coefficients == ({2: square} | ({0: constant} if constant else {}))
    assert list(law.deviations) == [sizes[place]]
    assert law.deviations[sizes[place]] == pytest.approx(by / figures[sizes[place]])


@given(st.dictionaries(st.integers(1, 300), st.integers(0, 10**12), max_size=9), st.integers(1, 3))
def test_no_law_has_as_many_coefficients_as_sizes(figures, spans):
    law = fit(figures, spans)
    if law is None:
        assert len(figures) < fewest(spans)
        return
    assert len(law.coefficients) < len(figures)
    assert {*law.holds, *law.deviations} == set(figures)
    for size in law.holds:
        off = abs(figures[size] - law.at(size))
        assert off == 0 if law.exact else off <= NEAR * (figures[size] or 1)
