"""Module calls heard without hooks: what test_hooks.py does not ask of both."""

import sys
import threading

import torch
from flopledger.counting.structure.module_calls import on_calls
from torch import nn


class Deep(nn.Module):
    def forward(self, x):
        self.frames = 0
        frame = sys._getframe()
        while frame := frame.f_back:
            self.frames += 1
        return x


def listening(network, events):
    return on_calls(
        network.named_modules(),
        lambda name: lambda module, args, kwargs: events.append(("enter", name)),
        lambda name: lambda module, args, result: events.append(("leave", name)),
    )


def test_a_modules_own_hooks_run_and_change_what_they_change():
    network, events, got = nn.Sequential(nn.ReLU()), [], []
    network[0].register_forward_pre_hook(lambda module, args: (args[0] - 2,))
    network[0].register_forward_hook(lambda module, args, out: out + 5)
    with listening(network, events):
        got.append(network(torch.ones(1)).item())
    assert got == [5.0]  # relu(1 - 2) + 5
    assert [name for _, name in events] == ["", "0", "0", ""]


def test_a_call_is_three_frames_deep():
    network = nn.Sequential(nn.Sequential(Deep()))
    with listening(network, []):
        network[0][0](torch.zeros(1))
        frames = network[0][0].frames
        network(torch.zeros(1))
    assert network[0][0].frames == frames + 3 * 2  # two modules around it


def test_two_threads_listen_and_either_may_end_first():
    first, second, events = nn.ReLU(), nn.ReLU(), ([], [])
    both_listen, first_is_gone = threading.Barrier(2), threading.Event()

    def work():
        with listening(second, events[1]):
            both_listen.wait(10)
            first_is_gone.wait(10)
            second(torch.zeros(1))

    thread = threading.Thread(target=work)
    with listening(first, events[0]):
        thread.start()
        both_listen.wait(10)
    first_is_gone.set()
    thread.join()
    assert events == ([], [("enter", ""), ("leave", "")])


def test_two_listen_to_one_module_and_it_is_called_as_before():
    network, outer, inner = nn.ReLU(), [], []
    was = dict(vars(network))
    with listening(network, outer):
        with listening(network, inner):
            network(torch.zeros(1))
        network(torch.zeros(1))
    assert outer == [("enter", ""), ("leave", "")] * 2
    assert inner == [("enter", ""), ("leave", "")]
    assert vars(network) == was


def test_other_modules_classes_stay_as_they_are():
    call = nn.Module.__call__
    with listening(nn.ReLU(), []):
        assert nn.Module.__call__ is call


def test_a_compiled_module_is_heard_and_compiled_again_afterwards():
    network, events = nn.Linear(2, 2), []
    compiled = network._compiled_call_impl = lambda x: x  # as module.compile() has it
    with listening(network, events):
        network(torch.zeros(1, 2))
    assert events == [("enter", ""), ("leave", "")]
    assert network._compiled_call_impl is compiled
