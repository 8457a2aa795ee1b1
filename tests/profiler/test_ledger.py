"""Ledgers and their comparison, against arithmetic and the published chains."""

from math import log10, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.comparison import compare
from profiler.ledger import EPISODES, PASSES, POSITIONS, Ledger, Measured, aggregate, build_ledger
from profiler.quantities import Quantity
from profiler.training import BadRun, Phase, TrainingRun

# parameters and MACs by hand: tests/models/test_architectures.py
ALEXNET = Measured(
    model="alexnet", params=60_965_224, forward_flops=2 * 724_406_816, backward_ratio=2.0
)
CHESS = Measured(
    model="alphazero-chess", params=23_333_708, forward_flops=2 * 1.491e9, backward_ratio=2.0
)
MEASURED = {"alexnet": ALEXNET, "alphazero-chess": CHESS}


def fact(value, low=None, high=None):
    return Quantity(value=value, low=low, high=high, unit="x", kind="cited", source="a paper")


def run(name, model, *phases):
    return TrainingRun(
        name=name,
        file=f"facts/runs/{name}.toml",
        title=name,
        published_on="2020-01-01",
        models=(model,),
        phases=tuple(
            Phase(
                name=f"phase {index}",
                model=model,
                method="self-play" if "games" in facts else "supervised",
                facts={k: v if isinstance(v, Quantity) else fact(v) for k, v in facts.items()},
            )
            for index, facts in enumerate(phases)
        ),
    )


IMAGES = {"images": 1.2e6, "epochs": 90}
# Silver et al. 2018, Table S3; 92 plies follow from its TPU-hours
GAMES = {"games": 44e6, "plies_per_game": 92, "simulations_per_move": 800,
         "evaluations_per_simulation": 1, "steps": 700e3, "batch_size": 4096}  # fmt: skip


def alexnet():
    return build_ledger(run("alexnet", "alexnet", IMAGES), MEASURED)


def chess(**changed):
    return build_ledger(run("chess", "alphazero-chess", GAMES | changed), MEASURED)


def test_alexnet_is_6_times_its_macs_times_the_images_seen():
    # "recount: 6 x 724.4M x 90 x 1.2M = 4.69e17", training_runs, section 1
    assert alexnet().total_flops == pytest.approx(6 * 724_406_816 * 90 * 1.2e6)
    assert alexnet().total_flops == pytest.approx(4.69e17, rel=0.002)
    assert alexnet().total == pytest.approx(7.70e9, rel=0.002)


def test_chess_is_the_published_chains_product():
    # training_runs, section 2c: 9.7e21 FLOP at 92 plies; 2d: x 5.4e4 over AlexNet, 4.73 orders
    assert chess().total_flops == pytest.approx(9.7e21, rel=0.01)
    assert compare(alexnet(), chess()).orders == pytest.approx(4.73, abs=0.005)
    by_hand = 44e6 * 92 * (800 + 700e3 * 4096 * 3 / (44e6 * 92)) * 2 * 1.491e9
    assert chess().total_flops == pytest.approx(by_hand)


def test_what_the_search_saves_is_saved():
    half = chess(evaluations_per_simulation=0.5, root_evaluations=1)
    gradient = 700e3 * 4096 * 3 / (44e6 * 92)
    passes = {factor.name: factor.value for factor in half.factors}[PASSES]
    assert passes == pytest.approx(1 + 400 + gradient)


def test_factors_multiply_to_the_total():
    for ledger in (alexnet(), chess()):
        assert prod(factor.value for factor in ledger.factors) == pytest.approx(ledger.total)


def test_kinds_and_sources_travel():
    kinds = {factor.name: factor.kind for factor in chess().factors}
    assert kinds["forward FLOPs per parameter"] == "measured"
    assert kinds[EPISODES] == "cited"
    assert "a paper" in compare(alexnet(), chess()).factors[3].source_b


def test_phases_add_up():
    split = build_ledger(
        run("split", "alexnet", IMAGES | {"epochs": 30}, IMAGES | {"epochs": 60}), MEASURED
    )
    assert split.total == pytest.approx(alexnet().total)
    assert prod(factor.value for factor in split.factors) == pytest.approx(split.total)


def test_an_unknown_network_is_named_with_its_file():
    with pytest.raises(BadRun, match=r"facts/runs/x.toml: \[model\] no model .* 'vanished'"):
        build_ledger(run("x", "vanished", IMAGES), MEASURED)


def test_a_run_beside_itself_is_zero_everywhere():
    for one in (alexnet(), chess(games=fact(44e6, 40e6, 50e6))):
        same = compare(one, one)
        assert (same.orders, same.interval) == (0, (0, 0))
        assert [f.orders for f in same.factors] == [0, 0, 0, 0]
        assert same.dominant_uncertainty is None


def test_the_interval_of_one_uncertain_fact_is_that_facts():
    c = compare(alexnet(), chess(games=fact(44e6, 22e6, 88e6)), samples=20_000)
    episodes = c.factors[3]
    # the sampling error of a 5th percentile of 20,000 draws is about a hundredth of an order
    assert episodes.low == pytest.approx(log10(22e6 / 1.08e8), abs=0.02)
    assert episodes.high == pytest.approx(log10(88e6 / 1.08e8), abs=0.02)
    assert c.dominant_uncertainty == EPISODES
    assert c.dominant_fact == "games of chess"


def test_a_fact_that_two_factors_share_is_drawn_once():
    # with almost all compute in gradient steps, games and their length cancel out
    c = compare(
        alexnet(),
        chess(games=fact(44e6, 22e6, 88e6), simulations_per_move=1e-9, steps=7e9),
    )
    assert c.interval[1] - c.interval[0] < 1e-3
    assert c.factors[3].high - c.factors[3].low > 0.5


def test_a_fact_that_two_runs_share_is_drawn_once():
    def played(name, shared, scale=1.0):
        numbers = (scale * number for number in (0.8, 0.4, 1.0))
        evaluations = {"evaluations_per_simulation": fact(*numbers), "steps": 1e-9}
        one = run(name, "alphazero-chess", GAMES | evaluations)
        phase = one.phases[0].model_copy(
            update={"shared": {"evaluations_per_simulation": "their search"} if shared else {}}
        )
        return build_ledger(one.model_copy(update={"phases": (phase,)}), MEASURED)

    apart = compare(played("a", False), played("b", False))
    # equal facts, and facts of another value but equally uncertain
    for scale, orders in ((1.0, 0.0), (2.0, log10(2))):
        together = compare(played("a", True), played("b", True, scale))
        assert together.interval == pytest.approx((orders, orders), abs=1e-9)
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
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(phases, play)
def test_orders_add_up_whatever_the_phases(one, other):
    a = build_ledger(run("a", "alexnet", *one), MEASURED)
    b = build_ledger(run("b", "alphazero-chess", *other), MEASURED)
    there, back = compare(a, b, samples=1), compare(b, a, samples=1)
    assert sum(f.orders for f in there.factors) == pytest.approx(there.orders, abs=1e-9)
    assert there.orders == pytest.approx(log10(b.total / a.total), abs=1e-12)
    for f, g in zip(there.factors, back.factors, strict=True):
        assert f.orders == pytest.approx(-g.orders, abs=1e-9)
    if len(one) == len(other) == 1:
        for f in there.factors:
            assert f.orders == pytest.approx(log10(f.b / f.a), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(play)
def test_the_order_of_phases_changes_nothing(drawn):
    drawn = [{**facts} for facts in drawn]
    a = alexnet()
    there = compare(a, build_ledger(run("b", "alphazero-chess", *drawn), MEASURED), samples=1)
    back = compare(a, build_ledger(run("b", "alphazero-chess", *drawn[::-1]), MEASURED), samples=1)
    for f, g in zip(there.factors, back.factors, strict=True):
        assert f.orders == pytest.approx(g.orders, abs=1e-9)


def test_the_split_of_phases_by_hand():
    # two cells by hand: a has one phase of 1 x 1 x 1 x 1, b one of 2 and one of 3 episodes
    a = [{"x": 1.0, EPISODES: 1.0}]
    b = [{"x": 4.0, EPISODES: 2.0}, {"x": 1.0, EPISODES: 3.0}]
    mean = lambda p, q: (p - q) / np.log(p / q)  # noqa: E731
    whole = mean(11.0, 1.0)
    first = mean(8.0, 8 / 11) / whole  # b's first phase beside 8/11 of a
    # the other cell holds equal x; all that x contributes comes from the first
    by_hand = first * log10(4)
    from profiler.comparison import _split

    found = _split(dict(enumerate(a)), {"p": b[0], "q": b[1]})
    assert found["x"] == pytest.approx(by_hand)
    assert found["x"] + found[EPISODES] == pytest.approx(log10(11))


def test_aggregates_are_means_over_what_the_later_factors_count():
    values = aggregate([{PASSES: 2.0, POSITIONS: 10.0, EPISODES: 5.0},
                        {PASSES: 4.0, POSITIONS: 30.0, EPISODES: 15.0}])  # fmt: skip
    positions = 5 * 10 + 15 * 30
    assert values == {
        PASSES: (2 * 50 + 4 * 450) / positions, POSITIONS: positions / 20, EPISODES: 20,
    }  # fmt: skip
