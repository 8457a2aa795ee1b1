"""Memory by hand, and against what the allocator gave."""

import json

import pytest
import torch
import torch.nn.functional as F
from flopledger.allocation.estimate import memory
from flopledger.allocation.held_bytes import Memory
from flopledger.allocation.measure import allocated
from torch import nn
from torch.utils.checkpoint import checkpoint

FLOAT = 4  # bytes


def mlp():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))


MLP_PARAMS = (8 * 16 + 16 + 16 * 4 + 4) * FLOAT
BATCH = torch.zeros(32, 8)
HIDDEN, OUT = 32 * 16 * FLOAT, 32 * 4 * FLOAT  # of that batch


def test_parts_of_a_small_mlp_by_hand():
    estimate = memory(mlp(), (BATCH,))
    assert (estimate.params_bytes, estimate.buffers_bytes) == (MLP_PARAMS, 0)
    assert estimate.inputs_bytes == 32 * 8 * FLOAT
    assert estimate.gradients_bytes == MLP_PARAMS
    assert estimate.optimiser_state_bytes == 2 * MLP_PARAMS
    # ReLU keeps its output, which is what the second layer keeps too; the first keeps the input
    assert estimate.saved_activations_bytes == HIDDEN


def test_it_shows_what_is_known_of_it():
    held = Memory(params_bytes=2**20, buffers_bytes=0, inputs_bytes=0, inference_peak_bytes=2**21)
    rows = [line.rsplit(maxsplit=2) for line in repr(held).splitlines()]
    assert [row[0].strip() for row in rows] == [
        "parameters", "buffers", "inputs", "peak of inference"]  # fmt: skip
    assert [row[1:] for row in rows[::3]] == [["1.00", "MiB"], ["2.00", "MiB"]]
    assert "<td>2.00 MiB</td>" in held._repr_html_()
    whole = json.loads(held.to_json())
    assert (whole["params_bytes"], whole["training_peak_bytes"]) == (2**20, None)


def test_peaks_of_a_small_mlp_by_hand():
    estimate = memory(mlp(), (BATCH,), optimiser="sgd")
    base = MLP_PARAMS + 32 * 8 * FLOAT
    # while ReLU runs: what goes in and what comes out
    assert estimate.inference_peak_bytes == base + 2 * HIDDEN
    # while its backward runs: its output, the gradients of output and input; the network's output
    # with its gradient; the gradients of the second layer's weights and biases
    second = (16 * 4 + 4) * FLOAT
    assert estimate.training_peak_bytes == base + 3 * HIDDEN + 2 * OUT + second


def test_an_optimiser_keeps_copies_and_adam_takes_two_of_the_largest_parameter_for_its_step():
    def peak(optimiser):
        return memory(nn.Linear(100, 100), (torch.zeros(1, 100),), optimiser=optimiser)

    weights, biases, sample = 100 * 100 * FLOAT, 100 * FLOAT, 100 * FLOAT
    params = weights + biases
    assert [peak(o).optimiser_state_bytes for o in ("sgd", "momentum", "adam")] == [
        0, params, 2 * params,
    ]  # fmt: skip
    # parameters, gradients, two averages, and the square root and quotient
    assert peak("adam").training_peak_bytes == 4 * params + sample + 2 * weights
    # after the backward pass: the output and its gradient too
    assert peak("sgd").training_peak_bytes == 2 * params + sample + 2 * biases
    cuda = memory(nn.Linear(100, 100), (torch.zeros(1, 100),), device="cuda")
    assert cuda.training_peak_bytes == 4 * params + sample + params  # all square roots at once


def test_convolution_and_normalisation_keep_their_inputs():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    image, plane = torch.zeros(5, 1, 10, 10), 5 * 2 * 8 * 8 * FLOAT
    train, still = memory(net, (image,)), memory(net.eval(), (image,))
    assert train.buffers_bytes == 2 * 2 * FLOAT + 8  # means, variances, and an int64 that counts
    # the convolution's output, ReLU's; and when it is training the batch's mean and deviation
    assert train.saved_activations_bytes == 2 * plane + 2 * 2 * FLOAT
    assert 2 * plane <= still.saved_activations_bytes <= train.saved_activations_bytes


def test_what_works_in_place_keeps_one_tensor():
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(inplace=True), nn.Linear(16, 4))
    estimate = memory(net, (BATCH,), optimiser="sgd")
    assert estimate.saved_activations_bytes == HIDDEN
    assert estimate.inference_peak_bytes == MLP_PARAMS + 32 * 8 * FLOAT + HIDDEN + OUT


class Deep(nn.Module):
    """Four blocks, each of which would keep two tensors of its own and its output."""

    def __init__(self, checkpointed):
        super().__init__()
        self.checkpointed = checkpointed
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
            for _ in range(4)
        )

    def forward(self, x):
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.checkpointed else block(x)
        return x


def test_checkpointing_keeps_the_blocks_inputs_alone():
    x = torch.zeros(32, 16)
    plain, less = memory(Deep(False), (x,)), memory(Deep(True), (x,))
    assert plain.saved_activations_bytes == 4 * 2 * HIDDEN
    assert less.saved_activations_bytes == 3 * HIDDEN  # of the second block to the last
    assert less.training_peak_bytes < plain.training_peak_bytes
    assert less.inference_peak_bytes == plain.inference_peak_bytes


def test_frozen_parameters_have_no_gradients():
    net = mlp()
    net[0].requires_grad_(False)
    estimate = memory(net, (BATCH,))
    assert estimate.params_bytes == MLP_PARAMS
    assert estimate.gradients_bytes == (16 * 4 + 4) * FLOAT
    assert estimate.optimiser_state_bytes == 2 * estimate.gradients_bytes
    assert estimate.saved_activations_bytes == HIDDEN  # the last layer's input


def test_shared_parameters_are_one():
    net = nn.Sequential(nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False))
    net[1].weight = net[0].weight
    estimate = memory(net, (torch.zeros(32, 16),), optimiser="momentum")
    once = 16 * 16 * FLOAT
    assert (estimate.params_bytes, estimate.gradients_bytes, estimate.optimiser_state_bytes) == (
        once,
    ) * 3


class Lora(nn.Module):
    """A frozen layer, and a trained detour of rank 4."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Linear(64, 64).requires_grad_(False)
        self.down, self.up = nn.Linear(64, 4, bias=False), nn.Linear(4, 64, bias=False)

    def forward(self, x):
        return self.frozen(x) + self.up(self.down(x))


def test_lora_trains_and_keeps_little():
    estimate = memory(Lora(), (torch.zeros(10, 64),))
    assert estimate.params_bytes == (64 * 64 + 64 + 2 * 4 * 64) * FLOAT
    assert estimate.gradients_bytes == 2 * 4 * 64 * FLOAT
    assert estimate.saved_activations_bytes == 10 * 4 * FLOAT  # what `up` is given


class Attention(nn.Module):
    """Of four heads; nothing is learnt but one scale, so that its inputs need gradients."""

    def __init__(self, dropout):
        super().__init__()
        self.dropout, self.scale = dropout, nn.Parameter(torch.ones(()))

    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q * self.scale, k, v, dropout_p=self.dropout)


def test_a_fused_attention_stores_no_scores():
    q = torch.zeros(2, 4, 256, 8)
    tensor, scores, sums = q.nbytes, 2 * 4 * 256 * 256 * FLOAT, 2 * 4 * 256 * FLOAT
    fused = memory(Attention(0.0), (q, q.clone(), q.clone()))
    # the scaled query, the output, and each row's sum
    assert fused.saved_activations_bytes == 2 * tensor + sums
    assert fused.inference_peak_bytes < scores
    # with dropout no CPU kernel takes it, one on CUDA does
    apart = memory(Attention(0.1), (q, q.clone(), q.clone()))
    assert apart.saved_activations_bytes > 2 * scores
    cuda = memory(Attention(0.1), (q, q.clone(), q.clone()), device="cuda")
    assert cuda.saved_activations_bytes == fused.saved_activations_bytes


def test_dropout_keeps_floats_on_the_cpu_and_truth_values_on_cuda():
    net = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5))
    masks = [memory(net, (BATCH,), device=d).saved_activations_bytes for d in ("cpu", "cuda")]
    assert masks == [HIDDEN, 32 * 16]


def test_a_network_that_no_machine_holds():
    side = 200_000
    with torch.device("meta"):
        net = nn.Linear(side, side, bias=False, dtype=torch.bfloat16)
    estimate = memory(net, (torch.zeros(1, side, dtype=torch.bfloat16),), optimiser="sgd")
    assert estimate.training_peak_bytes == 2 * side * side * 2 + 3 * side * 2  # 160 GB


def test_inference_alone_says_nothing_of_training():
    estimate = memory(mlp().requires_grad_(False), (BATCH,), backward=False)
    assert estimate.inference_peak_bytes == MLP_PARAMS + 32 * 8 * FLOAT + 2 * HIDDEN
    assert estimate.training_peak_bytes is estimate.gradients_bytes is None
    assert set(estimate.as_dict()) >= {"params_bytes", "saved_activations_bytes"}


def test_mistakes_are_told_in_one_line():
    with pytest.raises(ValueError, match="called 'sophia'; say sgd, momentum, adam, adamw"):
        memory(mlp(), (BATCH,), optimiser="sophia")
    with pytest.raises(ValueError, match="no kernels are known of 'tpu'; say cpu or cuda"):
        memory(mlp(), (BATCH,), device="tpu")
    with pytest.raises(ValueError, match="no output requires a gradient"):
        memory(mlp().requires_grad_(False), (BATCH,))


class Fails(nn.Linear):
    """After it has computed."""

    def forward(self, x):
        super().forward(x)
        raise KeyError("on purpose")


@pytest.mark.parametrize("measure", [memory, allocated])
def test_nothing_is_left_behind(measure):
    net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
    before = {name: (id(t), t.clone()) for name, t in net.state_dict(keep_vars=True).items()}
    broken = Fails(8, 8)
    rng = torch.get_rng_state()
    measure(net, (BATCH,))
    with pytest.raises(KeyError, match="on purpose"):
        measure(broken, (BATCH,))
    after = net.state_dict(keep_vars=True)
    assert all(id(after[name]) == key for name, (key, _) in before.items())
    assert all(torch.equal(after[name], value) for name, (_, value) in before.items())
    assert all(p.grad is None and not p.is_meta for p in (*net.parameters(), *broken.parameters()))
    assert torch.equal(rng, torch.get_rng_state())
    for op in ("scaled_dot_product_attention", "lstm.input", "dropout"):
        assert not torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{op}", "AutogradMeta")


def convnet():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def wide_mlp():
    return nn.Sequential(
        nn.Linear(512, 1024), nn.GELU(), nn.Dropout(0.1), nn.Linear(1024, 512), nn.LayerNorm(512)
    )


def encoder(dropout):
    return nn.TransformerEncoderLayer(128, 8, 256, dropout=dropout, batch_first=True)


class Recurrent(nn.Module):
    def __init__(self, **how):
        super().__init__()
        self.rnn = nn.LSTM(128, 128, 2, **how)

    def forward(self, x):
        return self.rnn(x)[0]


NETWORKS = {
    "mlp": (wide_mlp, torch.zeros(256, 512)),
    "convnet": (convnet, torch.zeros(8, 3, 64, 64)),
    "encoder": (lambda: encoder(0.0), torch.zeros(4, 256, 128)),
    "encoder, with dropout": (lambda: encoder(0.1), torch.zeros(4, 128, 128)),
    "lstm": (Recurrent, torch.zeros(64, 8, 128)),
    "lstm, both ways": (
        lambda: Recurrent(bidirectional=True, batch_first=True, bias=False),
        torch.zeros(8, 64, 128),
    ),
    "checkpointed": (lambda: Deep(True), torch.zeros(20_000, 16)),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_worked_out_and_allocated_agree(name, optimiser):
    factory, x = NETWORKS[name]
    net = factory()
    told = memory(net, (x,), optimiser=optimiser).as_dict()
    taken = allocated(net, (x,), optimiser=optimiser).as_dict()
    told, taken = ({n: size for n, size in m.items() if size is not None} for m in (told, taken))
    # Adam also counts its steps: 4 bytes a parameter
    assert told == pytest.approx(taken, rel=0.1, abs=4 * len(list(net.parameters())))
