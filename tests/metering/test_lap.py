"""What a lap says, by hand."""

import json
from math import isclose

import pytest
import torch
from flopledger import MeterError, meter
from flopledger.clock.published_peaks import Peak
from flopledger.metering.lap import lap_of
from flopledger.metering.tally import Tally
from torch import nn, zeros

LINEAR = 4 * 5


def lap(seconds=2.0, peak=1000.0, **sums):
    return lap_of(Tally(**sums), 0, False, seconds, Peak(peak, "given"))


def test_its_rates():
    full = lap(passes=2, samples=6, tokens=40, padding=10, macs=50, backward_macs=100,
              recomputed_macs=25)  # fmt: skip
    assert (full.model_flops, full.recomputed_flops, full.flops) == (300, 50, 350)
    assert (full.samples_per_second, full.tokens_per_second) == (3, 20)
    assert (full.real_tokens, full.real_tokens_per_second) == (30, 15)
    assert (full.mfu, full.hfu) == (0.15, 0.175)
    assert full.to_dict()["mfu"] == 0.15


def test_what_is_unknown():
    partial = lap(passes=1, samples=1, untold=1, macs=5, unknown_backwards=1)
    assert (
        partial.flops
        is partial.model_flops
        is partial.mfu
        is partial.hfu
        is partial.tokens_per_second
        is None
    )
    assert set(partial.to_dict()) == {"seconds", "passes", "samples", "samples_per_second"}
    assert lap(seconds=0.0).mfu is lap(peak=None).mfu is None


def test_laps_of_a_loop():
    net = nn.Linear(4, 5)
    with meter(net, peak=1e9, warm_up=1) as m:
        laps = []
        for calls in (5, 2, 3):
            with m.unit("epoch"):
                for _ in range(calls):
                    net(zeros(3, 4)).sum().backward()
                laps.append(m.lap())
        assert m.lap().passes == 0
    assert [each.passes for each in laps] == [5, 2, 3]
    assert [each.warm_up for each in laps] == [True, False, False]
    assert [each.model_flops for each in laps] == [4 * 3 * LINEAR * calls for calls in (5, 2, 3)]
    assert isclose(laps[1].mfu, laps[1].model_flops / laps[1].seconds / 1e9)
    together = m.laps()
    assert (together.passes, together.samples) == (5, 15)
    assert sum(each.seconds for each in laps[1:]) <= together.seconds < m.read().seconds
    assert laps[0].over_ranks() is laps[0]  # there are no others


def test_before_the_beginning_and_in_the_warm_up():
    m = meter(nn.Linear(4, 5), warm_up=2)
    with pytest.raises(MeterError, match="never attached"):
        m.lap()
    with m:
        m.lap()
        with pytest.raises(MeterError, match="no lap has ended after the 2 of the warm-up"):
            m.laps()


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(10, 4), nn.Linear(4, 5)

    def forward(self, input_ids, attention_mask=None):
        return self.head(self.embedding(input_ids))


def test_tokens_and_those_that_are_no_padding():
    net, ids = Language(), zeros(2, 7, dtype=torch.long)
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[1, 3:] = 0  # four positions
    with meter(net) as m:
        net(ids)
        net(input_ids=ids, attention_mask=mask)
        lap = m.lap()
        net(ids.float().long()[0])  # no batch of token ids
    assert (lap.tokens, lap.real_tokens) == (2 * 14, 2 * 14 - 4)
    totals = m.read().totals
    assert (totals.tokens, totals.real_tokens, totals.passes) == (None, None, 3)


def test_totals_go_on_after_a_restart():
    net = nn.Linear(4, 5)
    with meter(net) as first:
        net(zeros(3, 4)).sum().backward()
    state = json.loads(json.dumps(first.state_dict()))
    with meter(net) as second:
        second.load_state_dict(state)
        net(zeros(3, 4))
        assert second.lap().passes == 1
    totals = second.read().totals
    assert (totals.passes, totals.samples, totals.macs) == (2, 6, 2 * 3 * LINEAR)
    assert totals.backward_flops == 2 * 3 * LINEAR
    assert totals.seconds > state["seconds"]
    with pytest.raises(MeterError, match="no state of a meter"):
        second.load_state_dict({"passes": 3})
    with pytest.raises(MeterError, match=r"it has no backward_macs, .*, untold, unwatched; give"):
        second.load_state_dict({"seconds": 1})


@pytest.mark.parametrize("value", ["x", None, float("nan"), -1])
def test_a_state_that_holds_no_numbers_is_refused(value):
    net = nn.Linear(4, 5)
    with meter(net) as m:
        net(torch.rand(3, 4))
    with pytest.raises(MeterError, match="no state of a meter: macs is"):
        meter(net).load_state_dict({**m.state_dict(), "macs": value})


@pytest.mark.parametrize("laps", [-1, 1.5])
def test_a_warm_up_is_a_number_of_laps(laps):
    with pytest.raises(MeterError, match="give 0 or more"):
        meter(nn.Linear(4, 5), warm_up=laps)
