"""What an expression may ask for, each against hand arithmetic."""

from math import log10

import pytest
from flopledger.counting.cached import cached_profile
from flopledger.statements.figures import Figures, NoFigure

# by hand: AlexNet's layers; 700,000 steps of 4,096; 800 simulations x 0.992 and the root; 92 plies
PARAMS, MACS = 60_965_224, 724_406_816
GAMES, PLIES, SAMPLES = 44e6, 92, 700_000 * 4096
CHESS = "alphazero-chess"
TPU = ("google_resnet50_tpu_tensorflow17", "google_resnet50_tpu_tensorflow111_fastai")


@pytest.fixture(scope="module")
def figures():
    return Figures(cached_profile)


@pytest.mark.parametrize(
    ("name", "words", "by_hand"),
    [
        ("profile", ("alexnet", "params"), PARAMS),
        ("profile", ("alexnet", "macs"), MACS),
        ("profile", ("alexnet", "flops"), 2 * MACS),
        ("profile", ("alexnet", "flops_per_param"), 2 * MACS / PARAMS),
        ("profile", ("alexnet", "macs_per_param"), MACS / PARAMS),
        ("flops", ("alexnet",), 2 * MACS),
        # fc6, fc7 and fc8 with their biases; of the convolutions all but conv1's 11 x 11
        ("share", ("alexnet", "linear"),
         (9216 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000) / PARAMS),
        ("share", ("alexnet", "conv", 5),
         (256 * 48 * 25 + 256 + 384 * 256 * 9 + 384 + 384 * 192 * 9 + 384 + 256 * 192 * 9 + 256)
         / PARAMS),
        ("fact", ("alexnet", "images"), 1.2e6),
        ("factor", ("alexnet", "samples"), 90),
        ("factor", ("alexnet", "positions"), 1),
        ("factor", ("alexnet", "outcomes"), 1.2e6),
        ("factor", ("alexnet", "generating"), 1),
        ("factor", (CHESS, "samples"), SAMPLES / (GAMES * PLIES)),
        ("factor", (CHESS, "positions"), PLIES),
        ("factor", (CHESS, "outcomes"), GAMES),
        ("samples", ("alexnet",), 1.2e6 * 90),
        ("samples", (CHESS,), SAMPLES),
        ("outcomes_per_param", ("alexnet",), 1.2e6 * 90 / PARAMS),
        ("outcomes_per_param", (CHESS,), GAMES / 23_333_708),
        ("evaluations_per_move", (CHESS,), 800 * 0.992 + 1),
        ("ratio", ("params", "alexnet", CHESS), PARAMS / 23_333_708),
        ("ratio", ("samples", CHESS, "alexnet"), SAMPLES / (1.2e6 * 90)),
        ("ratio", ("outcomes", CHESS, "alexnet"), GAMES / 1.2e6),
        ("hours", (TPU[0],), 12.444167),
        ("epochs", (TPU[1],), 41),
        ("sped_up", TPU, 12.444167 / 2.741805),
        ("sped_up", (*TPU, "epochs"), 78 / 41),
        ("batches", TPU, 1),
        ("batch", TPU[:1], 1024),
        ("precision_step", TPU, 1),
        ("precision_step", ("diux_resnet50_p3-tensorpack", "fastai_pytorch"), 0),
        ("system", ("AlphaGo Zero", "AI and Compute"), 1740 * 8.64e19),
        ("largest_of_the_rest", ("alphago", "Epoch 2026"), 6.62e21),
        ("win_rate", ("all settings",), 0.665),
        ("orders", (1000,), 3),
        ("elo", (0.665,), 400 * log10(0.665 / 0.335)),
    ],
)  # fmt: skip
def test_by_hand(figures, name, words, by_hand):
    assert figures.functions[name](*words) == pytest.approx(by_hand, rel=1e-6)


def test_a_runs_compute_is_the_product_of_its_factors(figures):
    names = ("flops", "backward", "samples", "positions", "outcomes", "generating")
    for run in ("alexnet", CHESS):
        product = 1.0
        for name in names:
            product *= figures.factor(run, name)
        assert figures.compute(run) == pytest.approx(product)
        assert figures.training_compute(run) == pytest.approx(
            product / figures.factor(run, "generating")
        )
    assert figures.ratio("training compute", CHESS, "alexnet") == pytest.approx(
        10**2.175, rel=0.012
    )


def test_what_is_asked_for_is_remembered_until_it_is_forgotten(figures):
    figures.forget()
    figures.fact("alexnet", "images")
    assert figures.kinds == {"cited"}
    assert any("Krizhevsky" in source for source in figures.sources)
    figures.profile("alexnet", "params")
    assert figures.kinds == {"cited", "measured"}
    figures.forget()
    assert (figures.kinds, figures.sources) == (set(), {})


@pytest.mark.parametrize(
    ("name", "words", "complaint"),
    [
        ("batches", (), "no batch is known"),
        ("batch", ("fastai_pytorch",), "fastai_pytorch has no one batch: it is "),
        ("sped_up", (*TPU, "price"), "no factor 'price'"),
        ("win_rate", ("no such",), "nothing that was tuned is called"),
        ("fact", ("vgg16", "epochs", "late"), "vgg16 has no phase 'late'; it has"),
    ],
)
def test_what_there_is_not_is_said(figures, name, words, complaint):
    with pytest.raises(NoFigure, match=complaint):
        figures.functions[name](*words)


PHASES = """
title = "Two searches"
published_on = 2020-01-01
model = "alphazero-go"
method = "self-play"
games = {value = 1000, source = "x"}
plies_per_game = {value = 200, source = "x"}
evaluations_per_simulation = {value = 0.5, source = "x"}

[[phases]]
name = "shallow"
simulations_per_move = {value = 100, source = "x"}

[[phases]]
name = "deep"
simulations_per_move = {value = 800, source = "x"}
root_evaluations = {value = 1, source = "x"}
"""


def test_where_phases_differ_one_must_be_named(figures, tmp_path):
    (tmp_path / "two.toml").write_text(PHASES)
    run = str(tmp_path / "two.toml")
    assert figures.fact(run, "games") == 1000  # of both
    assert figures.fact(run, "simulations_per_move", "shallow") == 100
    assert figures.evaluations_per_move(run, "deep") == 800 * 0.5 + 1
    assert figures.evaluations_per_move(run, "shallow") == 100 * 0.5
    with pytest.raises(NoFigure, match="is 100 in 'shallow', 800 in 'deep'; name the phase, too"):
        figures.fact(run, "simulations_per_move")
    with pytest.raises(NoFigure, match="is 50 in 'shallow', 401 in 'deep'; name the phase, too"):
        figures.evaluations_per_move(run)
