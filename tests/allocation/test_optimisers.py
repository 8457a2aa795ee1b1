"""What optimisers keep, by hand from shapes, and against what torch and others really keep."""

import pytest
import torch
from flopledger.allocation.estimate import memory
from flopledger.allocation.measure import allocated
from torch import nn

FLOAT, STEP = 4, 4  # bytes; torch counts steps in a float32 a parameter
ROWS, COLUMNS, KERNEL = 70, 100, 3
X = torch.zeros(2, COLUMNS, KERNEL, KERNEL)


def net():
    """A convolution, a matrix and a vector."""
    return nn.Sequential(
        nn.Conv2d(COLUMNS, ROWS, KERNEL, bias=False), nn.Flatten(), nn.Linear(ROWS, 9)
    )


CONV, MATRIX, VECTOR = ROWS * COLUMNS * KERNEL**2, ROWS * 9, 9
ELEMENTS = CONV + MATRIX + VECTOR
# Adafactor: for each but the last two axes a row's and a column's sum; a vector as it is
FACTORED = ROWS * COLUMNS * (KERNEL + KERNEL) + (9 + ROWS) + VECTOR


def eight_bit(count):
    """Two averages: below 4096 elements as float32, else a byte each, a float32 each 256."""
    return 2 * (4 * count if count < 4096 else count + 4 * (-(-count // 256)))


CODES = 2 * 256 * FLOAT  # what the bytes stand for, signed and unsigned, once
BY_HAND = {
    "sgd": 0,
    "momentum": ELEMENTS * FLOAT,
    "adam": 2 * ELEMENTS * FLOAT,
    "adamw": 2 * ELEMENTS * FLOAT,
    "lion": ELEMENTS * FLOAT,
    "rmsprop": ELEMENTS * FLOAT,
    "adagrad": ELEMENTS * FLOAT,
    "adafactor": FACTORED * FLOAT,
    "adafactor-momentum": (FACTORED + ELEMENTS) * FLOAT,
    "adam8bit": sum(map(eight_bit, (CONV, MATRIX, VECTOR))) + CODES,
    "adamw8bit": sum(map(eight_bit, (CONV, MATRIX, VECTOR))) + CODES,
}


@pytest.mark.parametrize("optimiser", BY_HAND)
def test_an_optimisers_state_by_hand(optimiser):
    assert memory(net(), X, optimiser=optimiser).optimiser_state_bytes == BY_HAND[optimiser]


@pytest.mark.parametrize("optimiser", BY_HAND)
def test_and_what_it_really_keeps_and_takes_for_a_step(optimiser):
    if optimiser.endswith("8bit"):
        pytest.importorskip("bitsandbytes")
    wide = nn.Linear(300, 200)
    told = memory(wide, torch.zeros(1, 300), optimiser=optimiser)
    taken = allocated(wide, torch.zeros(1, 300), optimiser=optimiser)
    state = told.optimiser_state_bytes
    assert state <= taken.optimiser_state_bytes <= state + 2 * STEP
    assert told.training_peak_bytes == pytest.approx(taken.training_peak_bytes, rel=0.02)


# copies of a matrix that a step of the second of two makes, and those left of the first
IN_A_STEP = {"sgd": 0, "adam": 2 + 1, "adamw": 2 + 1, "lion": 2, "rmsprop": 2, "adafactor": 2}


@pytest.mark.parametrize("optimiser", IN_A_STEP)
def test_what_a_step_made_of_one_parameter_is_there_until_it_is_made_of_the_next(optimiser):
    matrix = 50 * 50 * FLOAT
    two = nn.Sequential(nn.Linear(50, 50, bias=False), nn.Linear(50, 50, bias=False))
    x = torch.zeros(1, 50)
    told, taken = (f(two, x, optimiser=optimiser) for f in (memory, allocated))
    kept = told.optimiser_state_bytes + IN_A_STEP[optimiser] * matrix
    passes = x.nbytes * (optimiser == "sgd")  # what is worst there; else the step
    assert 0 <= told.training_peak_bytes - (4 * matrix + x.nbytes + kept) <= 4 * passes
    assert told.training_peak_bytes == pytest.approx(taken.training_peak_bytes, rel=0.01)


def test_eight_bits_from_4096_elements_on():
    def state(count):
        bare = nn.Linear(count, 1, bias=False)
        return memory(bare, torch.zeros(1, count), optimiser="adam8bit").optimiser_state_bytes

    assert state(4095) == 2 * 4095 * FLOAT
    assert state(4096) == 2 * (4096 + 16 * FLOAT) + CODES
    assert state(4097) == 2 * (4097 + 17 * FLOAT) + CODES


def test_state_is_of_the_parameters_dtype_but_for_eight_bits():
    half = nn.Linear(64, 63, bias=False).bfloat16()
    x = torch.zeros(1, 64, dtype=torch.bfloat16)
    states = [memory(half, x, optimiser=o).optimiser_state_bytes for o in ("adam", "adam8bit")]
    assert states == [2 * 64 * 63 * 2, 2 * 64 * 63 * FLOAT]


def test_of_what_got_no_gradient_nothing_is_kept():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(4, 4), nn.Linear(5, 5)

        def forward(self, x):
            return self.used(x)

    used, unused = (4 * 4 + 4) * FLOAT, (5 * 5 + 5) * FLOAT
    assert memory(Half(), torch.zeros(1, 4)).optimiser_state_bytes == 2 * used
    # torch's Adagrad makes its sums before there are gradients
    for measure, steps in ((memory, 0), (allocated, 4 * STEP)):
        found = measure(Half(), torch.zeros(1, 4), optimiser="adagrad")
        assert found.optimiser_state_bytes == used + unused + steps


def test_complex_parameters_have_no_state_of_rows_or_of_bytes():
    spectrum = nn.Linear(4, 4, dtype=torch.complex64)
    x = torch.zeros(1, 4, dtype=torch.complex64)
    assert memory(spectrum, x).optimiser_state_bytes == 2 * (4 * 4 + 4) * 2 * FLOAT
    for optimiser in ("adafactor", "adam8bit"):
        with pytest.raises(ValueError, match=f"{optimiser} takes no complex parameters"):
            memory(spectrum, x, optimiser=optimiser)


def test_where_inputs_alone_are_trained_there_is_nothing_to_keep():
    x = torch.zeros(3, 4, requires_grad=True)
    for measure in (memory, allocated):
        found = measure(nn.Tanh(), x)
        assert (found.gradients_bytes, found.optimiser_state_bytes) == (0, 0)


def test_it_may_be_spelt_as_torch_spells_it():
    assert memory(net(), X, optimizer="sgd") == memory(net(), X, optimiser="sgd")
    with pytest.raises(ValueError, match="one option; give it once"):
        memory(net(), X, optimizer="sgd", optimiser="sgd")
