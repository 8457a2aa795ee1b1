"""Laws in words: where they hold, and where they stop."""

import pytest
from flopledger.reports.sweep_laws import findings, sentences
from flopledger.sweeping.rows import Row


def sentence_of(figures, spans=2):
    rows = [
        Row(model="net", sizes={"N": n}, samples=1, flops=flops, trainable_params=0, activations=0)
        for n, flops in figures.items()
    ]
    return next(line for line in sentences(findings(rows, {"N": spans})) if "FLOPs" in line)


SIZES = range(32, 257, 32)


@pytest.mark.parametrize(
    ("figures", "spans", "line"),
    [
        ({n: 4 * n * n + 8000 for n in SIZES}, 2, "= 4 N^2 + 8k, exactly, at all 8 sizes"),
        ({n: 4 * n * n - 12 * n for n in SIZES}, 2, "= 4 N^2 - 12 N, exactly, at all 8 sizes"),
        (dict.fromkeys(SIZES, 5000), 2, "= 5k, exactly, at all 8 sizes"),
        (
            {n: 4 * n * n + (100 if n % 32 else 0) for n in range(32, 161, 16)},
            2,
            "= 4 N^2, exactly, at multiples of 32 (5 of 9 sizes); "
            "off at N=48 (+1.1%), 80 (+0.39%), 112 (+0.2%), 144 (+0.12%)",
        ),
        (
            {n: 4 * n * n + (0 if n % 4 == 3 else n % 7 + 1) for n in range(40, 80)},
            2,
            "= 4 N^2, exactly, where N mod 4 = 3 (10 of 40 sizes); "
            "off at N=40 (+0.094%), 41 (+0.1%), 42 (+0.014%), 44 (+0.039%) and 26 more, "
            "the most at N=41 (+0.1%)",
        ),
        (
            {n: 4 * n if n < 200 else n for n in SIZES},
            1,
            "= 4 N, exactly, up to N=192 (6 of 8 sizes); off at N=224 (-300%), 256 (-300%)",
        ),
        (
            {n: 4 * n if n > 70 else n for n in SIZES},
            1,
            "= 4 N, exactly, from N=96 on (6 of 8 sizes); off at N=32 (-300%), 64 (-300%)",
        ),
    ],
)
def test_where_a_law_holds(figures, spans, line):
    assert sentence_of(figures, spans) == f"net: FLOPs {line}"


def test_least_squares_say_so():
    line = sentence_of({n: 1000 * n + n**3 % 5 for n in range(50, 60)}, spans=1)
    assert "at all 10 sizes (least squares)" in line
    assert "exactly" not in line
    line = sentence_of({10: 3, 20: 900, 30: 7, 40: 2000, 50: 11})
    assert line.startswith("net: FLOPs follow no law that is tried; the nearest, ")
