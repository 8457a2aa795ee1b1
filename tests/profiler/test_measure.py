"""profile(): both counters and the tables, through the public door."""

import pytest
import torch
from torch import nn

import profiler
from profiler import ProfilingError, profile


class Tied(nn.Module):
    """An encoder whose weight is used again, a layer never called, a parameter never used."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(4, 4), nn.Linear(4, 4)
        self.decode.weight = self.encode.weight
        self.never = nn.Linear(4, 9)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.decode(self.encode(x)).relu()


@pytest.fixture
def tied():
    return profile(Tied(), torch.zeros(5, 4))


def test_totals_by_hand(tied):
    params = 4 * 4 + 4 + 4 + (4 * 9 + 9) + 3
    assert tied.totals == {
        "params": params,
        "trainable_params": params,
        "active_params": params,
        "macs": 2 * 5 * 4 * 4,
        "masked_macs": 0,
        "flops": 2 * 2 * 5 * 4 * 4,
        "other_flops": 5 * 4,
        "flops_per_param": 2 * 2 * 4 * 4 / params,
        "activations": 2 * 5 * 4,
    }
    assert all(type(tied.total(name)) is int for name in ("params", "macs", "flops", "activations"))


def test_a_shared_parameter_counts_once_and_says_where(tied):
    layers = tied.layers.set_index("layer")
    assert layers.loc["encode", "params"] == 4 * 4 + 4
    assert layers.loc["decode", "params"] == 4
    assert layers.loc["decode", "shared"] == "decode.weight = encode.weight"


def test_what_is_never_used_is_listed(tied):
    assert tied.unused == ("scale", "never.weight", "never.bias")
    assert tied.uncalled() == ["never"]
    assert tied.layers.set_index("layer").loc["never", "calls"] == 0


def test_layers_columns(tied):
    assert list(tied.layers.columns) == [
        "layer", "kind", "calls", "params", "trainable_params", "macs", "flops", "other_flops",
        "flops_per_param", "output_shape", "activations", "shared",
    ]  # fmt: skip
    row = tied.layers.set_index("layer").loc["encode"]
    assert (row["kind"], row["calls"], row["output_shape"]) == ("linear", 1, (5, 4))
    assert row["flops_per_param"] == 2 * 4 * 4 / (4 * 4 + 4)  # of one sample


def test_deeper_layers_fold_into_their_ancestors():
    network = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Linear(3, 1))
    one = profile(network, torch.zeros(1, 2))
    folded = one.by_layer(1).set_index("layer")
    assert folded.loc["0", "macs"] == 2 * 3
    assert folded.loc["0", "kind"] == "Sequential"
    assert one.by_layer(0)["macs"].tolist() == [2 * 3 + 3]


def test_by_kind_and_by_operator():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    one = profile(network, torch.zeros(1, 2))
    kinds = one.by_kind().set_index("kind")
    assert (kinds.loc["linear", "layers"], kinds.loc["linear", "macs"]) == (2, 9)
    assert one.operators.set_index("operator").loc["aten::relu", "other_flops"] == 3


def test_the_backward_pass_is_measured():
    one = profile(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), torch.zeros(1, 2), backward=True)
    assert one.backward == {
        "macs": 6 + 2 * 3,
        "flops": 24,
        "other_flops": 3 + 1,  # the biases' gradients: sums over a batch of one
        "recomputed_macs": 0,
        "ratio_to_forward": 12 / 9,
    }
    assert profile(nn.Linear(2, 3), torch.zeros(1, 2)).backward is None


@pytest.mark.parametrize("counter", ["fvcore", "dispatch"])
def test_the_other_counter_checks(counter):
    one = profile(nn.Linear(2, 3), torch.zeros(1, 2), counter=counter)
    assert one.counter == counter
    assert {one.counter, one.check.counter} == {"fvcore", "dispatch"}
    assert (one.check.macs, one.check.agrees) == (6, True)


class Dead(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.dead = nn.Linear(4, 5), nn.Linear(4, 7)

    def forward(self, x):
        self.dead(x)
        return self.used(x)


def test_a_disagreement_says_where():
    one = profile(Dead(), torch.zeros(1, 4))
    assert (one.total("macs"), one.check.macs, one.check.agrees) == (20, 48, False)
    assert one.check.reason == "they differ at dead"


class FloatDecides(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) if x.sum() >= 0 else x


def test_where_a_float_decides_the_network_is_computed_and_the_line_named():
    one = profile(FloatDecides(), torch.zeros(1, 4))
    assert (one.total("macs"), one.check.macs, one.check.agrees) == (16, 16, True)
    (note,) = one.notes
    assert "test_measure.py" in note
    assert "x.sum() >= 0" in note
    assert "computed, on zeros" in note


def test_where_a_float_decides_in_what_does_not_fit_the_line_is_named(monkeypatch):
    monkeypatch.setattr("profiler.passes.fits", lambda module: False)
    monkeypatch.setattr("profiler.measure.fits", lambda module: False)
    with pytest.raises(ProfilingError, match=r"x\.sum\(\) >= 0.*too large to compute"):
        profile(FloatDecides(), torch.zeros(1, 4))


class NoTensor(nn.Module):
    def forward(self, x):
        return int(x.shape[0])


def test_auto_takes_the_counter_that_can():
    one = profile(NoTensor(), torch.zeros(1, 4))
    assert (one.counter, one.check.counter, one.check.agrees) == ("dispatch", "fvcore", None)
    assert "returns no tensor" in one.check.reason


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x @ x

    @staticmethod
    def backward(ctx, grad):
        return grad


class OwnFunction(nn.Module):
    def forward(self, x):
        return Product.apply(x)


def test_auto_takes_the_counter_that_counts_all():
    # tracing does not look inside an autograd function
    one = profile(OwnFunction(), torch.zeros(4, 4))
    assert (one.counter, one.total("macs"), one.complete) == ("dispatch", 4 * 4 * 4, True)
    assert one.check.agrees is False
    assert one.check.reason.endswith("fvcore has no formula for prim::PythonOp.Product")


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_what_cannot_be_hooked_is_refused_in_one_line():
    with pytest.raises(ProfilingError, match="not supported on ScriptModules"):
        profile(torch.jit.script(nn.Linear(3, 4)), torch.zeros(2, 3))


def test_a_network_without_parameters_has_no_ratio():
    one = profile(nn.ReLU(), torch.zeros(2, 3))
    assert one.total("flops_per_param") is None
    assert one.layers["flops_per_param"].isna().all()
    assert "nan" not in repr(one.totals)


def test_frozen_parameters_are_no_trainable_ones():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    network[0].requires_grad_(False)
    one = profile(network, torch.zeros(1, 2))
    assert (one.total("params"), one.total("trainable_params")) == (9 + 4, 4)
    assert one.total("flops_per_param") == 2 * 9 / 4


def test_samples_are_axis_0_unless_said_otherwise():
    network, image = nn.Conv2d(3, 2, 1), torch.zeros(3, 4, 4)  # one image, without a batch axis
    assert profile(network, image).samples == 3
    assert profile(network, image, samples=1).total("flops_per_param") == 2 * 16 * 6 / 8


def test_a_layer_that_cannot_take_its_input_is_named():
    network = nn.Sequential(nn.Linear(4, 5), nn.Linear(6, 7))
    with pytest.raises(ProfilingError, match=r"stopped at layer 1, which got 2x5") as caught:
        profile(network, torch.zeros(2, 4))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("counter", ["auto", "dispatch"])
@pytest.mark.parametrize(
    ("network", "x"),
    [
        (nn.Embedding(10, 4), torch.zeros(2, 3)),
        (nn.Embedding(10, 4), torch.full((2, 3), 99)),
        (nn.BatchNorm2d(8), torch.zeros(2, 4, 3, 3)),
        (nn.Softmax(dim=3), torch.zeros(2, 4)),
        (nn.Linear(4, 4), torch.zeros(2, 4, dtype=torch.int64)),
        (nn.MaxPool2d(3, padding=2), torch.zeros(1, 1, 9, 9)),
    ],
)
def test_what_no_kernel_takes_is_refused(network, x, counter):
    with pytest.raises(ProfilingError, match="change the input or that layer"):
        profile(network, x, counter=counter)


def test_the_module_keeps_its_mode():
    network = nn.Sequential(nn.Dropout(), nn.Linear(4, 5))
    network[0].eval()
    profile(network, torch.zeros(2, 4))
    assert (network.training, network[0].training, network[1].training) == (True, False, True)


def test_wrong_words_are_refused():
    with pytest.raises(ValueError, match="no counter is called 'thop'"):
        profile(nn.ReLU(), torch.zeros(1), counter="thop")
    with pytest.raises(profiler.UnknownModel):
        profile("no-such-model")


def test_it_shows_itself(tied):
    assert "160 MACs a pass (fvcore)" in repr(tied)
    assert "encode" in repr(tied)
    assert "<table" in tied._repr_html_()
    assert dict(tied.__rich_repr__())["macs"] == 160
