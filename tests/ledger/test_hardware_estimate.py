"""The second estimate: chips x hours x peak, and what that bounds, by hand."""

from dataclasses import replace
from datetime import date

import pytest
from flopledger.counting.cached import cached_profile
from flopledger.ledger.build import measure
from flopledger.ledger.hardware_estimate import UTILISATION, estimates_of, hardware_estimate
from flopledger.ledger.identity import Measured
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.run_file import find_run
from flopledger.ledger.training_run import Hardware, Phase, TrainingRun

# parameters and MACs by hand: tests/models/test_architectures.py
CHESS = Measured(
    model="alphazero-chess", params=23_333_708, forward_flops=2 * 1.491e9, backward_ratio=2.0
)
# 92 TOPS of 8 bits (Jouppi et al. 2017), for 9 hours on 5,000 chips (Silver et al. 2017, Table S3)
AT_PEAK = 5000 * 92e12 * 9 * 3600


def fact(value, low=None, high=None):
    return Quantity(value=value, low=low, high=high, unit="x", kind="cited", source="a paper")


def run(facts, method="self-play", phases=1, **hardware):
    usual = {"chip": "TPU v1", "precision": "int8", "chips": fact(5000), "hours": fact(9)}
    return TrainingRun(
        name="mine",
        file="mine.toml",
        title="t",
        published_on=date(2020, 1, 1),
        models=(("alphazero-chess",),),
        phases=tuple(
            Phase(name=f"{i}", model=None, method=method, facts=facts) for i in range(phases)
        ),
        hardware=Hardware(**usual | hardware) if hardware is not None else None,
    )


GAMES = {
    "games": fact(44e6), "plies_per_game": fact(92), "simulations_per_move": fact(800),
    "evaluations_per_simulation": fact(1),
}  # fmt: skip


def test_at_peak_and_at_a_tenth_to_seven_tenths_of_it():
    estimate = hardware_estimate(run(GAMES), CHESS)
    assert estimate.at_peak == pytest.approx(1.4904e22, rel=1e-6)
    assert estimate.at_peak == pytest.approx(AT_PEAK)
    assert UTILISATION == (0.1, 0.7)
    assert (estimate.low, estimate.high) == pytest.approx((1.4904e21, 1.04328e22), rel=1e-6)
    assert "Jouppi" in estimate.peak_source


def test_chess_cannot_have_more_than_142_plies():
    # every simulation and the root evaluated: 801 evaluations a move
    estimate = hardware_estimate(run(GAMES), CHESS)
    assert estimate.most_plies == pytest.approx(AT_PEAK / (44e6 * 801 * 2 * 1.491e9))
    assert 141 < estimate.most_plies < 142


def test_bounds_hold_at_the_ends_of_intervals():
    hours = fact(9, 8, 12)
    estimate = hardware_estimate(run(GAMES | {"games": fact(44e6, 22e6, 50e6)}, hours=hours), CHESS)
    assert estimate.at_peak == pytest.approx(AT_PEAK * 12 / 9)
    assert estimate.low == pytest.approx(0.1 * AT_PEAK * 8 / 9)
    assert estimate.high == pytest.approx(0.7 * AT_PEAK * 12 / 9)
    # in 12 hours half the games could have been 2 x 12 / 9 as long
    sure = hardware_estimate(run(GAMES), CHESS).most_plies
    assert estimate.most_plies == pytest.approx(sure * 2 * 12 / 9)


def test_what_has_no_games_has_no_bound_on_their_length():
    images = {"images": fact(1000), "epochs": fact(9)}
    assert hardware_estimate(run(images, "supervised"), CHESS).most_plies is None
    assert hardware_estimate(run(GAMES, phases=2), CHESS).most_plies is None
    assert hardware_estimate(run(GAMES), None).most_plies is None


def test_the_bound_holds_for_the_network_that_plays_whichever_it_was():
    # two answers, each of a value network that is beside and a policy network that plays
    names = (("value", "policy"), ("value", "large"))
    open_ = run(GAMES).model_copy(update={"models": names})
    counted = {
        name: replace(CHESS, model=name, forward_flops=flops)
        for name, flops in (("value", 1e3), ("policy", 2e9), ("large", 4e9))
    }
    estimates = estimates_of([open_, run(GAMES, chip="an abacus")], {**counted, CHESS.model: CHESS})
    assert list(estimates) == ["mine"]
    assert estimates["mine"].most_plies == pytest.approx(AT_PEAK / (44e6 * 801 * 2e9))


def test_an_unknown_peak_is_no_estimate():
    assert hardware_estimate(run(GAMES, chip="an abacus"), CHESS) is None
    assert hardware_estimate(run(GAMES, precision="float32"), CHESS) is None
    assert hardware_estimate(run(GAMES).model_copy(update={"hardware": None}), CHESS) is None


def test_alphazeros_bottom_up_totals_lie_below_the_peak():
    names = ["alexnet", *(f"alphazero-{game}" for game in ("chess", "shogi", "go-preprint"))]
    runs, networks = [find_run(name) for name in names], {}
    for training in runs:
        measure(training, cached_profile, networks)
    estimates = estimates_of(runs, networks)
    assert set(estimates) >= set(names[1:])
    assert estimates["alphazero-chess"].at_peak == pytest.approx(AT_PEAK)
    assert 141 < estimates["alphazero-chess"].most_plies < 142
    # Silver et al. 2017, Table S3: 12 hours of shogi and 34 of Go on the same chips
    assert estimates["alphazero-shogi"].at_peak == pytest.approx(AT_PEAK * 12 / 9)
    assert estimates["alphazero-go-preprint"].at_peak == pytest.approx(AT_PEAK * 34 / 9)
    # training_runs, section 2c: 9.7e21, 8.4e21 and 4.0e22 FLOP
    for name, flops in (("chess", 9.7e21), ("shogi", 8.4e21), ("go-preprint", 4.0e22)):
        assert estimates[f"alphazero-{name}"].low < flops < estimates[f"alphazero-{name}"].at_peak
