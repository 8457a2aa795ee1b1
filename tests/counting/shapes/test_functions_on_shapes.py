"""Code that asks a tensor where it is, and functions that want all tensors in one place."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from flopledger import memory, profile
from torch import nn


class Runs(nn.Module):
    """One layer, 8 to 8, and a forward pass that is given."""

    def __init__(self, forward):
        super().__init__()
        self.layer, self.recurrent = nn.Linear(8, 8), nn.LSTM(8, 8, batch_first=True)
        self.run = forward

    def forward(self, x):
        return self.run(self.layer, x, self.recurrent)


ONCE = 4 * 8 * 8  # four rows, 8 to 8


def autocast(layer, x, _):
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        return layer(x)


def autocast_off(layer, x, _):
    with torch.autocast(device_type=layer.weight.device.type, enabled=False):
        return layer(x)


def by_device(layer, x, _):
    return layer(x) if x.device.type == "cpu" else layer(layer(x))


def by_kind(layer, x, _):
    return layer(x) if x.is_cpu and not x.is_meta else layer(layer(x))


def cast_by_name(layer, x, _):
    return layer(x).type(x.type()) + torch.ones(8).type(x.type())


def grid(layer, x, _):
    rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(8.0) + x[0, 0], indexing="ij")
    return layer(x) + rows + columns


def distances(layer, x, _):
    # no product of matrices: fewer than 26 rows are compared element by element
    return layer(x) + torch.cdist(torch.ones(4, 8), x).sum()


def from_zeros(_, x, recurrent):
    return recurrent(x[:, None], (torch.zeros(1, 4, 8), x.new_zeros(1, 4, 8)))[0]


def along(layer, x, _):
    y = layer(x)
    return torch.take_along_dim(y, torch.zeros(4, 1, dtype=torch.int64), 1) + y.sort(-1).values


def random_numbers(layer, x, _):
    source = torch.Generator(device=x.device).manual_seed(0)
    return layer(x) + torch.randn(8, generator=source, device=x.device)


def pooled_whole(layer, x, _):
    image = layer(x)[:, None, None]
    return F.avg_pool2d(image, image.size()[2:]) + F.max_pool2d(image, kernel_size=image.size()[2:])


def filled(layer, x, _):
    # a flag for a number
    hidden = torch.zeros(4, 8, dtype=torch.bool).scatter(1, x.topk(2).indices, True)
    return layer(x).masked_fill(hidden, False).masked_fill(hidden == True, 0.0)  # noqa: E712


def from_numpy(layer, x, _):
    return layer(x) + torch.from_numpy(np.ones(8, dtype=np.float32)).to(x.device)


WAYS = {
    autocast: ONCE,
    autocast_off: ONCE,
    by_device: ONCE,
    by_kind: ONCE,
    cast_by_name: ONCE,
    grid: ONCE,
    distances: ONCE,
    from_zeros: 4 * 4 * 8 * (8 + 8),  # four gates of 8 units, fed by input and state, four rows
    along: ONCE,
    random_numbers: ONCE,
    pooled_whole: ONCE,
    filled: ONCE,
    from_numpy: ONCE,
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_has_to_be_computed_for_it(way, backward):
    x = torch.rand(4, 8)
    counted = profile(Runs(way), (x,), backward=backward)
    assert counted.total("macs") == WAYS[way]
    assert counted.notes == ()
    assert counted.check.agrees
    assert {call.op for call in counted.calls if not call.counted} == set()


@pytest.mark.parametrize("way", [autocast, by_device, grid, cast_by_name])
def test_its_memory_is_worked_out_as_well(way):
    # 8 x 8 weights and 8 biases, and the recurrent layer's, four times two of them
    assert memory(Runs(way), (torch.rand(4, 8),)).params_bytes == 4 * (72 + 4 * 2 * 72)


class FallsBack(nn.Module):
    """One layer where it gets the value that it asks for, three where it is refused."""

    def __init__(self, ask):
        super().__init__()
        self.ask = ask
        self.layers = nn.Sequential(*(nn.Linear(8, 8) for _ in range(3)))

    def forward(self, x):
        try:
            self.ask(x)
        except Exception:
            return self.layers(x)
        return self.layers[0](x)


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: float(x.sum()),
        lambda x: x.sum().item(),
        lambda x: x.tolist(),
        lambda x: x.detach().cpu().numpy(),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: f"{x.sum():.2f}",
        lambda x: torch.allclose(x, x),
    ],
)
def test_a_value_that_is_refused_and_caught_is_given(ask):
    counted = profile(FallsBack(ask), torch.ones(2, 8))
    assert (counted.total("macs"), counted.check.agrees) == (2 * 8 * 8, True)
    assert counted.notes[0].startswith("everything was computed, on the weights and inputs given")


def test_where_it_is_too_large_to_compute_a_note_says_so(monkeypatch):
    monkeypatch.setattr("flopledger.counting.attempts.fits", lambda _: False)
    counted = profile(FallsBack(lambda x: float(x.sum())), torch.ones(2, 8))
    assert counted.total("macs") == 3 * 2 * 8 * 8
    assert "the network asked for a value at" in counted.notes[0]
    assert "too large to compute" in counted.notes[0]


def test_an_exception_that_numbers_raise_too_is_the_networks_own():
    counted = profile(FallsBack(lambda x: x[:, :3] @ x), torch.ones(2, 8))
    assert (counted.total("macs"), counted.notes) == (3 * 2 * 8 * 8, ())


def test_a_tensor_has_an_address_as_one_with_numbers_has():
    def forward(layer, x, _):
        shared = x.data_ptr() == x.view(-1).data_ptr() != layer(x).data_ptr()
        return layer(x) if x.data_ptr() and shared else x

    counted = profile(Runs(forward), torch.ones(2, 8))
    assert counted.total("macs") == 2 * (2 * 8 * 8)
