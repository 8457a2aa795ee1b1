"""One rank's share of a training, by hand."""

import torch
from flopledger.allocation.estimate import memory
from flopledger.allocation.shards import dealt
from torch import nn

FLOAT = 4  # bytes
X = torch.zeros(1, 40)


def narrowing():
    """Matrices of 1200, 600 and 200 elements."""
    return nn.Sequential(
        nn.Linear(40, 30, bias=False), nn.Linear(30, 20, bias=False), nn.Linear(20, 10, bias=False)
    )


def test_zero1_deals_out_whole_tensors_and_the_fullest_rank_is_told():
    two = memory(narrowing(), X, shard="zero1:2")
    # the first has 1200, the second 600 + 200; Adam's root and quotient are as large as what it
    # steps, and a rank that steps the largest makes both of all of it
    assert two.optimiser_state_bytes == 2 * 1200 * FLOAT
    assert two.training_peak_bytes == (2000 + 2000 + 2 * 1200 + 2 * 1200) * FLOAT + X.nbytes
    # no number of ranks cuts a tensor
    many = memory(narrowing(), X, shard="zero1:1000")
    assert many.training_peak_bytes == two.training_peak_bytes


def test_the_fullest_rank_is_that_whose_state_and_step_are_the_most():
    params = [torch.empty(n) for n in (60, 50, 40, 30)]
    assert [[len(p) for p in hand] for hand in dealt(params, 3)] == [[60], [50], [40, 30]]
    # 1200 and 200 beside 600 four times over two ranks: 1200 + 600 + 200 and 600 three times
    wide = nn.Sequential(narrowing(), *(nn.Linear(n, m, bias=False) for n, m in STEPS))
    found = memory(wide, X, shard="zero1:2", optimiser="momentum")
    assert found.optimiser_state_bytes == (1200 + 600 + 200) * FLOAT


STEPS = ((10, 60), (60, 10), (10, 60))


def test_masters_are_dealt_out_with_what_they_are_of():
    found = memory(narrowing(), X, shard="zero1:2", precision="bf16-masters", optimiser="sgd")
    assert found.masters_bytes == 1200 * FLOAT
    # parameters and gradients of two bytes, the rank's masters, and as many float32 gradients
    assert found.training_peak_bytes == 2000 * (2 + 2) + 2 * 1200 * FLOAT + X.nbytes // 2


def test_fully_sharded_gradients_are_whole_beside_what_is_sent_of_them_by_hand():
    x = torch.zeros(1, 100)

    def peak(rows, shard, device="cpu"):
        bare = nn.Linear(100, rows, bias=False)
        found = memory(bare, x, shard=shard, optimiser="sgd", device=device)
        outputs = 2 * rows * FLOAT  # and their gradients
        return (found.training_peak_bytes - x.nbytes - outputs) / FLOAT

    # half of the parameters; the piece that is sent, gloo's copy of it, and half of the sum
    assert peak(30, "fsdp:2") == 1500 + 3000 + 3000 + 1500
    # a GPU: half of them; what is sent, and the gradients that it was copied from
    assert peak(30, "fsdp:2", "cuda") == 1500 + 3000 + 3000
    # 31 rows on three ranks are 11, 11 and 9: what is sent is padded to 33 on the way
    assert peak(31, "fsdp:3") == 1100 + 3100 + 3100 + 3300


def test_what_a_block_sent_is_there_until_the_next_one_sends():
    tower = nn.Sequential(*(nn.Sequential(nn.Linear(64, 64), nn.Tanh()) for _ in range(4)))
    block = (64 * 64 + 64) * FLOAT
    zero, fully = (
        memory(tower, torch.zeros(1, 64), shard=f"{s}:64", optimiser="sgd", device="cuda")
        for s in ("zero3", "fsdp")
    )
    # the next block's parameters, and the gradients of the one before
    assert fully.training_peak_bytes - zero.training_peak_bytes == 2 * block


def test_rows_are_what_fully_shard_divides():
    found = memory(nn.Linear(7, 5, bias=False), torch.zeros(1, 7), shard="fsdp:3")
    assert (found.params_bytes, found.gradients_bytes) == (2 * 7 * FLOAT, 2 * 7 * FLOAT)
    assert found.optimiser_state_bytes == 2 * 2 * 7 * FLOAT


def test_zero2_steps_one_flat_piece_and_drops_narrow_gradients_before_it():
    found = memory(narrowing(), X, shard="zero2:2", precision="bf16-masters")
    # two bytes of everything; of half of it masters, two averages, gradients, root and quotient
    assert found.training_peak_bytes == 2000 * 2 + 1000 * (1 + 2 + 1 + 2) * FLOAT + X.nbytes // 2


def test_without_blocks_what_was_gathered_stays_flat_through_the_forward_pass():
    class Busy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + torch.cat([x] * 4).sum()

    x = torch.zeros(10, 1000)
    bare = Busy(1000, 30, bias=False)
    found = memory(bare, x, shard="fsdp:30", optimiser="sgd")
    # a row of the weight; all rows, flat and not; four of x, their sum, and what the layer gave
    assert found.training_peak_bytes == (1000 + 2 * 30_000 + 300 + 1) * FLOAT + 5 * x.nbytes
