"""Agreement: counts and chance told apart, tolerances as the numbers say, by hand."""

from datetime import date

import pytest
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.prediction import agreement
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.write_run import write_run
from flopledger.zoo.sizes import USUAL, Sizes

NETWORK = {"alexnet": Measured(model="alexnet", params=100, forward_flops=10.0, backward_ratio=2.0)}
# 20 games of 10 plies at 4 x 0.5 + 1 evaluations, and 5 steps of 8 samples, forward and backward
FACTS = {
    "games": 20, "plies_per_game": (8, 10, 12), "simulations_per_move": 4,
    "evaluations_per_simulation": 0.5, "root_evaluations": 1, "steps": 5, "batch_size": 8,
}  # fmt: skip
FLOP = 20 * 10 * (4 * 0.5 + 1) * 10 + 5 * 8 * 3 * 10


def run(tmp_path, name, facts, total=None):
    """A run with these facts, and its ledger."""
    quantities = {}
    for key, value in facts.items():
        low, middle, high = value if isinstance(value, tuple) else (None, value, None)
        quantities[key] = Quantity(
            value=middle, low=low, high=high, unit="x", kind="derived", source="by hand"
        )
    flop = Quantity(value=total, unit="FLOP", kind="measured", source="x") if total else None
    path = tmp_path / f"{name}.toml"
    made = write_run(path, name, date(2026, 1, 1), "alexnet", USUAL, quantities, flop)
    return made, build_ledger(made, NETWORK)


def held(tmp_path, total=FLOP, **changed):
    first, expected = run(tmp_path, "predicted", FACTS)
    facts = {key: value[1] if isinstance(value, tuple) else value for key, value in FACTS.items()}
    second, metered = run(tmp_path, "metered", facts | changed, total)
    assert expected.total_flops == pytest.approx(FLOP)
    return agreement(first, second, expected, metered)


def test_what_was_predicted_came_to_pass(tmp_path):
    compared = held(tmp_path)
    assert compared.counts_agree
    assert compared.total_agrees
    assert compared.worst_count == pytest.approx(0, abs=1e-12)
    chance = {part.name for part in compared.parts if part.chance}
    assert chance == {"plies_per_game", "positions"}


def test_chance_may_be_off_and_a_count_may_not(tmp_path):
    # 11 plies instead of 10: 20 x 1 x 3 x 10 more, by chance; the meter saw them, too
    longer = held(tmp_path, total=FLOP + 600, plies_per_game=11)
    assert longer.counts_agree
    assert longer.total_agrees
    assert longer.outside == ()
    longest = held(tmp_path, total=FLOP + 1800, plies_per_game=13)
    assert (longest.counts_agree, longest.total_agrees) == (True, False)
    assert [part.name for part in longest.outside] == ["plies_per_game", "positions"]
    assert [(part.low, part.high) for part in longest.outside] == [(8, 12), (160, 240)]
    assert longer.total.off == pytest.approx(600 / FLOP)
    other = held(tmp_path, steps=6, total=FLOP + 240)
    assert not other.counts_agree
    assert other.worst_count == pytest.approx(0.2)


@pytest.mark.parametrize(("off", "counts", "total"), [
    # plies are 8 to 12, a fifth either way, of self-play's 6,000 of 7,200 FLOP: 1,200 either way
    (0.0009, True, True), (0.0011, False, True), (0.13, False, True), (0.18, False, False),
    (-0.13, False, True), (-0.18, False, False),
])  # fmt: skip
def test_the_tolerances(tmp_path, off, counts, total):
    compared = held(tmp_path, total=FLOP * (1 + off))
    assert (compared.counts_agree, compared.total_agrees) == (counts, total)


def test_runs_that_do_not_belong_together(tmp_path):
    first, expected = run(tmp_path, "predicted", FACTS)
    second, metered = run(tmp_path, "metered", {"samples": 5}, 5.0)
    with pytest.raises(ValueError, match=r"metered.toml is not what .*predicted.toml became"):
        agreement(first, second, expected, metered)


def test_a_written_run_is_read_as_it_was(tmp_path):
    source = "a 'b' \"c\""
    facts = {
        "samples": Quantity(value=5.5, low=5, high=6, unit="samples", kind="assumed", source=source)
    }
    sizes = Sizes(options={"blocks": 2}, input=(1, 3, 6, 7))
    written = write_run(tmp_path / "a.toml", "t", date(2026, 1, 2), "alexnet", sizes, facts)
    (phase,) = written.phases
    assert phase.facts == facts
    assert phase.sizes == written.sizes == sizes
    assert written.networks == (("alexnet (blocks 2) at 1x3x6x7",),)
    assert (written.title, written.published_on, written.published) == ("t", date(2026, 1, 2), ())
