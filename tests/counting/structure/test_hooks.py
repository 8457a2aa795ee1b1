"""Modules heard as they begin and end, by hooks or without: in order, and nothing is left."""

import pytest
import torch
from flopledger.counting.structure.hooks import on_modules
from flopledger.counting.structure.module_calls import on_calls
from torch import nn

either_way = pytest.mark.parametrize("on", [on_modules, on_calls])


class Raises(nn.Module):
    def forward(self, x):
        raise ArithmeticError


def heard(on, network, x, **options):
    events = []
    with on(
        network.named_modules(),
        lambda name: lambda module, args, kwargs: events.append(("enter", name)),
        lambda name: lambda module, args, result: events.append(("leave", name)),
        **options,
    ):
        network(x)
    return events


def nothing_is_left(network):
    hooks = [
        hook
        for module in network.modules()
        for table in (module._forward_hooks, module._forward_pre_hooks)
        for hook in table
    ]
    return hooks == [] and all(module._compiled_call_impl is None for module in network.modules())


@either_way
def test_modules_enter_and_leave_in_the_order_of_the_pass(on):
    shared = nn.ReLU()
    network = nn.Sequential(shared, nn.Sequential(shared))
    # the shared module is heard once, by its first name
    assert heard(on, network, torch.zeros(1)) == [
        ("enter", ""), ("enter", "0"), ("leave", "0"), ("enter", "1"),
        ("enter", "0"), ("leave", "0"), ("leave", "1"), ("leave", ""),
    ]  # fmt: skip
    assert nothing_is_left(network)


@either_way
def test_what_goes_in_and_what_comes_out(on):
    network, got = nn.Bilinear(2, 3, 4), []
    a, b = torch.zeros(1, 2), torch.zeros(1, 3)

    def note(name):
        return lambda *what: got.append(what)

    with on([("net", network)], note, note):
        out = network(a, input2=b)
    (module, args, kwargs), (_, _, result) = got
    assert module is network
    assert args[0] is a
    assert kwargs["input2"] is b
    assert result is out


@either_way
@pytest.mark.parametrize(("options", "left"), [({}, 2), ({"leave_always": False}, 0)])
def test_a_module_that_raises(on, options, left):
    network, events = nn.Sequential(Raises()), []

    def hook(word):
        return lambda name: lambda *_: events.append(word)

    with (
        pytest.raises(ArithmeticError),
        on(network.named_modules(), hook("enter"), hook("leave"), **options),
    ):
        network(torch.zeros(1))
    assert events.count("enter") == 2
    assert events.count("leave") == left
    assert nothing_is_left(network)


@either_way
def test_nothing_is_left_when_listening_itself_fails(on):
    network = nn.Sequential(nn.ReLU(), nn.ReLU())

    def leave(name):
        if name == "1":
            raise ArithmeticError
        return lambda *_: None

    with (
        pytest.raises(ArithmeticError),
        on(network.named_modules(), lambda name: lambda *_: None, leave),
    ):
        pass
    assert nothing_is_left(network)


@either_way
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_script_module_is_not_heard(on):
    network = nn.Sequential(torch.jit.script(nn.ReLU()), nn.ReLU())
    assert heard(on, network, torch.zeros(1)) == [
        ("enter", ""), ("enter", "1"), ("leave", "1"), ("leave", ""),
    ]  # fmt: skip
