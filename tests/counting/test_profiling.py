"""profile(): both counters and the tables, through the public door."""

from dataclasses import asdict, dataclass, replace

import flopledger
import pytest
import torch
from flopledger import ProfilingError, profile
from flopledger.counting.profiling import counted
from torch import nn
from torch.utils._pytree import SUPPORTED_NODES
from torch.utils.checkpoint import checkpoint


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
    assert asdict(tied.totals) == {
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


def test_a_count_with_its_arguments_in_one_piece_is_of_the_forward_pass_too():
    network, x = nn.Linear(2, 3), torch.zeros(1, 2)
    assert counted("net", network, ((x,), {})) == replace(profile(network, x), model="net")


def test_deeper_layers_fold_into_their_ancestors():
    network = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Linear(3, 1))
    counted = profile(network, torch.zeros(1, 2))
    folded = counted.by_layer(1).set_index("layer")
    assert folded.loc["0", "macs"] == 2 * 3
    assert folded.loc["0", "kind"] == "Sequential"
    assert counted.by_layer(0)["macs"].tolist() == [2 * 3 + 3]


def test_by_kind_and_by_operator():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    counted = profile(network, torch.zeros(1, 2))
    kinds = counted.by_kind().set_index("kind")
    assert (kinds.loc["linear", "layers"], kinds.loc["linear", "macs"]) == (2, 9)
    assert counted.operators.set_index("operator").loc["aten::relu", "other_flops"] == 3


def test_the_backward_pass_is_measured():
    counted = profile(
        nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), torch.zeros(1, 2), backward=True
    )
    assert asdict(counted.backward) == {
        "macs": 6 + 2 * 3,
        "flops": 24,
        "other_flops": 3 + 1,  # the biases' gradients: sums over a batch of one
        "recomputed_macs": 0,
        "rescored_macs": 0,
        "ratio_to_forward": 12 / 9,
    }
    assert profile(nn.Linear(2, 3), torch.zeros(1, 2)).backward is None


@dataclass
class Batch:
    x: torch.Tensor
    scale: float


class TakesABatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)

    def forward(self, batch, extra=None):
        return self.layer(batch.x) * batch.scale


def test_a_dataclass_goes_in_with_its_tensors():
    counted = profile(TakesABatch(), Batch(torch.zeros(3, 4), 2.0), {"extra": {"none": None}})
    assert counted.total("macs") == 3 * 4 * 5
    assert [i.shape for i in counted.inputs] == [(3, 4)]
    assert counted.samples == 3
    assert Batch not in SUPPORTED_NODES  # what PyTorch knows of a user's class is the user's


class Experts(nn.Module):
    """Four experts, of which each token goes to two."""

    def __init__(self):
        super().__init__()
        self.embed, self.gate = nn.Embedding(10, 8), nn.Linear(8, 4, bias=False)
        self.experts = nn.ModuleList(nn.Linear(8, 8, bias=False) for _ in range(4))

    def forward(self, tokens):
        x = self.embed(tokens).flatten(0, 1)
        chosen = self.gate(x).softmax(-1).topk(2).indices
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows, _ = torch.where(chosen == number)
            if rows.numel():
                out[rows] += expert(x[rows])
        return out


def test_a_mixture_of_experts_shows_its_active_parameters():
    counted = profile(Experts(), torch.zeros(1, 6, dtype=torch.int64))
    assert counted.total("macs") == 6 * 8 * 4 + 2 * 6 * 8 * 8
    assert counted.total("params") == 10 * 8 + 8 * 4 + 4 * 8 * 8
    assert counted.total("active_params") == 10 * 8 + 8 * 4 + 2 * 8 * 8
    (note,) = counted.notes
    assert note.endswith("selects by its values was taken as evenly spread")
    assert counted.check.agrees  # fvcore computes, and sends all tokens to the same two


def test_of_causal_attention_the_upper_half_is_shown_apart():
    class Causal(nn.Module):
        def forward(self, q):
            return nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True)

    counted = profile(Causal(), torch.zeros(2, 3, 5, 4))
    assert counted.total("macs") == 2 * 3 * 5 * 5 * (4 + 4)
    assert counted.total("masked_macs") == 2 * 3 * (4 + 3 + 2 + 1) * (4 + 4)


def test_a_boolean_mask_throws_away_what_it_says():
    class Masked(nn.Module):
        def forward(self, q, mask):
            return nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)

    mask = torch.tensor([[True, False, False]]).expand(3, 3)
    counted = profile(Masked(), (torch.zeros(2, 1, 3, 4), mask))
    assert counted.total("masked_macs") == 2 * (3 * 2) * (4 + 4)


def test_checkpointing_shows_what_it_computes_again():
    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))

        def forward(self, x):
            return checkpoint(self.layers, x, use_reentrant=False)

    back = profile(Checkpointed(), torch.zeros(3, 4), backward=True).backward
    layer = 3 * 4 * 4
    assert (back.macs, back.recomputed_macs) == (4 * layer, layer)  # the last needs no second run


def test_a_training_step_by_hand():
    network = nn.Sequential(nn.Linear(4, 5, bias=False), nn.Linear(5, 6, bias=False))
    network[0].requires_grad_(False)
    counted = profile(network, torch.zeros(3, 4), backward=True)
    step = counted.training_step("momentum", accumulate=2)
    forward, backward = 3 * 4 * 5 + 3 * 5 * 6, 3 * 5 * 6  # the second layer's weight alone
    assert step.macs == 2 * (forward + backward)
    assert step.optimiser_flops == 4 * 5 * 6  # momentum: two products and two sums
    # Adafactor's work depends on shapes
    unknown = counted.training_step("adafactor")
    assert unknown.other_flops is unknown.optimiser_flops is None
    with pytest.raises(ValueError, match="no optimiser is called 'sophia'"):
        counted.training_step("sophia")
    with pytest.raises(ValueError, match="backward=True"):
        profile(network, torch.zeros(3, 4)).training_step()


def test_lora_trains_the_small_matrices_alone():
    class Lora(nn.Module):
        def __init__(self):
            super().__init__()
            self.whole = nn.Linear(16, 16, bias=False).requires_grad_(False)
            self.down, self.up = nn.Linear(16, 2, bias=False), nn.Linear(2, 16, bias=False)

        def forward(self, x):
            return self.whole(x) + self.up(self.down(x))

    counted = profile(Lora(), torch.zeros(3, 16), backward=True)
    small = 3 * 16 * 2
    assert counted.total("trainable_params") == 2 * 16 * 2
    assert counted.backward.macs == small + 2 * small  # down's weight; up's weight and its input
    assert counted.total("flops_per_param") == 2 * (16 * 16 + 2 * 16 * 2) / (2 * 16 * 2)


def test_a_network_without_parameters_has_no_ratio():
    counted = profile(nn.ReLU(), torch.zeros(2, 3))
    assert counted.total("flops_per_param") is None
    assert counted.layers["flops_per_param"].isna().all()
    assert "nan" not in repr(counted.totals)


def test_frozen_parameters_are_no_trainable_ones():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    network[0].requires_grad_(False)
    counted = profile(network, torch.zeros(1, 2))
    assert (counted.total("params"), counted.total("trainable_params")) == (9 + 4, 4)
    assert counted.total("flops_per_param") == 2 * 9 / 4


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
    with pytest.raises(flopledger.UnknownModel):
        profile("no-such-model")


def test_it_shows_itself(tied):
    assert "160 MACs a pass (fvcore)" in repr(tied)
    assert "encode" in repr(tied)
    assert "<table" in tied._repr_html_()
    assert dict(tied.__rich_repr__())["macs"] == 160


class Hungry(nn.Module):
    def forward(self, x):
        return x + torch.zeros(10**6, 10**6, dtype=torch.int64, device="cpu").sum()  # 8 TB


def test_want_of_memory_is_said_with_what_to_change():
    with pytest.raises(
        ProfilingError, match="memory is too small; give a smaller --batch or --inp"
    ):
        profile(Hungry(), torch.zeros(1, 4))


class Twice(nn.Module):
    """Its layer runs twice, on two shapes, and has two results of two shapes."""

    class Halved(nn.Module):
        def forward(self, x):
            return x, x[: len(x) // 2]

    def __init__(self):
        super().__init__()
        self.layer = self.Halved()

    def forward(self, x):
        return self.layer(self.layer(x)[1])[1]


@pytest.mark.parametrize("counter", ["fvcore", "dispatch"])
def test_a_layers_output_shape_is_its_last_calls_first_results(counter):
    (layer,) = (
        m for m in profile(Twice(), torch.zeros(8, 3), counter=counter).modules if m.path == "layer"
    )
    assert layer.calls == 2
    assert layer.output_shape == (4, 3)  # not 8, its first call's; not 2, the second result's
    assert layer.output_elements == (8 + 4) * 3 + (4 + 2) * 3
