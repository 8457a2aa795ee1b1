"""What a named device does at most with a generation: its products and bytes by hand."""

import flopledger
import pytest
import torch
from flopledger.clock.named_devices import named_device
from flopledger.reports import generation
from flopledger.reports.columns import Screen, on_screen
from torch import nn

WIDTH, CLASSES, PROMPT, NEW, BATCH = 8, 5, 6, 40, 3


class Keeps(nn.Linear):
    """All that came before is put together with what is new, which goes through one matrix."""

    def forward(self, new, cached=None):
        every = new if cached is None else torch.cat([cached, new], 1)
        return super().forward(new), every


def arguments(batch, tokens, last):
    new = torch.zeros(batch, tokens, WIDTH, dtype=torch.bfloat16)
    return (new,) if last is None else (new, last[1])


@pytest.fixture(scope="module")
def kept():
    network = Keeps(WIDTH, CLASSES, bias=False).to(torch.bfloat16)
    return flopledger.generation(network, prefill=PROMPT, decode=NEW, batch=BATCH, inputs=arguments)


MATRIX = 2 * WIDTH * CLASSES  # bytes
ROW = 2 * WIDTH


def moved(n):
    return MATRIX + BATCH * (n * ROW + ROW)


def test_the_longer_of_arithmetic_and_memory(kept):
    device = named_device("h100-sxm", "bfloat16")
    peak, bandwidth = device.flops_per_second.value, device.bytes_per_second.value
    limits = kept.on("h100-sxm")
    assert limits.prompt_seconds == pytest.approx((MATRIX + BATCH * PROMPT * ROW) / bandwidth)
    assert limits.first_seconds == pytest.approx(moved(PROMPT) / bandwidth)
    all_bytes = sum(map(moved, range(PROMPT, PROMPT + NEW)))
    assert limits.tokens_per_second == pytest.approx(BATCH * NEW * bandwidth / all_bytes)
    assert 2 * BATCH * PROMPT * WIDTH * CLASSES / peak < limits.prompt_seconds
    assert limits.bound == "memory"


def test_a_share_of_the_peaks_is_slower(kept):
    whole, part = kept.on("h100-sxm"), kept.on("h100-sxm", utilisation=0.4)
    assert part.tokens_per_second == pytest.approx(0.4 * whole.tokens_per_second)
    with pytest.raises(flopledger.WrongOption, match="is no share"):
        kept.on("h100-sxm", utilisation=0)


def test_weights_and_cache_are_held(kept):
    limits = kept.on("l4")
    assert limits.held_bytes == MATRIX + BATCH * (PROMPT + NEW) * ROW
    assert limits.fits is True


def test_where_arithmetic_sets_the_limit():
    """A wide matrix, and next to no cache: the ridge, in FLOPs a byte, over FLOPs a parameter."""

    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.matrix = nn.Linear(WIDTH, 100_000, bias=False, dtype=torch.bfloat16, device="meta")

        def forward(self, new, cached=None):
            kept = new[..., :1] if cached is None else torch.cat([cached, new[..., :1]], 1)
            return self.matrix(new), kept

    wide = flopledger.generation(Wide(), prefill=2, decode=1, inputs=arguments)
    device = named_device("h100-sxm", "bfloat16")
    # a sequence adds 2 FLOPs a parameter, which is read once for all, in 2 bytes; of a cache of
    # two numbers a third is written
    cache = 2 * 3 / (2 * WIDTH * 100_000) * device.ridge
    assert wide.on("h100-sxm").turns_at_batch == pytest.approx(device.ridge / (1 - cache))


def test_an_unknown_device_or_dtype_is_refused(kept):
    with pytest.raises(flopledger.WrongOption, match="'h100-sxn'; did you mean h100-sxm"):
        kept.on("h100-sxn")


class Slots(nn.Linear):
    """Writes what is new into slots that were reserved, and meets an encoder's rows, which stay."""

    def forward(self, new, cached=None):
        fresh = new.new_zeros(len(new), 64, WIDTH), 0, new.new_ones(len(new), 9, WIDTH)
        slots, filled, encoded = cached or fresh
        seen = filled + new.shape[1]
        slots[:, filled:seen] = new
        mixed = slots[:, :seen].sum(1, keepdim=True) + encoded.sum(1, keepdim=True)
        return super().forward(mixed), (slots, seen, encoded)


def test_of_a_cache_that_stays_a_step_reads_what_it_meets_and_writes_one_row():
    network = Slots(WIDTH, CLASSES, bias=False).to(torch.bfloat16)
    own = flopledger.generation(network, prefill=PROMPT, decode=NEW, batch=BATCH, inputs=arguments)
    assert own.cache_state_bytes == BATCH * (64 + 9) * ROW
    assert own.first.cache_written_bytes == own.last.cache_written_bytes == BATCH * ROW
    # all slots until its own, which it reads back, and the encoder's
    assert own.first.cache_read_bytes == BATCH * (PROMPT + 1 + 9) * ROW
    assert own.last.cache_read_bytes == BATCH * (PROMPT + NEW + 9) * ROW


def test_on_80_columns_the_bytes_moved_stay(kept):
    with on_screen(Screen(width=80)):
        titles = generation.table(kept).splitlines()[2]
    assert titles.split("  ")[-1] == "bytes moved"
    assert "the prompt's needed MACs are not known" not in generation.table(kept)  # no attention
