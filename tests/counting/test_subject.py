"""What every verb is about: a network or a name, and its arguments, apart from the options."""

import numpy as np
import pytest
import torch
from flopledger import FlopledgerError, allocated, memory, meter, profile, timing
from flopledger.counting.subject import subject_of
from torch import nn


class Detr(nn.Module):
    """Its forward takes arguments that are called as options are."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)

    def forward(self, samples, backward=None, *, counter):
        return self.layer(samples) + counter + (0 if backward is None else backward)


def test_a_forwards_arguments_are_never_taken_for_options():
    x, scalar = torch.zeros(6, 4), torch.zeros(1)
    by_name = {"samples": x, "backward": scalar, "counter": scalar}
    for args, kwargs in [
        ((), by_name),
        ((x, scalar), {"counter": scalar}),
        ([x], {"counter": scalar}),
    ]:
        counted = profile(Detr(), args, kwargs, samples=2)
        assert counted.total("macs") == 6 * 4 * 5
        assert counted.samples == 2
        assert counted.backward is None
        assert memory(Detr(), args, kwargs).params_bytes == 4 * (4 * 5 + 5)
        assert timing(Detr(), args, kwargs, repeats=1).layers[1].macs == 6 * 4 * 5


@pytest.mark.parametrize("verb", [profile, memory, allocated, timing])
def test_what_is_no_tuple_is_the_one_argument(verb):
    net, x = nn.Linear(4, 5), torch.zeros(3, 4)
    assert type(verb(net, x)) is type(verb(net, (x,)))
    assert profile(net, x) == profile(net, (x,)) == profile(net, [x])


def test_a_name_is_read_as_the_command_line_reads_it(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(
        "from torch import nn\n\ndef small():\n    return nn.Linear(4, 5)\n\n"
        "def broken():\n    return 1 / 0\n"
    )
    counted = profile(f"{file}:small", torch.zeros(3, 4))
    assert (counted.model, counted.total("macs")) == (f"{file}:small", 3 * 4 * 5)
    with pytest.raises(ValueError, match=r":small: what goes in is not known; give args") as no:
        profile(f"{file}:small")
    assert "--input" not in str(no.value)
    assert memory(f"{file}:small", torch.zeros(3, 4)).params_bytes == 4 * (4 * 5 + 5)
    with pytest.raises(FlopledgerError, match=r"nets\.py:broken: its factory fails: ZeroDivision"):
        profile(f"{file}:broken", torch.zeros(3, 4))


def test_a_name_of_the_zoo_has_its_own_inputs():
    assert profile("lstm").inputs != ()
    assert timing("lstm", repeats=1).layers


@pytest.mark.parametrize("samples", [0, -3, 2.5, True, "2"])
def test_samples_that_are_no_number_of_them(samples):
    with pytest.raises(FlopledgerError, match=r"samples=.* is no number of samples; give 1") as no:
        profile(nn.Linear(4, 5), torch.zeros(3, 4), samples=samples)
    assert isinstance(no.value, ValueError)


def test_mistakes_are_told_in_one_line():
    with pytest.raises(TypeError, match=r"a int is no network; give a torch\.nn\.Module"):
        profile(3, torch.zeros(1))
    with pytest.raises(ValueError, match=r"\$nothing.*there is no file"):
        profile("$nothing.py:Net")
    with pytest.raises(LookupError, match=r"no model is called .alexnte."):
        profile("alexnte")


def test_several_tensors_by_place_go_in_a_tuple():
    with pytest.raises(ValueError, match=r"several tensors by place go in one tuple: \(x, y\)"):
        profile(nn.Bilinear(2, 3, 4), torch.zeros(5, 2), torch.zeros(5, 3))
    counted = profile(nn.Bilinear(2, 3, 4), (torch.zeros(5, 2), torch.zeros(5, 3)))
    assert counted.total("macs") > 0


def test_a_mapping_names_what_is_metered():
    first, second = nn.Linear(4, 5), nn.Linear(5, 3)
    with meter({"log": first, "peak": second}, peak=1e9) as m:
        second(first(torch.zeros(2, 4)))
    rows = m.read().by_signature().set_index("module")
    assert rows["macs"].to_dict() == {"log": 2 * 4 * 5, "peak": 2 * 5 * 3}


def test_a_named_network_keeps_the_weights_of_its_factory_where_values_are_asked_for():
    assert {p.device.type for p in subject_of("dqn", stored=True).module.parameters()} == {"cpu"}
    assert {p.device.type for p in subject_of("dqn").module.parameters()} == {"meta"}
    assert profile("dqn", values=True).total("macs") == profile("dqn").total("macs")


class Pipeline:
    """As diffusers and others have them: no network, and some inside."""

    def __init__(self):
        self.unet, self.scheduler = nn.Linear(4, 5), object()

    def __call__(self, x):
        return self.unet(x)


NO_NETWORKS = {
    "a class": (nn.Linear, "Linear is a class and no network yet; make one, such as Linear()"),
    "a function": (lambda x: x, "a function is no network; give the torch.nn.Module that it"),
    "a pipeline": (Pipeline(), "holds some: unet; give one of them, with its own inputs"),
    "a list": ([nn.Linear(4, 5)], r"a list is no torch\.nn\.Module, and holds some: \[0\]"),
    "nothing": (None, "a NoneType is no network"),
    "an array": (np.zeros(3), "a ndarray is no network"),
    "a shape": ((1, 3), "a tuple is no network"),
    "weights": (nn.Linear(4, 5).state_dict(), "a OrderedDict is no network"),
    "a tensor": (torch.zeros(3), "a Tensor is no network"),
}


@pytest.mark.parametrize("verb", [profile, memory, timing, meter])
@pytest.mark.parametrize("given", NO_NETWORKS)
def test_what_is_no_network(verb, given):
    what, line = NO_NETWORKS[given]
    if verb is meter and isinstance(what, dict):
        line = "is a Tensor, no"  # a meter takes networks by name
    with pytest.raises(FlopledgerError, match=line):
        verb(what) if verb is meter else verb(what, torch.zeros(3, 4))


NO_INPUTS = {
    "nothing": ((), "it was given no inputs; give args"),
    "None": (None, "none of its inputs is a tensor, but None is given"),
    "an array": (np.zeros((3, 4)), r"a numpy array is no tensor; give torch\.from_numpy"),
    "arrays": ([np.zeros((3, 4))], "a numpy array is no tensor"),
    "a shape": ((3, 4), r"\(3, 4\) is a shape and no tensor; give torch\.zeros\(3, 4\)"),
    "torch.Size": (torch.Size([3, 4]), r"\(3, 4\) is a shape"),
    "a text": ("3,4", "none of its inputs is a tensor, but '3,4' is given"),
    "a class": (torch.Tensor, "none of its inputs is a tensor"),
    "a loader": (torch.utils.data.DataLoader([torch.zeros(4)]), "none of its inputs is a tensor"),
}


@pytest.mark.parametrize("verb", [profile, memory, timing])
@pytest.mark.parametrize("given", NO_INPUTS)
def test_what_is_no_input(verb, given):
    what, line = NO_INPUTS[given]
    with pytest.raises(FlopledgerError, match=line) as refused:
        verb(nn.Linear(4, 5), what)
    assert "\n" not in str(refused.value)


def test_a_forward_that_takes_no_tensor_is_not_refused():
    class Made(nn.Module):
        def forward(self, rows, array):
            return torch.zeros(rows, 4) @ torch.zeros(4, int(array.sum()))

    assert profile(Made(), (3, np.ones(5))).total("macs") == 3 * 4 * 5


@pytest.mark.parametrize("kwargs", [[1], "x", {1: torch.zeros(3, 4)}])
def test_arguments_by_name_are_a_dict(kwargs):
    with pytest.raises(FlopledgerError, match="are no arguments by name; give a dict"):
        profile(nn.Linear(4, 5), torch.zeros(3, 4), kwargs)
