"""Digits: what is trained on, what an epoch costs by hand, and that a stop changes nothing."""

import torch
from flopledger.training.digits import TESTED, Digits, Plan, Trainer, after, before, read_digits

# AlexNet cut to 8 x 8: points x kernel x inputs (of a group) x outputs, then the linear layers
CONVOLUTIONS = (64 * 9 * 1 * 32, 16 * 9 * 16 * 64, 16 * 9 * 64 * 96, 16 * 9 * 48 * 96,
                16 * 9 * 48 * 64)  # fmt: skip
LINEAR = (256 * 256, 256 * 256, 256 * 10)
MACS = sum(CONVOLUTIONS) + sum(LINEAR)


def some(images=10):
    """The first of the digits, in training and in test."""
    whole = read_digits(seed=0)
    part = tuple(tensor[:images] for tensor in whole.trained)
    return Digits(part, part)


def test_the_digits_are_split_once():
    # scikit-learn's documentation: 1,797 samples of 8 x 8, values 0 to 16, ten classes
    first, other = read_digits(seed=0), read_digits(seed=1)
    images, labels = first.trained
    assert images.shape == (1797 - TESTED, 1, 8, 8)
    assert (images.min(), images.max()) == (0, 1)
    assert set(labels.tolist()) == set(range(10))
    assert len(first.tested[0]) == TESTED
    assert not torch.equal(images, other.trained[0])
    assert torch.equal(images, read_digits(seed=0).trained[0])


def test_an_epoch_by_hand():
    training = Trainer(Plan(batch=4), some(10))
    training.epoch()
    totals = training.totals
    assert (totals.epochs, totals.steps, totals.samples) == (1, 3, 10)
    assert totals.forward_flops == 10 * 2 * MACS
    # every product twice, but no gradient goes into the images
    assert totals.backward_flops == 10 * 2 * (2 * MACS - CONVOLUTIONS[0])
    assert not training.network.training


def test_the_facts_before_and_after_are_counts():
    plan = Plan(epochs=2, batch=4)
    training = Trainer(plan, some(10))
    for _ in range(plan.epochs):
        training.epoch()
    expected, metered = before(plan, some(10)), after(training.totals)
    assert {key: fact.value for key, fact in expected.items()} == {"images": 10, "epochs": 2}
    assert {key: fact.value for key, fact in metered.items()} == {"images": 10, "epochs": 2}
    assert {fact.kind for fact in metered.values()} == {"measured"}


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    whole, half, rest = (Trainer(Plan(batch=4), some()) for _ in range(3))
    losses = [whole.epoch(), whole.epoch()]
    assert losses[0] != losses[1]
    half.epoch()
    half.save(tmp_path / "half.pt")
    rest.load(tmp_path / "half.pt")
    assert rest.epoch() == losses[1]
    for weight, other in zip(whole.network.parameters(), rest.network.parameters(), strict=True):
        assert torch.equal(weight, other)


def test_it_learns():
    training = Trainer(Plan(batch=10), some(60))
    for _ in range(25):
        training.epoch()
    assert training.accuracy() > 0.5  # of the images it was trained on; chance is 0.1
