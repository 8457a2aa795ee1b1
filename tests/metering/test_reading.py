"""Readings whose every figure is worked out by hand."""

from math import isnan

import pytest
from flopledger.clock.published_peaks import Peak
from flopledger.metering.loggers import progress, tensorboard
from flopledger.metering.reading import Reading, Row
from flopledger.metering.tally import Tally


def row(**fields):
    """2 calls of 3 samples each; each of 7 MACs and 5 other FLOPs."""
    return Row(
        **{
            "module": "net",
            "inputs": (((3, 4), "float32"), ((3,), "int64")),
            "training": False,
            "grad": True,
            "inside": False,
            "recomputes": False,
            "calls": 2,
            "failed": 0,
            "samples": 6,
            "macs": 14,
            "other_flops": 10,
            "macs_low": 7,
            "macs_high": 7,
            "varies": False,
            "watched": 2,
            "backwards": 0,
            "backward_macs": 0,
            "recomputed_macs": 0,
            "seconds": 0.5,
            "uncounted": (),
        }
        | fields
    )


def reading(*rows, total=None, seconds=2.0, peak=None, **units):
    total = total or Tally(passes=2, samples=6, untold=2, macs=14, other_flops=10)
    return Reading(
        rows=dict(enumerate(rows)), units=units, total=total, seconds=seconds,
        peak=Peak(peak, "given"),
    )  # fmt: skip


def test_totals_by_hand():
    total = Tally(
        passes=5, samples=17, tokens=100, padding=30, failed=3, macs=59, other_flops=19,
        backward_passes=1, backward_macs=13, recomputed_macs=14,
    )  # fmt: skip
    totals = reading(row(), total=total, peak=1000.0).totals
    assert (totals.passes, totals.samples, totals.failed) == (5, 17, 3)
    assert (totals.tokens, totals.real_tokens) == (100, 70)
    assert (totals.macs, totals.flops, totals.other_flops) == (59, 2 * 59, 19)
    assert (totals.backward_passes, totals.backward_flops) == (1, 2 * 13)
    assert totals.model_flops == 118 + 26
    assert totals.recomputed_flops == 28
    assert totals.seconds == 2
    assert totals.flops_per_second == (118 + 26) / 2
    assert totals.mfu == 72 / 1000
    assert totals.hfu == (118 + 26 + 28) / 2 / 1000  # what is computed again is no model's work


def test_an_unknown_backward_and_an_unknown_peak_stay_unknown():
    totals = reading(total=Tally(macs=7, backward_passes=3, unknown_backwards=1)).totals
    assert totals.backward_flops is totals.recomputed_flops is totals.model_flops is None
    assert totals.flops_per_second is totals.mfu is totals.hfu is None
    assert totals.flops == 14


def test_no_time_gives_no_rate():
    assert reading(row(), seconds=0.0).totals.flops_per_second is None


def test_a_call_that_was_never_watched_is_not_free():
    totals = reading(total=Tally(passes=2, unwatched=1, macs=7)).totals
    assert totals.macs is totals.flops is totals.other_flops is totals.flops_per_second is None


def test_the_table_by_hand():
    table = reading(
        row(),
        row(macs=60, other_flops=12, macs_low=10, macs_high=20, varies=True, backwards=3,
            backward_macs=15, calls=4),
        row(macs=None, other_flops=None, macs_low=None, macs_high=None, watched=0),
    ).by_signature()  # fmt: skip
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


def test_units_by_hand():
    games = {
        "passes": [3, 3], "samples": [7, 9], "tokens": [0, 8], "untold": [1, 0], "macs": [9, 21],
        "other_flops": [9, 15], "backward_passes": [0, 2], "backward_macs": [0, 26],
        "unknown_backwards": [0, 1], "recomputed_macs": [0, 0], "seconds": [0.25, 0.75],
    }  # fmt: skip
    read = reading(row(), game=games)
    table = read.by_unit("game")
    assert table.drop(
        columns=["tokens", "backward_flops", "recomputed_flops", "model_flops"]
    ).to_dict("list") == {
        "passes": [3, 3],
        "samples": [7, 9],
        "macs": [9, 21],
        "flops": [18, 42],
        "other_flops": [9, 15],
        "backward_passes": [0, 2],
        "seconds": [0.25, 0.75],
    }
    assert (table["tokens"][1], table["backward_flops"][0], table["model_flops"][0]) == (8, 0, 18)
    unknown = table[["tokens", "backward_flops", "model_flops"]].isna()
    assert unknown.values.tolist() == [[True, False, False], [False, True, True]]
    per = read.per_unit("game")
    assert list(per.columns) == ["mean", "std", "5%", "50%", "95%"]
    # of 9 and 21: the mean 15, 12 / sqrt(2) apart; quantiles lie between them in a line
    assert list(per.loc["macs"]) == pytest.approx([15, 12 / 2**0.5, 9.6, 15, 20.4])


def test_one_line_says_it_all():
    total = Tally(passes=2, samples=6, macs=14, backward_passes=1, backward_macs=13)
    assert str(reading(row(), total=total, peak=1000.0)) == (
        "2 passes, 6 samples: 28 FLOPs and 26 backward in 2 s, 27 FLOP/s "
        "(2.7% of 1e-09 TFLOP/s (given))"
    )
    least = reading(row(uncounted=("mine::op",)))
    assert str(least) == (
        "2 passes, 6 samples: at least 28 FLOPs in 2 s, at least 14 FLOP/s (peak unknown)"
    )
    again = reading(total=Tally(passes=2, samples=6, macs=14, recomputed_macs=7))
    assert str(again).startswith("2 passes, 6 samples: 28 FLOPs and 14 again in 2 s, 14 FLOP/s")


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
