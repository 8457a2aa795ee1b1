"""A meter on programs whose work is known by hand."""

import json
import threading

import pytest
import torch
from flopledger import FlopledgerError, MeterError, meter, profile
from flopledger.metering.loggers import progress, tensorboard
from torch import nn

LINEAR = 4 * 5  # MACs of one row of nn.Linear(4, 5)


def test_passes_samples_and_macs_of_a_loop():
    net = nn.Linear(4, 5)
    with meter(net) as m:
        for _ in range(10):
            net(torch.zeros(3, 4))
        net(torch.zeros(7, 4))
    t = m.read().totals
    assert (t.passes, t.samples) == (11, 10 * 3 + 7)
    assert (t.macs, t.flops) == (37 * LINEAR, 2 * 37 * LINEAR)
    assert t.backward_passes == t.backward_flops == t.failed == 0
    assert t.flops_per_second == pytest.approx(t.flops / t.seconds)


def test_signatures_are_told_apart():
    net = nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.1))
    with meter(net) as m:
        net(torch.zeros(3, 4))
        net.eval()
        net(torch.zeros(3, 4))
        with torch.no_grad():
            net(torch.zeros(3, 4))
        net(torch.zeros(2, 4))
        net.double()(torch.zeros(2, 4, dtype=torch.float64))
    rows = m.read().by_signature()
    assert rows["calls"].tolist() == [1] * 5
    assert rows["training"].tolist() == [True, False, False, False, False]
    assert rows["grad"].tolist() == [True, True, False, True, True]
    assert rows["inputs"].tolist()[-2:] == ["2x4 float32", "2x4 float64"]
    assert rows["macs"].tolist() == [3 * LINEAR] * 3 + [2 * LINEAR] * 2


def test_after_the_first_few_calls_most_are_not_watched():
    net = nn.Linear(4, 5)
    with meter(net, recount=100) as m:
        for _ in range(250):
            net(torch.zeros(1, 4))
    row = m.read().by_signature().iloc[0]
    # 1, 2, 8, 32, 128; 100 and 200
    assert (row["calls"], row["watched"], row["macs"]) == (250, 5 + 2, 250 * LINEAR)


def test_only_backward_passes_that_ran_count():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    x = torch.zeros(3, 4)
    with meter(net) as m:
        net(x)
        net(x).sum().backward()
        for _ in range(2):
            net(x).sum().backward()
    t = m.read().totals
    assert (t.passes, t.backward_passes) == (4, 3)
    # both weights' gradients, and the second layer's input's: x wants none
    assert t.backward_flops == 3 * 2 * 3 * (4 * 5 + 2 * 5 * 2)


def test_an_input_that_wants_a_gradient_costs_more():
    net = nn.Linear(4, 5)
    with meter(net) as m:
        net(torch.zeros(3, 4, requires_grad=True)).sum().backward()
    assert m.read().totals.backward_flops == 2 * 2 * 3 * LINEAR


def test_units_of_work():
    net = nn.Linear(4, 5)
    with meter(net) as m:
        for moves in (1, 2, 3):
            with m.unit("game"):
                for _ in range(moves):
                    with m.unit("move"):
                        net(torch.zeros(2, 4))
        net(torch.zeros(2, 4))
    reading = m.read()
    games = reading.by_unit("game")
    assert games["passes"].tolist() == [1, 2, 3]
    assert games["macs"].tolist() == [2 * LINEAR, 4 * LINEAR, 6 * LINEAR]
    per = reading.per_unit("game")
    assert (per.loc["passes", "mean"], per.loc["passes", "50%"]) == (2, 2)
    assert per.loc["passes", "std"] == 1
    assert len(reading.by_unit("move")) == 6
    assert reading.totals.passes == 7


def test_several_modules_by_name():
    policy, value = nn.Linear(4, 5), nn.Linear(4, 1)
    with meter({"policy": policy, "value": value}) as m:
        policy(torch.zeros(1, 4))
        value(torch.zeros(3, 4))
    rows = m.read().by_signature().set_index("module")
    assert rows["macs"].to_dict() == {"policy": LINEAR, "value": 3 * 4}


def test_what_runs_inside_a_metered_call_is_not_counted_twice():
    inner = nn.Linear(4, 5)
    net = nn.Sequential(inner, nn.Linear(5, 4), inner)
    with meter({"net": net, "inner": inner}) as m:
        net(torch.zeros(1, 4))
        inner(torch.zeros(1, 4))
    reading = m.read()
    assert reading.totals.macs == 3 * LINEAR + LINEAR
    rows = reading.by_signature()
    assert rows.loc[rows["inside"], "calls"].sum() == 2


def test_a_module_that_is_given_twice_counts_once():
    net = nn.Linear(4, 5)
    with meter({"net": net, "again": net}) as m:
        net(torch.zeros(1, 4))
    assert m.read().totals.passes == 1


class Recursive(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x, depth):
        return self(self.linear(x), depth - 1) if depth else x


def test_recursion():
    net = Recursive()
    with meter(net) as m:
        net(torch.zeros(1, 4), 3)
    t = m.read().totals
    assert (t.passes, t.macs) == (1, 3 * 4 * 4)


class EarlyExit(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        y = self.linear(x)
        return self.linear(y) if x.sum() > 0 else y


def test_a_count_that_depends_on_data_is_said_to_vary():
    net = EarlyExit()
    with meter(net) as m:
        for n in range(8):
            net(torch.full((1, 4), float(n % 2)))
    reading = m.read()
    row = reading.by_signature().iloc[0]
    assert row["varies"]
    assert (row["macs_low"], row["macs_high"]) == (16, 32)
    # watched: the first two, and every one after they were found to differ
    assert (row["watched"], reading.totals.macs) == (8, 4 * 16 + 4 * 32)


class Fragile(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 5)

    def forward(self, x, fail):
        y = self.linear(x)
        if fail:
            raise RuntimeError("on purpose")
        return y


def test_a_call_that_raises_counts_as_failed():
    net = Fragile()
    with meter(net) as m:
        for fail in (True, False, True, False):
            try:
                net(torch.zeros(1, 4), fail)
            except RuntimeError:
                net(torch.zeros(1, 4), False)
    t = m.read().totals
    assert (t.passes, t.failed, t.macs) == (4, 2, 4 * LINEAR)
    assert not net._forward_hooks
    assert not net._forward_pre_hooks


def test_threads_and_replicas_count_together():
    net = nn.Linear(4, 5)
    with meter(net) as m:
        replicas = [net._replicate_for_data_parallel() for _ in range(4)]
        for replica in replicas:
            replica._parameters = dict(net._parameters)

        def work(module):
            for _ in range(50):
                module(torch.zeros(2, 4))

        threads = [threading.Thread(target=work, args=(module,)) for module in replicas]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    t = m.read().totals
    assert (t.passes, t.macs) == (200, 200 * 2 * LINEAR)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_module_counts_as_what_it_was_compiled_from():
    net = torch.compile(nn.Sequential(nn.Linear(4, 5), nn.ReLU()), backend="eager")
    with meter(net) as m:
        for _ in range(3):
            net(torch.zeros(2, 4))
    assert m.read().totals.macs == 3 * 2 * LINEAR


def test_the_real_call_counts_what_a_profile_counts():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten())
    x = torch.zeros(2, 3, 9, 9)
    with meter(net) as m:
        net(x)
    counted = profile(net, x)
    t = m.read().totals
    assert (t.macs, t.other_flops) == (counted.total("macs"), counted.total("other_flops"))


def test_a_peak_gives_the_share_of_it_and_an_unknown_one_is_said():
    net = nn.Linear(4, 5)
    with meter(net, peak=1e9) as m:
        net(torch.zeros(1, 4))
    t = m.read().totals
    assert t.mfu == pytest.approx(t.flops_per_second / 1e9)
    other = nn.ReLU()  # which multiplies nothing
    with meter(other) as m:
        other(torch.zeros(1, 4))
    assert m.read().totals.mfu is None
    assert "peak unknown" in str(m.read())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mistakes_are_told_in_one_line():
    net = nn.Linear(4, 5)
    with pytest.raises(MeterError, match="a meter needs a module"):
        meter({})
    with pytest.raises(MeterError, match="int is no network"):
        meter(3)
    with pytest.raises(MeterError, match="recount 0 watches nothing"):
        meter(net, recount=0)
    with pytest.raises(MeterError, match=r"a peak of -1\.0 FLOP/s is none"):
        meter(net, peak=-1.0)
    with pytest.raises(MeterError, match="a ScriptModule, which takes no hooks"):
        meter({"traced": torch.jit.trace(net, torch.zeros(1, 4))})
    unused = meter(net)
    with pytest.raises(MeterError, match="never attached"):
        unused.read()
    with unused:
        pass
    with pytest.raises(MeterError, match="Linear: never called while it was metered"):
        unused.read()
    with pytest.raises(MeterError, match="a meter is used once"):
        unused.attach()


def test_a_reading_is_taken_while_units_are_open():
    net = nn.Linear(4, 5)
    with meter(net) as m, m.unit("epoch"):
        for step in (1, 2):
            with m.unit("step"):
                net(torch.zeros(1, 4))
            assert m.read().totals.passes == step
        with pytest.raises(LookupError, match="no unit 'epoch' has ended; kinds that have: 'step'"):
            m.read().by_unit("epoch")
        with pytest.raises(MeterError, match="a unit of kind 3 has no name"), m.unit(3):
            pass
    assert m.read().by_unit("epoch")["passes"].tolist() == [2]


class Bar:
    """What tqdm's bars and TensorBoard's writers have of interest."""

    def __init__(self):
        self.written = []

    def set_postfix(self, **figures):
        self.written.append(figures)

    def add_scalar(self, name, value, number):
        self.written.append((name, value, number))


def test_a_log_is_written_after_every_unit():
    net, bar, writer, own = nn.Linear(4, 5), Bar(), Bar(), []
    for log in (progress(bar), tensorboard(writer), lambda *unit: own.append(unit)):
        with meter(net, log=log) as m:
            for _ in range(2):
                with m.unit("step"):
                    net(torch.zeros(1, 4))
    assert [unit["passes"] for unit in bar.written] == [1, 1]
    assert ("step/macs", LINEAR, 1) in writer.written
    assert [(kind, number, figures["samples"]) for kind, number, figures in own] == [
        ("step", 0, 1),
        ("step", 1, 1),
    ]


def test_what_was_never_watched_is_unknown_and_no_zero(monkeypatch):
    def fails(*_):
        raise ArithmeticError

    net = nn.Linear(4, 5)
    monkeypatch.setattr("flopledger.metering.call_counter.WatchedCall", fails)
    with meter(net, peak=1e9) as m:
        with pytest.raises(RuntimeError):
            net(torch.zeros(1, 3))
        with m.unit("step"):
            net(torch.zeros(1, 4))
    reading = m.read()
    t = reading.totals
    assert (t.passes, t.failed, t.backward_flops) == (1, 1, 0)
    assert (t.macs, t.flops, t.other_flops, t.flops_per_second, t.mfu) == (None,) * 5
    assert "1 passes, 1 samples: an unknown number of FLOPs" in repr(reading)
    assert repr(reading).endswith("FLOP/s unknown")
    assert reading.by_unit("step")["macs"].isna().all()
    with pytest.raises(FlopledgerError, match="the flops of 1 metered passes are unknown"):
        t.known("flops")
    whole = json.loads(reading.to_json())
    assert (whole["totals"]["macs"], whole["signatures"][1]["macs"]) == (None, None)
    assert whole["units"]["step"][0]["flops"] is None


def test_a_backward_pass_that_cannot_be_counted_leaves_the_rate_unknown(monkeypatch):
    monkeypatch.setattr("flopledger.metering.backward_pass.products_of", lambda _: 1 / 0)
    net, bar, writer = nn.Linear(4, 5), Bar(), Bar()
    for log in (progress(bar), tensorboard(writer)):
        with meter(net, peak=1e9, log=log) as m, m.unit("step"):
            net(torch.zeros(1, 4)).sum().backward()
    t = m.read().totals
    assert (t.flops, t.backward_passes) == (2 * LINEAR, 1)
    assert (t.backward_flops, t.flops_per_second, t.mfu) == (None, None, None)
    assert f"{2 * LINEAR} FLOPs and an unknown number backward" in repr(m.read())
    assert bar.written == [{"passes": 1, "flops_per_second": "unknown"}]
    names = {name for name, *_ in writer.written}
    assert "step/flops" in names
    assert not names & {"step/backward_flops", "step/flops_per_second"}
