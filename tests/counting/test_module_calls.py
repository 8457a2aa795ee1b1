"""Module calls as they begin and end, heard without hooks."""

import sys
import threading

import pytest
import torch
from flopledger.counting.module_calls import listened_to, on_calls
from torch import nn

CALL = nn.Module.__call__


class Raises(nn.Module):
    def forward(self, x):
        raise ArithmeticError


class Deep(nn.Module):
    def forward(self, x):
        self.frames = 0
        frame = sys._getframe()
        while frame := frame.f_back:
            self.frames += 1
        return x


def listening(network, events, **options):
    return on_calls(
        network.named_modules(),
        lambda name: lambda module, args, kwargs: events.append(("enter", name)),
        lambda name: lambda module, args, result: events.append(("leave", name)),
        **options,
    )


def test_modules_begin_and_end_in_the_order_of_the_pass():
    shared, events = nn.ReLU(), []
    network = nn.Sequential(shared, nn.Sequential(shared))
    with listening(network, events):
        network(torch.zeros(1))
    # the shared module is heard once, by its first name
    assert events == [
        ("enter", ""), ("enter", "0"), ("leave", "0"), ("enter", "1"),
        ("enter", "0"), ("leave", "0"), ("leave", "1"), ("leave", ""),
    ]  # fmt: skip
    assert nn.Module.__call__ is CALL


def test_what_goes_in_and_what_comes_out():
    network, got = nn.Bilinear(2, 3, 4), []
    a, b = torch.zeros(1, 2), torch.zeros(1, 3)

    def note(name):
        return lambda *what: got.append(what)

    with on_calls([("net", network)], note, note):
        out = network(a, input2=b)
    (module, args, kwargs), (_, _, result) = got
    assert module is network
    assert args[0] is a
    assert kwargs["input2"] is b
    assert result is out


@pytest.mark.parametrize(("options", "left"), [({}, 2), ({"leave_always": False}, 0)])
def test_a_module_that_raises(options, left):
    network, events = nn.Sequential(Raises()), []
    with pytest.raises(ArithmeticError), listening(network, events, **options):
        network(torch.zeros(1))
    words = [word for word, _ in events]
    assert words.count("enter") == 2
    assert words.count("leave") == left
    assert nn.Module.__call__ is CALL


def test_a_modules_own_hooks_run_and_change_what_they_change():
    network, events, got = nn.Sequential(nn.ReLU()), [], []
    network[0].register_forward_pre_hook(lambda module, args: (args[0] - 2,))
    network[0].register_forward_hook(lambda module, args, out: out + 5)
    with listening(network, events):
        got.append(network(torch.ones(1)).item())
    assert got == [5.0]  # relu(1 - 2) + 5
    assert [name for _, name in events] == ["", "0", "0", ""]


def test_a_call_is_two_frames_deep():
    network = nn.Sequential(nn.Sequential(Deep()))
    network[0][0](torch.zeros(1))
    alone = network[0][0].frames
    with listening(network, []):
        network[0][0](torch.zeros(1))
        one = network[0][0].frames
        network(torch.zeros(1))
    assert one <= alone
    assert network[0][0].frames == one + 2 * 2  # two modules around it


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
    assert nn.Module.__call__ is CALL


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_script_module_is_not_heard():
    network, events = nn.Sequential(torch.jit.script(nn.ReLU()), nn.ReLU()), []
    with listening(network, events):
        network(torch.zeros(1))
    assert [name for _, name in events] == ["", "1", "1", ""]


def test_several_passes_take_the_call_over_once():
    network = nn.ReLU()
    with listened_to():
        taken = nn.Module.__call__
        assert taken is not CALL
        events = []
        for _ in range(2):
            with listening(network, events):
                assert nn.Module.__call__ is taken
                network(torch.zeros(1))
            assert nn.Module.__call__ is taken
    assert events == [("enter", ""), ("leave", "")] * 2
    assert nn.Module.__call__ is CALL
