"""Known numbers that unknown ones are written over, and zeros that stay known."""

import pytest
import torch
from flopledger import memory, profile
from flopledger.counting.shapes.overwritten import Overwritten
from torch import nn

KNOWN, UNKNOWN = torch.ones(2, 3), torch.empty(2, 3, device="meta")


def test_what_is_overwritten_is_a_shape_from_then_on():
    overwritten, kept = Overwritten(), torch.ones(2, 3)
    assert not overwritten.writes("aten::add_", (kept, KNOWN), {})
    assert not overwritten.writes("aten::add", (kept, UNKNOWN), {})
    assert overwritten.shapes_of("aten::mul", (kept, 2), {}) == ((kept, 2), {})
    assert overwritten.writes("aten::add_", (kept[0], UNKNOWN), {})  # a view of it will do
    (shape, two), kwargs = overwritten.shapes_of("aten::mul", (kept.T, 2), {"other": KNOWN})
    assert (shape.is_meta, shape.shape, shape.stride(), two) == (True, (3, 2), (1, 3), 2)
    assert kwargs["other"] is KNOWN
    assert overwritten.holds([kept])
    assert not overwritten.holds([KNOWN])
    # known numbers over it do not bring it back, and what it is written over is lost as well
    assert overwritten.writes("aten::zero_", (kept,), {})
    assert overwritten.writes("aten::copy_", (other := torch.ones(2, 3), kept), {})
    assert overwritten.holds([other])


def test_its_shape_has_its_dtype():
    overwritten, kept = Overwritten(), torch.ones(2, 3, dtype=torch.float64)
    assert overwritten.writes("aten::add_", (kept, UNKNOWN), {})
    (shape,), _ = overwritten.shapes_of("aten::relu", (kept,), {})
    assert (shape.is_meta, shape.dtype) == (True, torch.float64)


def test_a_new_shape_for_it_is_no_number():
    overwritten, kept = Overwritten(), torch.ones(1, 3)
    overwritten.writes("aten::mul_", (kept, UNKNOWN[:1]), {})
    assert not overwritten.writes("aten::squeeze_", (kept,), {})
    assert overwritten.shapes_of("aten::squeeze_", (kept,), {})[0][0] is kept


def test_what_a_gradient_goes_back_through_is_not_taken():
    needed = torch.empty(2, 3, device="meta", requires_grad=True)
    with torch.enable_grad():
        assert not Overwritten().writes("aten::add_", (torch.ones(2, 3), needed), {})
    with torch.no_grad():
        assert Overwritten().writes("aten::add_", (torch.ones(2, 3), needed), {})


class Writes(nn.Module):
    def __init__(self, write):
        super().__init__()
        self.layer, self.write = nn.Linear(4, 4), write

    def forward(self, x):
        return self.layer(self.write(x))


def into_ones(x):
    mask = torch.ones(3, 4)
    mask[:, 1] = x[:, 0]
    mask *= 2
    return mask


def into_positions(x):
    positions = torch.arange(4.0)
    positions += x[0]
    return positions * x


def into_given(x):
    return torch.tensor([1.0, 2.0, 3.0, 4.0]).mul_(x.sum()) + x


def into_integers(x):
    kept = torch.zeros(3, 4, dtype=torch.int64)
    kept[:] = (x > 0).long()
    return kept * x


def into_zeros(x):
    cache = torch.zeros(3, 4)
    cache[0] = x[0]
    return cache.view(4, 3).add_(1).view(3, 4)


@pytest.mark.parametrize(
    "write", [into_ones, into_positions, into_given, into_integers, into_zeros]
)
def test_a_network_that_overwrites_constants_is_counted_on_shapes(write):
    network, x = Writes(write), torch.rand(3, 4)
    counted = profile(network, (x,))
    assert counted.total("macs") == 3 * 4 * 4
    assert (counted.notes, counted.check.agrees) == ((), True)
    assert memory(network, (x,), backward=False).inputs_bytes == 3 * 4 * 4


def into_ones_if_it_can(x):
    try:
        return into_ones(x)
    except RuntimeError:
        return x[:1]


@pytest.mark.parametrize("write", [into_ones, into_positions, into_zeros, into_ones_if_it_can])
def test_a_gradient_goes_back_through_what_is_written_over_constants(write):
    class Between(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.second(write(self.first(x)))

    network, x, once = Between(), torch.rand(3, 4), 3 * 4 * 4
    counted = profile(network, (x,), backward=True)
    assert (counted.notes, counted.total("macs")) == ((), 2 * once)
    assert counted.backward.macs == 3 * once  # both weights, the second layer's input
    assert memory(network, (x,)).gradients_bytes == 4 * 2 * (4 * 4 + 4)


class Router(nn.Module):
    """Six tokens, each sent to two of four experts; how many each gets is read as a list."""

    def __init__(self, gates):
        super().__init__()
        self.router, self.experts = nn.Linear(8, 4), nn.Parameter(torch.rand(4, 8, 8))
        self.gates = gates

    def forward(self, x):
        chosen = self.router(x).topk(2, 1).indices
        sizes = self.gates(x, chosen).long().sum(0).tolist()
        parts = x[chosen.flatten().argsort().div(2, rounding_mode="trunc")].split(sizes)
        return torch.cat([part @ w for part, w in zip(parts, self.experts, strict=True)])


@pytest.mark.parametrize(
    "gates",
    [
        lambda x, chosen: torch.zeros(6, 4).scatter(1, chosen, 1),
        lambda x, chosen: torch.zeros(6, 4, device=x.device).scatter_(1, chosen, 1.0),
        lambda x, chosen: x.new_zeros(6, 4).scatter_(1, chosen, 1.0),
        lambda x, chosen: torch.zeros_like(x[:, :4]).scatter(1, chosen, 1.0) > 0,
        lambda x, chosen: nn.functional.one_hot(chosen, 4).sum(1),
    ],
)
def test_a_router_may_read_its_sizes_as_a_list(gates):
    counted = profile(Router(gates), (torch.rand(6, 8),))
    assert counted.total("macs") == 6 * 8 * 4 + 6 * 2 * 8 * 8  # the router, two experts a token
    assert counted.notes == ("what its top selects by its values was taken as evenly spread",)
    assert counted.check.agrees


def test_numbers_that_are_not_known_are_not_read():
    class Reads(nn.Module):
        def forward(self, x):
            limits = torch.zeros(2)
            limits[0] = x.sum()
            return x * limits.tolist()[0]

    (note,) = profile(Reads(), (torch.ones(3),)).notes
    assert "numbers are read that are not known" in note
