"""A run's compute as factors, against arithmetic and the published totals."""

from dataclasses import replace
from math import log10, prod

import pytest
from flopledger.ledger.comparison import NoSplit
from flopledger.ledger.comparison import split_ratio as compare
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.methods import (
    FLOPS_PER_PARAM,
    GENERATING,
    OUTCOMES,
    POSITIONS,
    SAMPLES,
)
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.training_run import Total
from flopledger.storage.facts import BadFacts
from flopledger.zoo.sizes import Sizes
from hypothesis import given
from hypothesis import strategies as st
from runs_by_hand import GAMES, IMAGES, MEASURED, alexnet, chess, fact, run


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
    learning = 700e3 * 4096 * 3  # forward passes; the backward pass is 2 of them
    generating = 44e6 * 92 * (1 + 400)
    assert half.factor(GENERATING) == pytest.approx(1 + generating / learning)


def test_learning_and_making_data_are_apart():
    # shared facts, discussions: of AlphaZero's compute the gradient steps are 0.27% (chess)
    whole, steps = chess(), build_ledger(run("c", "alphazero-chess", GAMES), MEASURED, "training")
    assert steps.total_flops == pytest.approx(700e3 * 4096 * 3 * 2 * 1.491e9)
    assert steps.total / whole.total == pytest.approx(0.0027, rel=0.02)
    assert whole.total / steps.total == pytest.approx(whole.factor(GENERATING))
    assert [f.name for f in steps.factors] == [f.name for f in whole.factors][:-1]


def test_the_samples_learned_from_are_the_three_middle_factors():
    learned = chess().factor(SAMPLES) * chess().factor(POSITIONS) * chess().factor(OUTCOMES)
    assert learned == pytest.approx(700e3 * 4096)
    assert chess().factor(SAMPLES) == pytest.approx(0.7083, abs=1e-4)  # 2.867e9 / (44e6 x 92)
    assert alexnet().factor(SAMPLES) == 90
    assert alexnet().outcomes / alexnet().params == pytest.approx(1.2e6 / 60_965_224)
    assert chess().outcomes == 44e6


def test_factors_multiply_to_the_total():
    for ledger in (alexnet(), chess()):
        assert prod(factor.value for factor in ledger.factors) == pytest.approx(ledger.total)


def test_kinds_and_sources_travel():
    kinds = {factor.name: factor.kind for factor in chess().factors}
    assert kinds["forward FLOPs per parameter"] == "measured"
    assert kinds[OUTCOMES] == "cited"
    assert "a paper" in compare(alexnet(), chess()).factors[4].source_b


def test_phases_add_up():
    split = build_ledger(
        run("split", "alexnet", IMAGES | {"epochs": 30}, IMAGES | {"epochs": 60}), MEASURED
    )
    assert split.total == pytest.approx(alexnet().total)
    assert prod(factor.value for factor in split.factors) == pytest.approx(split.total)


def test_a_phase_at_another_input_is_measured_there():
    # a fully convolutional network: (128 / 224)^2 of the FLOPs for 30 of 90 epochs
    resnet = Measured(
        model="resnet50", params=25_557_032, forward_flops=2 * 4.089e9, backward_ratio=2.0
    )
    small = Measured(
        model="resnet50", params=25_557_032, forward_flops=2 * 4.089e9 * (128 / 224) ** 2,
        backward_ratio=2.0,
    )  # fmt: skip
    sized = run("sized", "resnet50", IMAGES | {"epochs": 30}, IMAGES | {"epochs": 60})
    first = sized.phases[0].model_copy(update={"sizes": Sizes(input=(1, 3, 128, 128))})
    sized = sized.model_copy(update={"phases": (first, sized.phases[1])})
    built = build_ledger(sized, {"resnet50": resnet, "resnet50 at 1x3x128x128": small})
    by_hand = 2 * 4.089e9 * 3 * 1.2e6 * (60 + 30 * (128 / 224) ** 2)
    assert built.total_flops == pytest.approx(by_hand)
    with pytest.raises(BadFacts, match=r"sized\.toml: resnet50 at 1x3x128x128 was not"):
        build_ledger(sized, {"resnet50": resnet})


def test_samples_alone_make_the_same_total_as_epochs():
    seen = build_ledger(run("seen", "alexnet", {"samples": 1.2e6 * 90}), MEASURED)
    assert seen.total == pytest.approx(alexnet().total)
    both = build_ledger(run("both", "alexnet", IMAGES | {"samples": fact(1.2e6 * 90)}), MEASURED)
    assert both.total == pytest.approx(seen.total)
    assert both.factor(SAMPLES) == pytest.approx(90)


def test_samples_of_several_epochs_were_seen_as_often():
    # 1.08e8 samples in 90 epochs are 1.2 million images, each seen 90 times
    seen = build_ledger(run("seen", "alexnet", {"samples": 1.08e8, "epochs": 90}), MEASURED)
    assert seen.total == pytest.approx(alexnet().total)
    assert seen.outcomes == pytest.approx(1.2e6)


def test_published_totals_stand_beside_ledgers_of_their_accounting():
    def total(value, accounting):
        figure = Quantity(value=value, unit="FLOP", kind="cited", source="Epoch AI")
        return Total(quantity=figure, accounting=accounting)

    both = (total(3.67e22, "all"), total(1.06e20, "training"))
    facts = run("c", "alphazero-chess", GAMES).model_copy(update={"published": both})
    for accounting, value in (("all", 3.67e22), ("training", 1.06e20)):
        (beside,) = build_ledger(facts, MEASURED, accounting).published
        assert beside.value == pytest.approx(value / 23_333_708)
    built = build_ledger(facts, MEASURED)
    (pair,) = compare(built, built).published
    assert (pair.a.source, pair.orders) == ("Epoch AI", 0)


def test_a_network_that_was_not_measured_is_named_with_its_file():
    with pytest.raises(BadFacts, match=r"facts/runs/x.toml: vanished was not measured"):
        build_ledger(run("x", "vanished", IMAGES), MEASURED)


def test_a_run_whose_gradient_steps_are_unknown_has_no_split():
    facts = {key: value for key, value in GAMES.items() if key not in ("steps", "batch_size")}
    unknown = build_ledger(run("master", "alphazero-chess", facts), MEASURED)
    assert (unknown.total, unknown.total_flops, unknown.split) == (None, None, False)
    # the least that it took is known: games x plies x simulations x a forward pass
    by_hand = 44e6 * 92 * 800 * 2 * 1.491e9
    assert unknown.generating * unknown.params == pytest.approx(by_hand)
    with pytest.raises(NoSplit, match="master: its gradient steps are not known"):
        compare(alexnet(), unknown)


def test_a_phase_that_only_generates_has_no_learning_of_its_own():
    games = {key: GAMES[key] for key in GAMES if key not in ("steps", "batch_size")}
    made = build_ledger(
        run("fan", "alexnet", IMAGES).model_copy(
            update={
                "phases": (
                    run("fan", "alexnet", IMAGES).phases[0].model_copy(update={"name": "learns"}),
                    run("fan", "alphazero-chess", games, method="generation").phases[0],
                )
            }
        ),
        MEASURED,
    )
    generating = 44e6 * 92 * 800 * 2 * 1.491e9
    assert made.total_flops == pytest.approx(alexnet().total_flops + generating)
    assert made.outcomes == 1.2e6


def test_a_policy_gradient_learns_from_what_its_actors_saw():
    # by hand: 1e6 actor steps in episodes of 200, each used in 3 samples; an actor's step is one
    # forward pass, a sample three
    facts = {"actor_steps": 1e6, "steps_per_episode": 200, "reuse": 3}
    built = build_ledger(run("pg", "alexnet", facts, method="policy gradient"), MEASURED)
    assert built.total_flops == pytest.approx(1e6 * (1 + 3 * 3) * 2 * 724_406_816)
    assert built.factor(OUTCOMES) == 5000
    assert built.factor(GENERATING) == pytest.approx(1 + 1 / 9)
    steps = {"actor_steps": 1e6, "steps_per_episode": 200, "steps": 1e3, "batch_size": 100,
             "unroll": 30}  # fmt: skip
    unrolled = build_ledger(run("pg", "alexnet", steps, method="policy gradient"), MEASURED)
    assert unrolled.total == pytest.approx(built.total)


def test_a_teacher_makes_data():
    student = run("d", "alexnet", {"images": 1000, "epochs": 2}, method="distillation")
    phase = student.phases[0].model_copy(update={"teacher": "alphazero-chess"})
    built = build_ledger(student.model_copy(update={"phases": (phase,)}), MEASURED)
    assert built.total_flops == pytest.approx(2000 * (3 * 2 * 724_406_816 + 2 * 1.491e9))


# a network whose sequences cost 2 N a token and 4 d a pair of tokens, as a transformer's do
N, D = 1_000_000, 64


def transformer(length):
    return Measured(model="lm", params=N, forward_flops=length * (2 * N + 4 * D * length),
                    backward_ratio=2.0, tokens=length)  # fmt: skip


@given(st.integers(1, 12), st.floats(1e6, 1e12), st.floats(1, 50))
def test_cutting_a_text_anew_moves_nothing_but_attention(power, tokens, epochs):
    text = {"tokens": tokens, "epochs": epochs}
    usual = build_ledger(run("one", "lm", text), {"lm": transformer(4096)})
    other = build_ledger(run("other", "lm", text), {"lm": transformer(2**power)})
    by_hand = log10((2 * N + 4 * D * 2**power) / (2 * N + 4 * D * 4096))
    shares = {share.factor: share.orders for share in compare(usual, other, samples=1).factors}
    assert shares.pop(FLOPS_PER_PARAM) == pytest.approx(by_hand, abs=1e-9)
    assert set(shares.values()) == {0.0}


def test_sequences_are_tokens_said_another_way():
    by_tokens = build_ledger(
        run("t", "lm", {"tokens": 4096e3, "epochs": 2}), {"lm": transformer(4096)}
    )
    by_text = build_ledger(
        run("s", "lm", {"sequences": 1e3, "epochs": 2}), {"lm": transformer(4096)}
    )
    assert by_text.total == by_tokens.total
    assert by_text.outcomes == by_tokens.outcomes == 4096e3


def test_of_a_masked_language_model_the_masked_tokens_are_outcomes():
    text = {"tokens": 1e9, "epochs": 40, "masked_share": 0.15}
    masked = build_ledger(run("m", "lm", text), {"lm": transformer(512)})
    plain = build_ledger(run("p", "lm", {"tokens": 1e9, "epochs": 40}), {"lm": transformer(512)})
    assert masked.total == pytest.approx(plain.total)
    assert masked.outcomes == pytest.approx(1.5e8)
    assert masked.factor(POSITIONS) == pytest.approx(1 / 0.15)


def test_tokens_and_sequences_must_agree_at_the_networks_length():
    # 1,000 sequences of 4,096 tokens are 4.096 million tokens
    network = {"lm": transformer(4096)}
    agree = run("a", "lm", {"tokens": 4.096e6, "sequences": 1e3, "epochs": 2})
    assert build_ledger(agree, network).outcomes == 4.096e6
    with pytest.raises(BadFacts, match=r"\[tokens\] is 9e\+09, but the sequences of 4096 tokens"):
        build_ledger(run("b", "lm", {"tokens": 9e9, "sequences": 1e3, "epochs": 2}), network)


@pytest.mark.parametrize("seen", [{"samples": 9e9}, {"steps": 1e6, "batch_size": 9e3}])
def test_sequences_and_what_was_seen_must_agree_at_the_networks_length(seen):
    text = {"sequences": 1e3, "epochs": 2}
    with pytest.raises(BadFacts, match="is 9e\\+09, but the sequences x epochs of 4096 tokens are"):
        build_ledger(run("b", "lm", text | seen), {"lm": transformer(4096)})


@pytest.mark.parametrize(
    ("length", "fits"), [(256, False), (512, True), (626, True), (2048, False)]
)
def test_a_sequence_is_as_long_as_the_network_was_counted_at(length, fits):
    # an encoder's 512 tokens, and with its decoder's 114 626
    network = {"lm": replace(transformer(512), all_tokens=626)}
    cut = run("c", "lm", {"tokens": 1e9, "epochs": 1, "tokens_per_sequence": length})
    if fits:
        build_ledger(cut, network)
        return
    with pytest.raises(
        BadFacts, match=r"\[tokens_per_sequence\] is \d+, but the network is counted"
    ):
        build_ledger(cut, network)
