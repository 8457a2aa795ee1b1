"""How many samples go in, and that a profile says what was taken for one."""

from types import SimpleNamespace

import pytest
from flopledger.counting.profiling import profile
from torch import nn, ones, tensor, zeros
from torch.nn.utils.rnn import pack_padded_sequence


class Calls(nn.Module):
    def __init__(self, function, *layers):
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, *args):
        return self.function(*self.layers, *args)


def first(layer, x, *_):
    return layer(x)


def second(layer, _, x):
    return layer(x)


IDS, ROWS = zeros(2, 9).long(), ones(6, 3)
LINEAR = nn.Linear(3, 2)
PACKED = pack_padded_sequence(ones(5, 2, 3), tensor([5, 3]))  # 2 sequences, 8 rows
TIME, SINGLE = "takes time first: axis 1 was taken", "takes the input without a batch"
CASES = {  # network, arguments, samples, what is said of them
    "rows": (LINEAR, (ROWS,), 6, ""),
    "packed": (nn.LSTM(3, 4), (PACKED,), 2, ""),
    "time first": (nn.Sequential(nn.GRU(3, 4)), (ones(5, 2, 3),), 2, f"0 {TIME}"),
    "batch first": (nn.LSTM(3, 4, batch_first=True), (ones(5, 2, 3),), 5, ""),
    "time first inside": (
        Calls(lambda layer, x: layer(x.transpose(0, 1)), nn.LSTM(3, 4)), (ones(5, 2, 3),), 5, "",
    ),
    "one sequence": (nn.LSTM(3, 4), (ones(5, 3),), 5, SINGLE),
    "attention": (nn.TransformerEncoderLayer(8, 2, 16), (ones(5, 2, 8),), 2, TIME),
    "attention, batch first": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (ones(5, 2, 8),), 5, "",
    ),
    "one picture": (nn.Conv2d(3, 2, 1), (ones(3, 4, 4),), 3, SINGLE),
    "one vector": (LINEAR, (ones(3),), 3, SINGLE),
    "pictures in a list": (
        Calls(lambda layer, xs: [layer(x[None]) for x in xs], nn.Conv2d(3, 2, 1)),
        ([ones(3, 4, 4), ones(3, 5, 5)],), 2, "each picture of the list was taken for a sample",
    ),
    "a number first": (Calls(second, LINEAR), (tensor(3.0), ROWS), 6, ""),
    "positions for all": (Calls(first, LINEAR), (ROWS, zeros(1, 9).long()), 6, ""),
    "edges first": (Calls(second, LINEAR), (IDS, ROWS), 2, "axis 0 of the inputs is 2 and 6: 2"),
    "an object": (
        Calls(lambda layer, b: layer(b.x), LINEAR), (SimpleNamespace(x=ROWS),), 6,
        "axis 0 of the SimpleNamespace's x, 6, was taken for the samples",
    ),
    "graphs": (
        Calls(lambda layer, b: layer(b.x), LINEAR), (SimpleNamespace(x=ROWS, num_graphs=4),), 4, "",
    ),
    "no tensor": (
        Calls(lambda layer, n: layer(ones(n, 3)), LINEAR), (5,), 1,
        "no tensor goes in: the pass was taken for one sample",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_taken_for_a_sample(name):
    network, args, samples, guess = CASES[name]
    counted = profile(network, args)
    assert counted.samples == samples
    taken = [note for note in counted.notes if "taken for" in note]
    assert len(taken) == bool(guess)
    assert guess in "".join(taken)


def test_samples_that_are_given_are_not_guessed():
    counted = profile(nn.LSTM(3, 4), ones(5, 2, 3), samples=7)
    assert (counted.samples, counted.notes) == (7, ())


def test_of_no_sample_nothing_is_counted_and_a_ratio_is_undefined():
    counted = profile(nn.Linear(3, 4), zeros(0, 3), backward=True)
    assert (counted.samples, counted.total("macs"), counted.backward.macs) == (0, 0, 0)
    assert counted.total("flops_per_param") is None
    assert counted.layers["flops_per_param"].isna().all()
