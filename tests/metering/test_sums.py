"""Calls that are alike are added up together, and where they belong all the same."""

import threading

import torch
from flopledger import meter
from torch import nn, zeros

LINEAR = 4 * 5


def test_what_comes_before_a_unit_is_not_in_it():
    net = nn.Linear(4, 5)
    with meter(net) as m, torch.no_grad():
        for _ in range(4):
            net(zeros(1, 4))
        for calls in (5, 6):
            with m.unit("step"):
                for _ in range(calls):
                    net(zeros(1, 4))
        assert m.lap().passes == 4 + 5 + 6
        net(zeros(1, 4))
        assert m.lap().passes == 1
    reading = m.read()
    assert reading.by_unit("step")["macs"].tolist() == [5 * LINEAR, 6 * LINEAR]
    assert reading.by_signature()["calls"].tolist() == [16]


def test_threads_that_have_ended_count():
    net = nn.Linear(4, 5)

    def work():
        for _ in range(7):
            net(zeros(3, 4))

    with meter(net) as m:
        for _ in range(3):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert m.read().totals.macs == 3 * 7 * 3 * LINEAR
    assert (m.read().totals.passes, m.read().totals.samples) == (21, 63)


def test_a_call_that_is_watched_changes_none_before_it():
    class Grows(nn.Linear):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return super().forward(x.repeat(2, 1) if self.calls == 8 else x)

    net = Grows(4, 5)
    with meter(net) as m:
        for _ in range(8):
            net(zeros(1, 4))
    assert m.read().totals.macs == 7 * LINEAR + 2 * LINEAR


def test_two_modules_in_turn():
    nets = {"a": nn.Linear(4, 5), "b": nn.Linear(4, 6)}
    with meter(nets) as m:
        for times in (1, 2, 3, 3, 2, 1):
            for net in nets.values():
                for _ in range(times):
                    net(zeros(1, 4))
    assert m.read().by_signature()["macs"].tolist() == [12 * 4 * 5, 12 * 4 * 6]
