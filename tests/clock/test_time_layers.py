"""Seconds by layer: whose they are, what they are held against; never how many they are."""

import json
from dataclasses import replace

import pytest
import torch
from flopledger.clock.device_peaks import clock_of
from flopledger.clock.layer_times import BOUNDS, LayerTime, Timing
from flopledger.clock.peaks import Peaks
from flopledger.clock.time_layers import timing
from flopledger.counting.dispatch import dispatch_counter
from flopledger.profiles.tables import ProfilingError
from torch import nn

# 100 FLOP/s and 10 bytes/s: from 10 FLOPs a byte on, arithmetic sets the limit
PEAKS = Peaks(flops_per_second=100, bytes_per_second=10)


def layer(path="a", **fields):
    known = {"kind": "linear", "calls": 1, "seconds": 1.0, "low": 0.5, "high": 2.0}
    return LayerTime(path=path, **(known | {"macs": 0, "other_flops": 0, "bytes": 0} | fields))


def made(*layers, seconds=4.0):
    return Timing(
        device="a device", threads=1, repeats=3, seconds=seconds, low=3.0, high=5.0,
        hooked_seconds=4.5, peaks=PEAKS, layers=layers, complete=True,
    )  # fmt: skip


def test_a_layer_is_bound_by_what_takes_longer_at_the_peaks():
    assert PEAKS.ridge == 10
    # 80 FLOPs take 0.8 s, 4 bytes 0.4 s
    assert layer(macs=40, bytes=4).bound(PEAKS) == "arithmetic"
    assert layer(macs=40, bytes=9).bound(PEAKS) == "memory"
    assert layer(other_flops=80, bytes=4).bound(PEAKS) == "arithmetic"
    # neither accounts for a tenth of its second
    assert layer(macs=4, bytes=0).bound(PEAKS) == "overhead"


def test_rates_and_shares_by_hand():
    times = made(layer(macs=40, bytes=4), layer("b", bytes=9, seconds=3.0))
    assert times.flops_per_second == 2 * 40 / 4
    assert times.utilisation == 0.2
    assert times.overhead_seconds == 0.5
    assert times.shares() == {"arithmetic": 0.25, "memory": 0.75, "overhead": 0}
    rows = times.by_layer().set_index("layer")
    assert rows.loc["a", "intensity"] == 20
    assert rows.loc["a", "flops_per_second"] == 80
    assert rows["share"].tolist() == [0.25, 0.75]
    assert rows["flops_per_second"].isna().tolist() == [False, True]


def test_folding_adds_what_lies_deeper():
    times = made(
        layer("", kind="Net", seconds=0.0), layer("a.0", macs=1), layer("a.1", macs=2, bytes=5)
    ).folded(1)
    assert [each.path for each in times.layers] == ["", "a"]
    assert (times.layers[1].macs, times.layers[1].bytes, times.layers[1].seconds) == (3, 5, 2.0)
    assert (times.layers[1].low, times.layers[1].high) == (1.0, 4.0)


def test_it_shows_itself_and_what_is_a_lower_bound_says_so():
    times = made(layer(macs=40, bytes=4), layer("b", bytes=9, seconds=3.0))
    heading, columns, *rows = repr(times).splitlines()
    assert heading == (
        "4 s a pass (3 to 5, 3 repeats) on a device: 20 FLOP/s, 20.0% of the measured peak"
    )
    assert columns.split()[:3] == ["layer", "kind", "calls"]
    assert [row.split()[0] for row in rows] == ["a", "b"]
    least = replace(times, complete=False, device="<a>")
    assert "at least 20 FLOP/s, at least 20.0% of the" in repr(least)
    assert "&lt;a&gt;" in least._repr_html_()
    whole = json.loads(times.to_json())
    assert whole["seconds"] == {"median": 4.0, "low": 3.0, "high": 5.0}
    assert [row["flops_per_second"] for row in whole["layers"]] == [80, None]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        return self.block(self.block(x))


def measure(module, x, **options):
    return timing(module, (x,), calls=dispatch_counter.count(module, (x,), {}), **options)


def test_every_layer_that_ran_has_its_own_seconds():
    times = measure(Net(), torch.zeros(8, 64), repeats=3)
    assert [each.path for each in times.layers] == ["", "block", "block.0", "block.1"]
    assert [each.calls for each in times.layers] == [1, 2, 2, 2]
    assert [each.macs for each in times.layers] == [0, 0, 2 * 8 * 64 * 64, 0]
    assert all(0 < each.low <= each.seconds <= each.high for each in times.layers)
    assert 0 < times.low <= times.seconds <= times.high
    assert sum(times.shares().values()) == pytest.approx(1)
    assert set(times.shares()) == set(BOUNDS)


class Looks(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(1000, 8), nn.Linear(8, 5, bias=False)

    def forward(self, ids):
        return self.head(self.table(ids))


def test_bytes_are_of_weights_once_and_of_tables_the_rows_looked_up():
    """By hand, at 4 bytes; token ids at 8. A view of a matrix is no second matrix."""
    times = measure(Looks(), torch.zeros(2, dtype=torch.int64), repeats=1)
    rows = 2 * 8
    moved = {each.path: each.bytes for each in times.layers}
    assert moved == {"": 0, "table": 8 * 2 + 2 * 4 * rows, "head": 4 * (rows + 5 * 8 + 2 * 5)}


class Sparse(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(2).to_sparse())

    def forward(self, x):
        return torch.sparse.mm(self.matrix, x)


def test_bytes_that_are_not_known_set_no_bound():
    times = timing(Sparse(), (torch.ones(2, 2),), calls=[], repeats=1)
    assert [each.bytes for each in times.layers] == [None]
    assert times.shares()["not known"] == 1
    rows = times.by_layer()
    assert rows["bound"].tolist() == ["not known"]
    assert rows["intensity"].isna().all()
    assert times.folded(1).layers[0].bytes is None


def test_repeats_sum_to_the_pass_with_hooks():
    # with one repeat there is no median to come between
    times = measure(Net(), torch.zeros(8, 64), repeats=1, warmup=0)
    assert sum(each.seconds for each in times.layers) == pytest.approx(times.hooked_seconds)


def test_a_network_without_weights_gets_some():
    with torch.device("meta"):
        net = Net()
    assert measure(net, torch.zeros(8, 64, device="meta"), repeats=1).seconds > 0


def test_nothing_is_left_behind():
    net = Net()
    before = {name: (id(p), p.clone()) for name, p in net.named_parameters()}
    state = torch.get_rng_state()
    measure(net, torch.zeros(8, 64), repeats=1)
    with pytest.raises(ProfilingError, match="Net: timing it stopped: RuntimeError"):
        timing(net, (torch.zeros(8, 63),), calls=[])
    assert all(id(p) == before[name][0] for name, p in net.named_parameters())
    assert all(torch.equal(p, before[name][1]) for name, p in net.named_parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert torch.equal(state, torch.get_rng_state())


def test_mistakes_are_told_in_one_line():
    with pytest.raises(ValueError, match="0 repeats measure nothing"):
        timing(Net(), (torch.zeros(8, 64),), calls=[], repeats=0)
    with pytest.raises(ValueError, match="no clock is known for 'meta'; say cpu or cuda"):
        clock_of(torch.device("meta"))
    with pytest.raises(ValueError, match="there is no cuda:7 here; say cpu"):
        clock_of(torch.device("cuda:7"))
    strange = dispatch_counter.count(nn.Sequential(nn.Linear(64, 64)), (torch.zeros(8, 64),), {})
    with pytest.raises(ValueError, match="Net has no layer '0'; give calls counted with it"):
        timing(Net(), (torch.zeros(8, 64),), calls=strange)


def test_what_no_machine_holds_is_refused():
    with torch.device("meta"):
        net = nn.Linear(2_000_000, 2_000_000)  # 16 TB
    with pytest.raises(ProfilingError, match="memory on cpu is too small to run it"):
        timing(net, (torch.zeros(1, 2_000_000),), calls=[])


def test_every_timed_pass_is_the_first_and_takes_no_gradients():
    """What a pass keeps is not there in the next: a cache that grows would take ever longer."""

    class Keeps(nn.Linear):
        def __init__(self):
            super().__init__(4, 4)
            self.kept = []

        def forward(self, x):
            assert not torch.is_grad_enabled()
            assert self.kept == []
            self.kept.append(x)
            return super().forward(x)

    network = Keeps()
    assert measure(network, torch.ones(2, 4), warmup=1, repeats=2).repeats == 2
    assert network.kept == []
