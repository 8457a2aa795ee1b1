"""Where runs lie off the trends: by either accounting, and never one for the other unsaid."""

from dataclasses import replace
from datetime import date
from math import log10

import pytest
from field_by_hand import system
from flopledger.field.places import BOTTOM_UP, places
from flopledger.field.trend import fit
from flopledger.ledger.identity import build_ledger
from flopledger.ledger.training_run import Total
from runs_by_hand import CHESS, GAMES, IMAGES, MEASURED, fact, run

DAY = date(2020, 1, 1)  # of runs by hand
LEARNING = 700e3 * 4096 * 3 * CHESS.forward_flops / CHESS.params
MAKING = 44e6 * 92 * 800 * CHESS.forward_flops / CHESS.params


def flat(name, level, accounting):
    """A trend that lies at a level, with systems half an order to either side."""
    systems = [
        system(f"{n} {side}", date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5), level + side,
               accounting=accounting)
        for n in range(8) for side in (-0.5, 0.5)
    ]  # fmt: skip
    return fit(name, systems)


STEPS, ALL = flat("steps", 12, "training"), flat("all", 13, "all")


def placed(one, trends=(STEPS, ALL)):
    """A run's places by accounting and source."""
    ledgers = {how: build_ledger(one, MEASURED, how) for how in ("all", "training")}
    found = places([one], {one.name: ledgers}, trends)
    return {(place.accounting, place.source): place for place in found}


def test_a_run_that_makes_data_lies_by_each_accounting_off_its_own_trend():
    found = placed(run("chess", "alphazero-chess", GAMES))
    assert set(found) == {("all", BOTTOM_UP), ("training", BOTTOM_UP)}
    for accounting, level, flop in (("all", 13, LEARNING + MAKING), ("training", 12, LEARNING)):
        own, other = found[accounting, BOTTOM_UP].off
        assert not own.crossed
        assert own.trend == {"all": "all", "training": "steps"}[accounting]
        assert own.orders == pytest.approx(log10(flop) - level)
        # half an order to either side of 16 systems, less three coefficients
        assert own.sds == pytest.approx(own.orders / (0.5 * (16 / 13) ** 0.5))
        # on the other trend it lies too high, or too low, and the place says that it is another's
        assert other.crossed
        assert other.orders == pytest.approx(log10(flop) - (25 - level))


def test_a_run_that_makes_none_is_one_figure_of_both():
    found = placed(run("alexnet", "alexnet", IMAGES))
    assert set(found) == {(None, BOTTOM_UP)}
    assert [off.crossed for off in found[None, BOTTOM_UP].off] == [False, False]


def test_published_totals_are_of_their_own_accounting():
    totals = (Total(quantity=fact(3.67e22), accounting="all", as_of=DAY),
              Total(quantity=fact(1.06e20), accounting="training", as_of=DAY))  # fmt: skip
    chess = run("chess", "alphazero-chess", GAMES).model_copy(update={"published": totals})
    found = placed(chess)
    for accounting, flop, level in (("all", 3.67e22, 13), ("training", 1.06e20, 12)):
        place = found[accounting, "a paper"]
        assert place.flop_per_param == pytest.approx(flop / CHESS.params)
        assert place.off[0].orders == pytest.approx(log10(flop / CHESS.params) - level)


def test_off_a_trend_of_unknown_accounting_every_figure_is_crossed():
    unknown = replace(STEPS, accounting=None)
    found = placed(run("alexnet", "alexnet", IMAGES), trends=(unknown,))
    assert found[None, BOTTOM_UP].off[0].crossed
