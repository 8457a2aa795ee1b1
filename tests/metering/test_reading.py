"""Readings whose every figure is worked out by hand."""

from math import isnan

import pytest
from flopledger.clock.published_peaks import Peak
from flopledger.metering.loggers import progress, tensorboard
from flopledger.metering.reading import Reading, Row, Unit


def row(**fields):
    """2 calls of 3 samples each; each of 7 MACs and 5 other FLOPs."""
    return Row(
        **{
            "module": "net",
            "inputs": (((3, 4), "float32"), ((3,), "int64")),
            "training": False,
            "grad": True,
            "inside": False,
            "calls": 2,
            "failed": 0,
            "samples": 6,
            "counts": ((7, 5), (7, 5)),
            "backwards": 0,
            "backward_macs": 0,
            "seconds": 0.5,
            "uncounted": (),
        }
        | fields
    )


def reading(*rows, seconds=2.0, peak=None, **units):
    return Reading(
        rows=dict(enumerate(rows)), units=units, seconds=seconds, peak=Peak(peak, "given")
    )


def test_totals_by_hand():
    first = row(failed=1, backwards=1, backward_macs=13)
    # watched twice: 10 and 20 MACs, 2 and 4 other FLOPs; 3 calls of 11 samples in all
    second = row(calls=3, samples=11, counts=((10, 2), (20, 4)), failed=2)
    inner = row(inside=True, calls=100, failed=100, samples=100)
    totals = reading(first, second, inner, peak=1000.0).totals
    assert totals.passes == 2 + 3
    assert totals.samples == 6 + 11
    assert totals.failed == 1 + 2
    assert totals.macs == 2 * 7 + 3 * 15
    assert totals.flops == 2 * 59
    assert totals.other_flops == 2 * 5 + 3 * 3
    assert totals.backward_passes == 1
    assert totals.backward_flops == 2 * 13
    assert totals.seconds == 2
    assert totals.flops_per_second == (118 + 26) / 2
    assert totals.mfu == 72 / 1000


def test_an_unknown_backward_and_an_unknown_peak_stay_unknown():
    totals = reading(row(backwards=1, backward_macs=None), row(backwards=2, backward_macs=3)).totals
    assert totals.backward_flops is totals.flops_per_second is totals.mfu is None
    # it is unknown, and none ran
    assert reading(row(backwards=0, backward_macs=None)).totals.backward_flops == 0


def test_no_time_gives_no_rate():
    assert reading(row(), seconds=0.0).totals.flops_per_second is None


def test_a_call_that_was_never_watched_is_not_free():
    totals = reading(row(counts=())).totals
    assert totals.macs is totals.flops is totals.other_flops is totals.flops_per_second is None
    # none returned, so there is nothing to know
    assert reading(row(counts=(), calls=0, samples=0), row()).totals.macs == 14


def test_the_table_by_hand():
    table = reading(
        row(), row(counts=((10, 2), (20, 4)), backwards=3, backward_macs=5, calls=4), row(counts=())
    ).by_signature()
    assert list(table["inputs"]) == ["3x4 float32, 3 int64"] * 3
    assert list(table["watched"]) == [2, 2, 0]
    assert list(table["varies"]) == [False, True, False]
    assert list(table["macs_per_call"][:2]) == [7, 15]
    assert list(table["macs_low"][:2]) == [7, 10]
    assert list(table["macs_high"][:2]) == [7, 20]
    assert table.loc[2, ["macs_per_call", "macs_low", "macs_high", "macs"]].isna().all()
    assert list(table["macs"][:2]) == [2 * 7, 4 * 15]
    assert list(table["other_flops"][:2]) == [2 * 5, 4 * 3]
    assert list(table["backward_passes"]) == [0, 3, 0]
    assert list(table["backward_macs"]) == [0, 15, 0]
    assert list(table["seconds"]) == [0.5] * 3
    unknown = row(backwards=1, backward_macs=None)
    assert isnan(reading(unknown).by_signature().loc[0, "backward_macs"])


def test_calls_that_cost_the_same_in_macs_alone_vary():
    assert row(counts=((7, 5), (7, 6))).varies
    assert not row(counts=((7, 5),)).varies
    assert not row(counts=()).varies


def test_units_by_hand():
    net, other = row(backwards=3, backward_macs=13), row(counts=((1, 2),))
    games = [
        Unit(seconds=0.25, work={0: (1, 0, 3), 1: (2, 0, 4)}),
        Unit(seconds=0.75, work={0: (3, 2, 9)}),
    ]
    one = reading(net, other, game=games)
    table = one.by_unit("game")
    assert table.to_dict("list") == {
        "passes": [3, 3],
        "samples": [7, 9],
        "macs": [7 + 2 * 1, 3 * 7],
        "flops": [18, 42],
        "other_flops": [5 + 2 * 2, 3 * 5],
        "backward_passes": [0, 2],
        "backward_flops": [0, 2 * 2 * 13],
        "seconds": [0.25, 0.75],
    }
    per = one.per_unit("game")
    assert list(per.columns) == ["mean", "std", "5%", "50%", "95%"]
    # of 9 and 21: the mean 15, 12 / sqrt(2) apart; quantiles lie between them in a line
    assert list(per.loc["macs"]) == pytest.approx([15, 12 / 2**0.5, 9.6, 15, 20.4])


def test_one_line_says_it_all():
    known = reading(row(backwards=1, backward_macs=13), peak=1000.0)
    assert str(known) == (
        "2 passes, 6 samples: 28 FLOPs and 26 backward in 2 s, 27 FLOP/s "
        "(2.7% of 1e-09 TFLOP/s (given))"
    )
    least = reading(row(uncounted=("mine::op",)))
    assert str(least) == (
        "2 passes, 6 samples: at least 28 FLOPs in 2 s, at least 14 FLOP/s (peak unknown)"
    )


class Writer:
    """What of tqdm's bars and of TensorBoard's writers is called."""

    def __init__(self):
        self.calls = []

    def set_postfix(self, **figures):
        self.calls.append(figures)

    def add_scalar(self, name, value, number):
        self.calls.append((name, value, number))


@pytest.mark.parametrize(
    ("figures", "rate"),
    [
        ({"flops": 10.0, "backward_flops": 20.0, "seconds": 0.5}, 60.0),
        ({"flops": 10.0, "backward_flops": 0.0, "seconds": 0.0}, None),
        ({"flops": 10.0, "seconds": 0.5}, None),
        ({"backward_flops": 10.0, "seconds": 0.5}, None),
    ],
)
def test_a_log_shows_the_rate_of_both_directions(figures, rate):
    bar, writer = Writer(), Writer()
    progress(bar)("game", 3, {**figures, "passes": 7.0})
    assert bar.calls == [{"passes": 7, "flops_per_second": "60" if rate else "unknown"}]
    tensorboard(writer)("game", 3, figures)
    assert writer.calls == [
        *((f"game/{name}", value, 3) for name, value in figures.items()),
        *([("game/flops_per_second", rate, 3)] if rate else []),
    ]
