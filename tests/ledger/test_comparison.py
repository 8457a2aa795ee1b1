"""Two ledgers' ratio as factors, against arithmetic and the published chains."""

from math import log10

import numpy as np
import pytest
from flopledger.ledger.comparison import split_ratio as compare
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.ledger import Balance, Factor, Ledger, aggregate, product
from flopledger.ledger.methods import (
    FLOPS_PER_PARAM,
    GENERATING,
    OUTCOMES,
    POSITIONS,
    SAMPLES,
)
from flopledger.ledger.quantity import Choice, Quantity
from hypothesis import given, settings
from hypothesis import strategies as st
from runs_by_hand import CHESS, GAMES, MEASURED, alexnet, chess, fact, run

# training_runs, section 2d: FLOP per parameter and pass, trained samples (steps x batch) and passes
# a trained sample with those that made the data, each over AlexNet's 23.76, 1.08e8 and 3; MACs and
# parameters of section 2a
CHAINS = {
    "Go, preprint": (8.106e9, 22.83e6, 21e6, 146, 800, 700e3 * 4096, (29.9, 26.5, 286, 2.3e5)),
    "Go, Science": (8.106e9, 22.83e6, 140e6, 201, 800, 700e3 * 4096, (29.9, 26.5, 2613, 2.1e6)),
    "AlphaGo Zero": (16.62e9, 46.44e6, 29e6, 200, 1600, 3.1e6 * 2048, (30.1, 58.8, 488, 8.6e5)),
    "chess": (1.491e9, 23.33e6, 44e6, 92, 800, 700e3 * 4096, (5.38, 26.5, 377, 5.4e4)),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_the_exact_chains_come_out(chain):
    macs, params, games, plies, simulations, samples, (conv, trained, passes, whole) = CHAINS[chain]
    network = Measured(
        model="net", params=round(params), forward_flops=2 * macs, backward_ratio=2.0
    )
    facts = {"games": games, "plies_per_game": plies, "simulations_per_move": simulations,
             "evaluations_per_simulation": 1, "steps": samples, "batch_size": 1}  # fmt: skip
    played = build_ledger(run(chain, "net", facts), {"net": network})
    split = compare(alexnet(), played)
    assert split.factors[0].ratio == pytest.approx(conv, rel=0.005)
    assert split.ratio == pytest.approx(whole, rel=0.02)
    # the rest of the identity, per trained sample instead of per position
    rest = split.ratio / split.factors[0].ratio
    assert rest == pytest.approx(trained * passes, rel=0.005)


def open_question(*weights):
    """Chess on one of two networks, the second of twice the parameters and thrice the FLOPs."""
    large = Measured(model="large", params=2 * CHESS.params, forward_flops=3 * CHESS.forward_flops,
                     backward_ratio=2.0)  # fmt: skip
    plain = run("open", "alphazero-chess", GAMES)
    choice = Choice(weights=weights, kind="assumed", source="the paper does not say")
    phase = plain.phases[0].model_copy(update={"model": None})
    asked = {"models": (("alphazero-chess",), ("large",)), "choice": choice, "phases": (phase,)}
    return build_ledger(plain.model_copy(update=asked), MEASURED | {"large": large})


def test_the_heaviest_alternative_is_the_point_and_the_interval_samples_all():
    small, large = open_question(0.75, 0.25), open_question(0.25, 0.75)
    assert small.total == pytest.approx(chess().total)
    assert large.total == pytest.approx(chess().total * 1.5)  # 3 / 2 FLOP per parameter
    split = compare(alexnet(), small)
    orders = log10(chess().total / alexnet().total)
    assert split.interval == pytest.approx((orders, orders + log10(1.5)))
    assert (split.dominant_uncertainty, split.dominant_fact) == (FLOPS_PER_PARAM, "model of open")
    assert split.factors[0].kind == "assumed"
    # a quarter of the draws is the other network: within 3 standard errors of 10,000
    key = small.facts[0]
    drawn = key.fact.draws(np.random.default_rng(0).standard_normal(10_000))
    assert drawn.mean() == pytest.approx(0.25, abs=3 * (0.25 * 0.75 / 10_000) ** 0.5)


def test_a_fact_may_have_alternatives():
    heads = Quantity(value=44e6, unit="games", kind="cited", source="two tables",
                     alternatives=((44e6, 0.7), (21e6, 0.3)))  # fmt: skip
    split = compare(alexnet(), chess(games=heads))
    assert split.dominant_fact == "games of chess"
    at = {games: log10(chess(games=games).total / alexnet().total) for games in (44e6, 21e6)}
    assert split.interval == pytest.approx((at[21e6], at[44e6]))


def test_a_run_beside_itself_is_zero_everywhere():
    for ledger in (alexnet(), chess(games=fact(44e6, 40e6, 50e6))):
        same = compare(ledger, ledger)
        assert (same.orders, same.interval) == (0, (0, 0))
        assert {f.orders for f in same.factors} == {0}
        assert same.dominant_uncertainty is None


def test_a_shared_fact_that_cancels_out_is_not_the_least_certain():
    # one guess in both runs, by different sources: it is drawn once and leaves the ratio alone
    def searched(name, source, games):
        saves = Quantity(
            value=0.8, low=0.1, high=2, unit="x", kind="assumed", source=source
        )  # fmt: skip
        facts = GAMES | {"evaluations_per_simulation": saves, "games": games}
        plain = run(name, "alphazero-chess", facts)
        phase = plain.phases[0].model_copy(
            update={"shared": {"evaluations_per_simulation": "both"}}
        )
        return build_ledger(plain.model_copy(update={"phases": (phase,)}), MEASURED)

    c = compare(searched("a", "a paper", fact(44e6, 40e6, 50e6)), searched("b", "a guess", 44e6))
    assert (c.dominant_uncertainty, c.dominant_fact) == (OUTCOMES, "games of a")


def test_an_interval_holds_its_value_however_lopsided_the_facts():
    # six facts that can only be larger: all at their lows, the value, is one draw in 64
    lopsided = [
        {"images": Quantity(value=1, low=1, high=10, unit="x", kind="cited", source=f"{i} images"),
         "epochs": Quantity(value=1, low=1, high=10, unit="x", kind="cited", source=f"{i} epochs")}
        for i in range(3)
    ]  # fmt: skip
    c = compare(alexnet(), build_ledger(run("b", "alexnet", *lopsided), MEASURED))
    assert c.interval[0] <= c.orders <= c.interval[1]
    assert all(f.low <= f.orders <= f.high for f in c.factors)


def test_the_interval_of_one_uncertain_fact_is_that_facts():
    c = compare(alexnet(), chess(games=fact(44e6, 22e6, 88e6)), samples=20_000)
    outcomes = c.factors[4]
    # the sampling error of a 5th percentile of 20,000 draws is about a hundredth of an order
    assert outcomes.low == pytest.approx(log10(22e6 / 1.2e6), abs=0.02)
    assert outcomes.high == pytest.approx(log10(88e6 / 1.2e6), abs=0.02)
    assert c.dominant_fact == "games of chess"


def test_a_fact_that_two_factors_share_is_drawn_once():
    # with almost all compute in gradient steps, games and their length cancel out
    c = compare(
        alexnet(),
        chess(games=fact(44e6, 22e6, 88e6), simulations_per_move=1e-9, steps=7e9),
    )
    assert c.interval[1] - c.interval[0] < 1e-3
    assert c.factors[4].high - c.factors[4].low > 0.5


def test_a_fact_that_two_runs_share_is_drawn_once():
    def played(name, shared, scale=1.0):
        numbers = (scale * number for number in (0.8, 0.4, 1.0))
        evaluations = {"evaluations_per_simulation": fact(*numbers), "steps": 1}
        plain = run(name, "alphazero-chess", GAMES | evaluations)
        phase = plain.phases[0].model_copy(
            update={"shared": {"evaluations_per_simulation": "their search"} if shared else {}}
        )
        return build_ledger(plain.model_copy(update={"phases": (phase,)}), MEASURED)

    apart = compare(played("a", False), played("b", False))
    # equal facts, and facts of another value but equally uncertain
    for scale, orders in ((1.0, 0.0), (2.0, log10(2))):
        together = compare(played("a", True), played("b", True, scale))
        assert together.interval == pytest.approx((orders, orders), abs=1e-7)
    assert apart.interval[1] - apart.interval[0] > 0.3


def test_the_same_seed_gives_the_same_interval():
    a, b = alexnet(), chess(games=fact(44e6, 22e6, 88e6))
    assert compare(a, b, seed=3) == compare(a, b, seed=3)
    assert compare(a, b, seed=3).interval != compare(a, b, seed=4).interval


def hours(ledger):
    return Ledger(**{**vars(ledger), "quantity": "hours"})


def test_runs_with_nothing_in_common_are_refused():
    with pytest.raises(ValueError, match="have no common factors"):
        compare(alexnet(), hours(chess()))


numbers = st.floats(1e-3, 1e9)
phases = st.lists(
    st.fixed_dictionaries({"images": numbers, "epochs": numbers}), min_size=1, max_size=4
)
play = st.lists(
    st.fixed_dictionaries(
        {
            "games": numbers,
            "plies_per_game": numbers,
            "simulations_per_move": numbers,
            "evaluations_per_simulation": numbers,
            "samples": numbers,
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(phases, play)
def test_orders_add_up_whatever_the_phases(first, other):
    a = build_ledger(run("a", "alexnet", *first), MEASURED)
    b = build_ledger(run("b", "alphazero-chess", *other), MEASURED)
    there, back = compare(a, b, samples=1), compare(b, a, samples=1)
    assert sum(f.orders for f in there.factors) == pytest.approx(there.orders, abs=1e-9)
    assert there.orders == pytest.approx(log10(b.total / a.total), abs=1e-12)
    for f, g in zip(there.factors, back.factors, strict=True):
        assert f.orders == pytest.approx(-g.orders, abs=1e-9)
    if len(first) == len(other) == 1:
        for f in there.factors:
            assert f.orders == pytest.approx(log10(f.b / f.a), abs=1e-9)


@settings(max_examples=40)
@given(play)
def test_the_order_of_phases_changes_nothing(drawn):
    drawn = [{**facts} for facts in drawn]
    a = alexnet()
    there = compare(a, build_ledger(run("b", "alphazero-chess", *drawn), MEASURED), samples=1)
    back = compare(a, build_ledger(run("b", "alphazero-chess", *drawn[::-1]), MEASURED), samples=1)
    for f, g in zip(there.factors, back.factors, strict=True):
        assert f.orders == pytest.approx(g.orders, abs=1e-9)


def made_of(name, **phases):
    """A ledger of two factors, x and outcomes, by phases."""
    values = {phase: {"x": x, OUTCOMES: outcomes} for phase, (x, outcomes) in phases.items()}
    whole = aggregate(values.values())
    factors = tuple(Factor(name=n, value=v, kind="cited", source="") for n, v in whole.items())
    return Ledger(
        run=name, quantity="x", params=1, factors=factors,
        balance=lambda given: Balance(phases=values, whole={}),
    )  # fmt: skip


def test_the_split_of_phases_by_hand():
    # a has one phase, x = 1 and one episode; b one of x = 4 with 2 and one of x = 1 with 3
    split = compare(made_of("a", only=(1, 1)), made_of("b", first=(4, 2), second=(1, 3)), samples=1)
    orders = {share.factor: share.orders for share in split.factors}
    # two cells; x is equal in the second, so that all it contributes comes from the first
    mean = lambda p, q: (p - q) / np.log(p / q)  # noqa: E731
    first = mean(8.0, 8 / 11) / mean(11.0, 1.0)  # b's first phase beside 8/11 of a
    assert orders["x"] == pytest.approx(first * log10(4))
    assert orders["x"] + orders[OUTCOMES] == pytest.approx(log10(11))


def named(ledger, prefix):
    balance = ledger.balance({})
    phases = {f"{prefix} {name}": values for name, values in balance.phases.items()}
    renamed = Balance(phases=phases, whole=balance.whole)
    return Ledger(**{**vars(ledger), "balance": lambda given: renamed})


@settings(max_examples=40)
@given(phases, play)
def test_phases_of_other_names_are_split_by_their_compute(first, other):
    # the closed form of docs/method.md: means of logarithms, weighted by the phases' learning
    a = named(build_ledger(run("a", "alexnet", *first), MEASURED), "a")
    b = named(build_ledger(run("b", "alphazero-chess", *other), MEASURED), "b")
    mean = {}
    for ledger in (a, b):
        learning = sum(map(product, ledger.phases.values()))
        mean[ledger.run, GENERATING] = log10(ledger.factor(GENERATING))
        for phase in ledger.phases.values():
            share = product(phase) / learning
            for name, value in phase.items():
                booked = value / share if name == OUTCOMES else value
                key = (ledger.run, name)
                mean[key] = mean.get(key, 0.0) + share * log10(booked)
    for f in compare(a, b, samples=1).factors:
        by_hand = mean["b", f.factor] - mean["a", f.factor]
        assert f.orders == pytest.approx(by_hand, abs=1e-9)


def test_aggregates_are_means_over_what_the_later_factors_count():
    values = aggregate([{SAMPLES: 2.0, POSITIONS: 10.0, OUTCOMES: 5.0},
                        {SAMPLES: 4.0, POSITIONS: 30.0, OUTCOMES: 15.0}])  # fmt: skip
    positions = 5 * 10 + 15 * 30
    assert values == {
        SAMPLES: (2 * 50 + 4 * 450) / positions, POSITIONS: positions / 20, OUTCOMES: 20,
    }  # fmt: skip


def test_a_comparison_says_what_its_ledgers_say():
    a, b = alexnet(), chess()
    split = compare(a, b)
    assert (split.a, split.b, split.quantity) == ("alexnet", "chess", a.quantity)
    assert (split.a_total, split.b_total, split.ratio) == (a.total, b.total, b.total / a.total)
    for share, before, other in zip(split.factors, a.factors, b.factors, strict=True):
        assert (share.factor, share.a, share.b) == (before.name, before.value, other.value)
        assert (share.source_a, share.source_b) == (before.source, other.source)
        assert share.ratio == pytest.approx(other.value / before.value)
        # nothing is uncertain
        assert (share.low, share.high) == (share.orders, share.orders)
    assert a.factors[3].source == "an example is one position"
    assert a.factors[3].kind == "derived"
