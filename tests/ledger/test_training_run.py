"""Which networks a run needs counted, and which of them a phase trains."""

from datetime import date

import pytest
from flopledger.ledger.quantity import Choice
from flopledger.ledger.training_run import Phase, TrainingRun
from flopledger.zoo.sizes import USUAL, Sizes
from pydantic import ValidationError

SMALL = Sizes(input=(1, 3, 128, 128))


def run(*phases, models=(("resnet50",),), **more):
    return TrainingRun(
        name="mine", file="mine.toml", title="t", published_on=date(2020, 1, 1), models=models,
        phases=phases, **more,
    )  # fmt: skip


def phase(name="training", model=None, **more):
    return Phase(name=name, model=model, method="supervised", facts={}, **more)


def test_a_phase_trains_its_own_network_or_the_runs():
    whole = run(phase("own", "vgg16"), phase("the run's"), phase("small", sizes=SMALL))
    assert [whole.networks_of(part) for part in whole.phases] == [
        ("vgg16",), ("resnet50",), ("resnet50 at 1x3x128x128",),
    ]  # fmt: skip
    assert whole.networks == (("resnet50",),)
    assert whole.needed == {
        "resnet50": ("resnet50", USUAL),
        "vgg16": ("vgg16", USUAL),
        "resnet50 at 1x3x128x128": ("resnet50", SMALL),
    }


def test_of_an_open_question_every_answer_is_needed():
    choice = Choice(weights=(0.75, 0.25), kind="assumed", source="x")
    whole = run(phase(), models=(("resnet50",), ("vgg16", "alexnet")), choice=choice)
    assert whole.networks_of(whole.phases[0]) == ("resnet50", "alexnet")
    assert set(whole.needed) == {"resnet50", "vgg16", "alexnet"}


def test_a_teacher_is_needed_in_its_usual_sizes():
    whole = run(phase(teacher="vgg16", sizes=SMALL), sizes=SMALL)
    assert whole.needed["vgg16"] == ("vgg16", USUAL)
    assert whole.networks == (("resnet50 at 1x3x128x128",),)


@pytest.mark.parametrize("wrong", [{"phases": ()}, {"models": ()}])
def test_a_run_has_a_network_and_a_phase(wrong):
    with pytest.raises(ValidationError, match="at least 1 item"):
        TrainingRun.model_validate(run(phase()).model_dump() | wrong)
