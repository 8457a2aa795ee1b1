"""The chapter's part on games says what the trials say, by hand."""

from dataclasses import replace

import pytest
from flopledger.experiments.horizon_result import Horizon
from flopledger.experiments.trials import Row
from flopledger.reports.report import captions
from flopledger.reports.report import games_of_horizon as games


def hex_of(side, **flops):
    """Two trials an arm, alike: samples a tenth of the FLOP."""
    rows = [
        Row(
            task=f"hex-{side}", arm=arm, horizon=None, settings="", seed=seed, purpose="measuring",
            target=0.75, budget=10**6, reached=True, samples=int(each / 10),
            flops_learning=each / 2, flops_making=each / 2, score=0.75, seconds=1.0,
        )
        for arm, each in flops.items()
        for seed in (3, 4)
    ]  # fmt: skip
    return Horizon(
        task=f"hex-{side}", title="", target=0.75, budget=10**6, arms=tuple(flops), rows=rows
    )


HORIZONS = {
    "hex-3": hex_of(3, search=1e4, gradient=1e5, imitation=1e3),
    "hex-5": hex_of(5, search=16e4, gradient=4e5, imitation=1e3),
}


def test_the_orders_by_hand():
    told, dear, boards = games.paragraphs(HORIZONS)
    assert "hex-3 +1.00 (+1.00 to +1.00) of samples and +1.00" in told
    assert "hex-5 +0.40 (+0.40 to +0.40) of samples" in told  # log10(40 / 16)
    assert "hex-3 +1.00" in dear
    # 16 and 4 times as much for two rows more: the square roots
    assert "search's moves 4.0, results alone 2.0" in boards


def test_the_strengths_and_an_arm_that_never_got_there():
    four = hex_of(3, search=1e4, gradient=1e5)
    never = [replace(row, reached=row.arm == "search") for row in four.rows]
    horizons = HORIZONS | {"connect-four": replace(four, target=0.8, rows=never)}
    told, *_ = games.paragraphs(horizons)
    assert "75% against 10 a move in hex-3, hex-5; 80% against 4 a move in connect-four" in told
    reached = "by results alone 0 of 2 trials reached it, by search's moves 2 of 2"
    assert f"connect-four at least +1.00 ({reached}) of samples" in told
    assert "at least 10 times (connect-four)" in captions.games(horizons).title


def test_every_trial_is_a_point():
    spec = games.chart(HORIZONS).to_dict()
    (rows,) = spec["datasets"].values()
    assert len(rows) == 2 * 3 * 2
    assert max(row["FLOP"] for row in rows) == pytest.approx(4e5)
    assert all(row["reached"] for row in rows)
    assert spec["encoding"]["fillOpacity"]["condition"]["test"] == "datum.reached"


def test_nothing_is_said_of_no_games():
    assert games.paragraphs({}) == []
    assert games.games_of({"digits": hex_of(3, supervised=1.0)}) == {}
