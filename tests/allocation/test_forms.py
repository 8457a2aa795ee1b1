"""Forms of a training step: accumulated, in narrower floats, checkpointed, divided among ranks."""

import pytest
import torch
from flopledger.allocation.estimate import memory
from flopledger.allocation.measure import allocated
from flopledger.errors import WrongOption
from torch import nn

FLOAT, HALF = 4, 2  # bytes
ROWS, WIDTH = 32, 16
X = torch.zeros(ROWS, WIDTH)
WEIGHT, BIAS = WIDTH * WIDTH, WIDTH
BLOCK = 2 * (WEIGHT + BIAS)  # elements
KEPT = ROWS * WIDTH  # elements of one activation
MiB = 2**20


class Tower(nn.Module):
    """Blocks of two layers, each of which keeps its own input and tanh's output."""

    def __init__(self, blocks=4, width=WIDTH):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
            for _ in range(blocks)
        )

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_accumulation_finds_the_gradients_there_by_hand():
    bare = nn.Linear(100, 50, bias=False)
    one, several = (memory(bare, torch.zeros(1, 100), accumulate=k) for k in (1, 2))
    weight = 100 * 50 * FLOAT
    # Adam's step is the worst moment of both: gradient, root and quotient
    assert one.training_peak_bytes == several.training_peak_bytes
    plain = [
        memory(bare, torch.zeros(1, 100), optimiser="sgd", accumulate=k).training_peak_bytes
        for k in (1, 2, 7)
    ]
    # in each later backward pass a gradient is made beside the one that it is added to
    assert plain[1] - plain[0] == weight
    assert plain[2] == plain[1]


def test_autocast_casts_weights_and_activations_by_hand():
    found = memory(Tower(), X, precision="bf16-mixed", optimiser="sgd")
    assert found.params_bytes == found.gradients_bytes == 4 * BLOCK * FLOAT
    assert found.weight_casts_bytes == 4 * BLOCK * HALF
    # tanh's outputs, eight of them with the last, the input once as it is cast, and what the
    # backward pass reads of the casts: the weights but for the first, whose input needs no gradient
    casts = (8 - 1) * WEIGHT * HALF
    assert found.saved_activations_bytes == (8 + 1) * KEPT * HALF + casts


def test_narrow_weights_and_their_masters_by_hand():
    true, kept = (memory(Tower(), X, precision=p) for p in ("bf16-true", "bf16-masters"))
    size = 4 * BLOCK
    assert true.params_bytes == true.gradients_bytes == size * HALF
    assert (true.optimiser_state_bytes, true.masters_bytes) == (2 * size * HALF, None)
    assert kept.params_bytes == kept.gradients_bytes == size * HALF
    assert (kept.optimiser_state_bytes, kept.masters_bytes) == (2 * size * FLOAT, size * FLOAT)
    assert true.inputs_bytes == X.nbytes // 2
    # masters of what is float32 are the parameters themselves
    assert memory(Tower().double(), X.double(), precision="bf16-masters").masters_bytes


def test_a_masters_step_takes_all_gradients_as_float32():
    wide = nn.Linear(400, 300, bias=False)
    found = memory(wide, torch.zeros(1, 400), precision="fp16-masters", optimiser="sgd")
    size = 400 * 300
    # parameters, gradients, masters, and gradients once more
    assert found.training_peak_bytes == size * (2 * HALF + 2 * FLOAT) + 400 * HALF


def test_a_checkpointed_block_keeps_its_input_and_leaves_the_rest_when_run_again():
    found = memory(Tower(), X, checkpoint="blocks", optimiser="sgd")
    assert found.form.checkpointed == tuple(f"blocks.{i}" for i in range(4))
    assert found.saved_activations_bytes == 3 * KEPT * FLOAT  # inputs, the first is given
    # both tanh's outputs, and what the last of them is given
    assert found.recomputed_bytes == 3 * KEPT * FLOAT
    some = memory(Tower(), X, checkpoint="blocks.0, blocks.1", optimiser="sgd")
    # the second block's input, the third's, and both tanh's outputs of the third and fourth
    assert some.saved_activations_bytes == (1 + 1 + 2 * 2) * KEPT * FLOAT


@pytest.mark.parametrize(
    "form",
    [
        {"accumulate": 3, "optimiser": "sgd"},
        {"precision": "bf16-mixed"},
        {"precision": "bf16-mixed", "checkpoint": "blocks", "accumulate": 2, "optimiser": "sgd"},
        {"precision": "fp16-mixed", "optimiser": "momentum"},
        {"precision": "bf16-masters", "optimiser": "rmsprop"},
        {"precision": "bf16-true", "optimiser": "adafactor"},
        {"checkpoint": "blocks", "optimiser": "sgd"},
    ],
    ids=str,
)
def test_worked_out_and_allocated_agree(form):
    x = torch.zeros(4000, 64)
    told, taken = (f(Tower(width=64), x, **form).as_dict() for f in (memory, allocated))
    known = {name: size for name, size in taken.items() if size is not None}
    assert {name: told[name] for name in known} == pytest.approx(known, rel=0.05, abs=1e4)


def test_what_one_rank_holds_by_hand():
    """Rajbhandari et al. 2020, figure 1, with K = 8 bytes: Adam in float32."""
    size = 4 * BLOCK * FLOAT
    parts = {shard: memory(Tower(), X, shard=shard) for shard in ("zero1:8", "zero2:8", "zero3:8")}
    held = {
        shard: (m.params_bytes, m.gradients_bytes, m.optimiser_state_bytes, m.gathered_bytes)
        for shard, m in parts.items()
    }
    assert held == {
        "zero1:8": (size, size, 2 * size // 8, None),
        "zero2:8": (size, size // 8, 2 * size // 8, None),
        "zero3:8": (size // 8, size // 8, 2 * size // 8, BLOCK * FLOAT),
    }
    # one rank divides nothing but what it gathers from itself
    whole = memory(Tower(), X)
    assert memory(Tower(), X, shard="zero1:1").training_peak_bytes == whole.training_peak_bytes


def test_fsdp_gathers_one_block_and_the_next():
    class Headed(Tower):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(WIDTH, 5, bias=False)

        def forward(self, x):
            return self.head(super().forward(x))

    head, block = WIDTH * 5 * FLOAT, BLOCK * FLOAT
    assert memory(Headed(), X, shard="fsdp:4").gathered_bytes == head + 2 * block
    assert memory(Headed(), X, shard="zero3:4").gathered_bytes == block


def test_divided_gradients_are_whole_one_unit_at_a_time():
    """The same network with many ranks and stages: only what is whole of gradients is left."""
    x, net = torch.zeros(1, 64), Tower(blocks=10, width=64)
    block = 2 * (64 * 64 + 64) * FLOAT
    one, two = (memory(net, x, shard=f"zero{k}:1000", optimiser="sgd") for k in (1, 2))
    gone = one.training_peak_bytes - two.training_peak_bytes
    # of ten blocks' gradients the first to be made is whole, and lies beside its copy to send
    assert 7.5 * block < gone < 8.5 * block


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"precision": "bf16"}, "--precision 'bf16' is not one of bf16-mixed, fp16-mixed"),
        ({"accumulate": 0}, "--accumulate 0 is too small; give 1 or more"),
        ({"shard": "zero4:8"}, "--shard 'zero4:8' is no sharding; say zero1, zero2, zero3, fsdp"),
        ({"shard": "zero3"}, "--shard 'zero3' is no sharding"),
        ({"shard": "fsdp:0"}, "--shard 'fsdp:0' is no sharding"),
        ({"shard": "zero3:8", "optimiser": "adafactor"}, "what adafactor keeps of a piece"),
        ({"checkpoint": "layers.*"}, "it has no 'layers.*'; there are blocks.0, blocks.1"),
        ({"checkpoint": ""}, "it has no ''; there are blocks.0"),
        ({"checkpoint": "blocks.0,blocks.9"}, "it has no 'blocks.9'"),
        ({"checkpoint": "**"}, "it has no '**'; there are blocks.0"),
        ({"checkpoint": "*"}, "blocks is a ModuleList, which does not run by itself; say blocks.*"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options, line):
    with pytest.raises(WrongOption) as caught:
        memory(Tower(), X, **options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_blocks_that_do_not_repeat_must_be_named():
    with pytest.raises(ValueError, match="no block repeats in a ModuleList or Sequential; name"):
        memory(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.zeros(1, 4), checkpoint="blocks")


def test_the_table_says_its_form():
    found = memory(Tower(), X, accumulate=4, checkpoint="blocks", shard="zero2:8")
    assert repr(found).splitlines()[:3] == [
        "4 micro-batches, gradients kept between them",
        "4 blocks checkpointed, blocks.0 to blocks.3",
        "of one of 8 ranks under zero2",
    ]
    assert found.as_object()["form"]["shard"] == "zero2:8"


class Tied(nn.Module):
    """One matrix that embeds words and scores them."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(500, 64), nn.Linear(64, 500, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(torch.tanh(self.embedding(x)))


@pytest.mark.parametrize("precision", [None, "bf16-mixed"])
def test_two_gradients_of_one_weight_are_added_where_autograd_adds_them(precision):
    """In a third tensor where the first is a view, in the first where autograd alone holds it."""
    x = torch.zeros(1, 2, dtype=torch.int64)
    told, taken = (f(Tied(), x, optimiser="sgd", precision=precision) for f in (memory, allocated))
    assert told.training_peak_bytes == pytest.approx(taken.training_peak_bytes, rel=0.02)


def test_another_librarys_operators_leave_autocast_alone():
    library = torch.library.Library("flopledger_test", "FRAGMENT")
    library.define("odd(Tensor x) -> Tensor")
    library.impl("odd", lambda x: x, "AutocastCPU")
    network = nn.Linear(8, 8)
    held = memory(network, torch.zeros(2, 8), precision="bf16-mixed")
    assert held.weight_casts_bytes == 2 * 8 * 8 + 2 * 8  # weight and bias in bfloat16
