"""What a meter hangs on modules stays out of their copies, and out of their way."""

import copy
import io
import threading

import pytest
import torch
from flopledger import MeterError, meter
from torch import nn, zeros

LINEAR = 4 * 5


def saved(net):
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def averaged(net):
    return torch.optim.swa_utils.AveragedModel(net).module


@pytest.mark.parametrize("copied", [copy.deepcopy, saved, averaged])
def test_a_copy_comes_without_the_meter(copied):
    net = nn.Linear(4, 5)
    with meter(net, methods=["extra_repr"]) as m:
        net(zeros(1, 4))
        other = copied(net)
        other(zeros(1, 4))
        assert other.extra_repr() == nn.Linear(4, 5).extra_repr()
    assert m.read().totals.passes == 1
    assert not net._forward_hooks
    assert "extra_repr" not in vars(net)


def test_a_saved_module_needs_no_flopledger():
    net = nn.Linear(4, 5)
    with meter(net):
        file = io.BytesIO()
        torch.save(net, file)
    assert b"flopledger" not in file.getvalue()


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)

    def encode(self, x, fail=False):
        if fail:
            raise ArithmeticError
        return self.layer(x)

    def both(self, x):
        return self(x) + self.encode(x)

    def forward(self, x):
        return self.layer(x)


def test_methods_beside_forward():
    net = Encoder()
    with meter({"net": net}, methods=("encode", "both")) as m:
        net.encode(zeros(3, 4)).sum().backward()
        net.both(zeros(3, 4))
        with pytest.raises(ArithmeticError):
            net.encode(zeros(1, 4), fail=True)
    reading = m.read()
    assert (reading.totals.passes, reading.totals.failed) == (2, 1)
    assert (reading.totals.macs, reading.totals.backward_flops) == (3 * 3 * LINEAR, 2 * 3 * LINEAR)
    rows = reading.by_signature()
    assert rows["module"].tolist() == ["net.encode", "net.both", "net", "net.encode", "net.encode"]
    assert rows["inside"].tolist() == [False, False, True, True, False]


def test_a_method_that_there_is_not_and_one_that_is_not_seen():
    with pytest.raises(MeterError, match="net: no method 'decode' to meter"):
        meter({"net": Encoder()}, methods=("decode",))
    for methods in (3, [3]):
        with pytest.raises(MeterError, match=r"method.* 3"):
            meter(Encoder(), methods=methods)
    net = Encoder()
    with meter({"net": net}) as m:
        net.encode(zeros(1, 4))
    with pytest.raises(MeterError, match=r"never called .* with methods=, such as 'encode'"):
        m.read()


def test_of_two_meters_of_a_method_the_first_may_end_first():
    net = Encoder()
    first, second = (meter({"net": net}, methods=["encode"]) for _ in range(2))
    first.attach()
    second.attach()
    net.encode(zeros(1, 4))
    first.detach()
    net.encode(zeros(1, 4))
    second.detach()
    assert (first.read().totals.passes, second.read().totals.passes) == (1, 2)
    assert "encode" not in vars(net)


@pytest.mark.filterwarnings("ignore")
def test_a_module_that_is_compiled_in_place():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
    net.compile(backend="eager")
    compiled = net._compiled_call_impl
    with meter(net) as m:
        for _ in range(4):
            net(zeros(2, 4)).sum().backward()
    t = m.read().totals
    assert (t.macs, t.backward_flops) == (4 * 2 * LINEAR, 4 * 2 * 2 * LINEAR)
    assert net._compiled_call_impl is compiled


def test_no_argument_is_held():
    import gc
    import weakref

    class Batch:
        def __init__(self, x):
            self.x = x

    class Takes(nn.Linear):
        def forward(self, batch, scale, made):
            return super().forward(batch.x) * scale

    net, alive = Takes(4, 5), []
    with meter(net) as m:
        for step in range(40):
            batch = Batch(zeros(2 + step % 2, 4))
            alive.append(weakref.ref(batch))
            net(batch, 1 / (1 + step), lambda held=batch: held).sum().backward()
        batch = None
        gc.collect()
        assert not any(kept() for kept in alive)
    reading = m.read()
    assert len(reading.rows) == 2  # by the batch's rows; not by the float, not by the function
    assert (reading.totals.samples, reading.totals.macs) == (20 * 5, 20 * 5 * LINEAR)
    assert reading.totals.backward_flops == 2 * 20 * 5 * LINEAR


def test_units_of_several_threads_do_not_mix():
    net, turn = nn.Linear(4, 5), threading.Barrier(3)

    def work(calls):
        with m.unit(f"of {calls}"):
            turn.wait()
            for _ in range(calls):
                net(zeros(1, 4)).sum().backward()
            turn.wait()

    with meter(net) as m:
        threads = [threading.Thread(target=work, args=(calls,)) for calls in (1, 2, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with m.unit("of workers"):  # its own thread has the only unit that is open
            worker = threading.Thread(target=lambda: net(zeros(1, 4)))
            worker.start()
            worker.join()
    reading = m.read()
    for calls in (1, 2, 4):
        unit = reading.by_unit(f"of {calls}").loc[0]
        assert (unit["passes"], unit["backward_flops"]) == (calls, calls * 2 * LINEAR)
    assert reading.by_unit("of workers")["passes"].tolist() == [1]
    assert reading.totals.passes == 1 + 2 + 4 + 1
