"""Laws of padded windows, triangles and mixtures: what is named holds at further sizes too."""

from math import ceil

import pytest
from flopledger.sweeping.laws import fit, windows
from flopledger.sweeping.terms import Window
from hypothesis import given, settings
from hypothesis import strategies as st

COUNTS = st.integers(1, 10**6)
# sizes that tell widths apart: of no step, and many to a window
IRREGULAR = st.lists(st.integers(200, 1200), min_size=16, max_size=24, unique=True)


def wrong(law, figure):
    """Further sizes, up to twice those counted, that the law is named for and does not give."""
    top = 2 * max(*law.holds, *law.deviations)
    return [n for n in range(law.holds[0], top) if law.covers(n) and law.at(n) != figure(n)]


def test_attention_in_windows_of_64_tokens():
    def figure(tokens):
        return 100 * tokens + 5 * 64 * ceil(tokens / 64) + 7

    law = fit({t: figure(t) for t in (128, 160, 192, 193, 250, 257, 320, 321, 400, 512)})
    assert law.exact
    assert law.everywhere
    assert law.window == Window(64)
    assert law.coefficients == {1: 100, 0: 7}
    assert law.padded == {1: 5}
    assert law.at(1000) == figure(1000)


def test_an_image_padded_to_windows_of_7_by_7_and_its_places_in_a_row():
    sides = {n: 3 * n * n + 11 * (7 * ceil(n / 7)) ** 2 for n in range(20, 61, 4)}
    law = fit(sides, spans=2)
    assert (law.window, law.coefficients, law.padded) == (Window(7), {2: 3}, {2: 11})
    row = {n: 3 * n * n + 11 * 100 * ceil(n * n / 100) for n in range(20, 61, 3)}
    law = fit(row, spans=2)
    assert (law.window, law.coefficients, law.padded) == (Window(100, 2), {2: 3}, {1: 11})


@pytest.mark.parametrize(
    ("spans", "coefficients"),
    [
        (1, {3: 128, 2: 4, 1: 9, 0: 5}),  # triangle products of pairs made of a sequence
        (2, {3: 128, 2: 4, 0: 9}),  # of pairs that are the input: 3k/2; axial attention too
        (2, {4: 2, 3: 128, 2: 4, 0: 9}),
    ],
)
def test_triangles(spans, coefficients):
    sizes = (16, 32, 48, 80, 96, 128, 200)
    law = fit({n: sum(c * n**p for p, c in coefficients.items()) for n in sizes}, spans)
    assert law.exact
    assert law.everywhere
    assert law.coefficients == coefficients


def test_thirteen_sizes_are_no_step_of_240():
    # ceil(T / 64) at 128, 368, 608, 1088: 2, 6, 10, 17 windows, and no line goes through 848's
    sizes = [128, 200, 250, 368, 400, 470, 555, 608, 700, 777, 930, 1000, 1088]
    law = fit({t: 9 * t + 31 * ceil(t / 64) for t in sizes})
    assert law.window == Window(64)
    assert law.padded[1] == 31 / 64


def test_what_would_be_negative_at_a_counted_size_is_no_law():
    # at multiples of 10 it is 7 N - 300, which is less than nothing at 10 to 40
    figures = {n: 7 * n - 300 if n % 10 == 0 and n > 45 else n**3 % 101 for n in range(40, 101, 5)}
    law = fit(figures)
    assert not law.exact
    assert {n for n in figures if 7 * n < 300} == {40}


def test_four_sizes_of_many_take_no_law_of_three_coefficients():
    figures = {n: 3 * n * n + 2 * n + 1 if n % 8 == 0 else n**3 % 997 for n in range(8, 36)}
    assert sum(n % 8 == 0 for n in figures) == 4
    law = fit(figures)
    assert not law.exact


def test_widths_that_the_sizes_do_not_tell_apart_are_all_known():
    # ceil(T / 64) and ceil(T / 67) are alike at multiples of 32 up to 512
    figures = {t: 100 * t + 320 * ceil(t / 64) for t in range(128, 513, 32)}
    widths = [law.window.width for law in windows(figures)]
    assert widths[0] == 64  # whole steps of the sizes
    assert 67 in widths
    law = fit(figures)
    assert law.window is None
    assert not wrong(law, lambda t: 100 * t + 320 * ceil(t / 64))
    told = figures | {t: 100 * t + 320 * ceil(t / 64) for t in (256 + 1, 1024 + 1)}
    assert fit(told).window == Window(64)


@settings(max_examples=30)
@given(IRREGULAR, COUNTS, COUNTS, st.integers(4, 100))
def test_linear_in_windows(sizes, place, window, width):
    def figure(tokens):
        return place * tokens + window * ceil(tokens / width)

    law = fit({n: figure(n) for n in sizes})
    assert not law.exact or not wrong(law, figure)


@settings(max_examples=20)
@given(IRREGULAR, COUNTS, COUNTS, COUNTS, st.integers(4, 100), st.sampled_from([1, 2]))
def test_mixtures_of_triangles_squares_and_windows(sizes, cube, square, window, width, spans):
    def figure(n):
        return cube * n**3 + square * n**2 + window * (width * ceil(n / width)) ** spans

    law = fit({n: figure(n) for n in sizes}, spans)
    assert not law.exact or not wrong(law, figure)


@settings(max_examples=20)
@given(IRREGULAR, COUNTS, COUNTS, COUNTS)
def test_triangles_are_found_at_all_sizes(sizes, cube, square, constant):
    law = fit({n: cube * n**3 + square * n**2 + constant for n in sizes}, spans=2)
    assert law.everywhere
    assert law.coefficients == {3: cube, 2: square, 0: constant}
