"""What an expression may ask of an experiment, each against hand arithmetic."""

import csv
from math import log10

import pytest
from flopledger.errors import FlopledgerError
from flopledger.experiments.horizon_result import Horizon
from flopledger.experiments.trials import Row
from flopledger.statements import experiment_figures
from flopledger.statements.experiment_figures import ExperimentFigures
from flopledger.storage.facts import facts_folder


@pytest.fixture(scope="module")
def figures():
    return ExperimentFigures(lambda kind, source: None)


def test_what_an_arm_took_and_how_it_grows(figures):
    table = facts_folder("measured", "horizon.csv").read_text()
    own = [
        float(row["samples"])
        for row in csv.DictReader(table.splitlines())
        if (row["task"], row["arm"], row["purpose"]) == ("digits", "h = 1", "measuring")
    ]
    mean = 10 ** (sum(map(log10, own)) / len(own))  # all of them reached it
    assert figures.experiment("digits", "h = 1", "samples") == pytest.approx(mean)
    # forward and backward of a step's image, and the pass that draws its answer
    each = 2 * (64 * 64 + 64 * 10) + 2 * (64 * 64 + 2 * 64 * 10)
    assert figures.experiment("digits", "h = 1", "flops_learning") == pytest.approx(mean * each)
    assert figures.growth("digits", "c h^d", 1) == 1
    square = figures.growth("digits", "c h^d", 9)
    assert square == pytest.approx(figures.growth("digits", "c h^d", 3) ** 2)
    assert log10(figures.growth("digits", "c h^d", 10)) == pytest.approx(figures.exponent("digits"))
    ends = [figures.exponent("digits", end) for end in ("low", "value", "high")]
    assert ends == sorted(ends)
    # a + b h: equal steps of h cost equal FLOP
    one, two, three = (figures.growth("digits", "a + b h", h) for h in (1, 65, 129))
    assert three - two == pytest.approx(two - one)


def test_what_an_arm_had_spent_that_never_got_there(figures, monkeypatch):
    never = [
        Row(
            task="coin", arm="gradient", horizon=None, settings="", seed=seed, purpose=purpose,
            target=0.8, budget=10**5, reached=False, samples=samples, flops_learning=1.0,
            flops_making=0.0, score=0.5, seconds=1.0,
        )
        for seed, (purpose, samples) in enumerate(
            (("choosing", 10), ("measuring", 10**5), ("measuring", 10**7))
        )
    ]  # fmt: skip
    result = Horizon(
        task="coin", title="", target=0.8, budget=10**5, arms=("gradient",), rows=never
    )
    monkeypatch.setattr(experiment_figures, "measured", lambda task: result)
    with pytest.raises(FlopledgerError, match=r"no trial of gradient reached 0.8; spent"):
        figures.experiment("coin", "gradient", "samples")
    assert figures.spent("coin", "gradient", "samples") == pytest.approx(10**6)


@pytest.mark.parametrize(
    ("name", "words", "complaint"),
    [
        ("experiment", ("digit", "h = 1", "samples"), "did you mean digits?"),
        ("experiment", ("digits", "h = 3", "samples"), "it has supervised, h = 1, h = 2"),
        ("experiment", ("digits", "h = 1", "seconds"), "say samples, flops, flops_learning"),
        ("growth", ("digits", "h^d", 2), "say a + b h or c h^d"),
        ("exponent", ("digits", "middle"), "say value, low, high"),
    ],
)
def test_an_arm_that_there_is_not(figures, name, words, complaint):
    with pytest.raises(FlopledgerError) as raised:
        getattr(figures, name)(*words)
    assert complaint in str(raised.value)
