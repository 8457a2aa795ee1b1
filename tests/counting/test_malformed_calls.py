"""Malformed calls and inputs, drawn at random: refused where PyTorch refuses them, in one line."""

import pytest
import torch
from flopledger.cli.main import main
from flopledger.counting.profiling import profile
from flopledger.profiles.tables import ProfilingError
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

NETWORKS = {
    "conv": lambda: nn.Conv2d(3, 4, 3),
    "grouped": lambda: nn.Conv1d(4, 4, 3, groups=2),
    "transposed": lambda: nn.ConvTranspose2d(3, 4, 3),
    "linear": lambda: nn.Linear(4, 5),
    "embedding": lambda: nn.Embedding(6, 4),
    "norm": lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)),
    "lstm": lambda: nn.LSTM(4, 3),
    "attention": lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
    "bilinear": lambda: nn.Bilinear(4, 4, 2),
}
SHAPES = st.lists(st.integers(0, 5), max_size=5)
DTYPES = st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64])


@settings(max_examples=150)
@given(st.sampled_from(sorted(NETWORKS)), st.lists(st.tuples(SHAPES, DTYPES), max_size=2))
def test_a_malformed_call_is_refused_where_pytorch_refuses_it(name, drawn):
    network = NETWORKS[name]().eval()
    inputs = [torch.zeros(shape, dtype=dtype) for shape, dtype in drawn]
    try:
        network(*inputs)  # gradients on: the fast path takes empty inputs that the layers refuse
        runs = True
    except Exception:
        runs = False
    try:
        counted = profile(network, inputs)
    except ProfilingError as error:
        assert not runs, error
        assert "\n" not in str(error)
    else:
        assert runs, (counted.total("macs"), counted.check)
        assert counted.check.agrees is not False


@settings(max_examples=60)
@given(st.text("0123456789,x=:-.intfloa64 ", max_size=14))
def test_a_malformed_input_is_one_line_and_no_traceback(capsys_factory, text):
    code, err = capsys_factory("profile", "alexnet", f"--input={text}", "--counter", "dispatch")
    assert code in (0, 1, 2)
    assert code == 0 or len(err) == 1, err
    assert not any("Traceback" in line for line in err)


@pytest.fixture(scope="module")
def capsys_factory():
    """The command line as a function: its exit code, its lines on stderr."""
    import contextlib
    import io

    def call(*words):
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as stop,
        ):
            main(words)
        return stop.value.code, err.getvalue().splitlines()

    return call
