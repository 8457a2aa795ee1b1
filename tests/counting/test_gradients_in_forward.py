"""Forward passes that take gradients: forces are those of an energy, a PINN's are of its field."""

import pytest
import torch
from flopledger import memory, profile
from flopledger.counting.gradients_in_forward import without_gradients
from torch import nn

# 5 points of 3 coordinates through two layers, 3 to 8 to 1
FIRST, SECOND = 5 * 3 * 8, 5 * 8 * 1
ENERGY = FIRST + SECOND
FORCES = SECOND + FIRST  # each layer's gradient of its input, back to the points


class Field(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.first, self.second, self.run = nn.Linear(3, 8), nn.Linear(8, 1), run

    def energy(self, points):
        return self.second(self.first(points).tanh())

    def forward(self, points):
        return self.run(self, points)


def forces(field, points):
    points = points.detach().requires_grad_()
    energy = field.energy(points).sum()
    return energy, -torch.autograd.grad(energy, points, create_graph=field.training)[0]


def forces_by_backward(field, points):
    points = points.detach().requires_grad_()
    field.energy(points).sum().backward()
    return points.grad


@torch.enable_grad()
def forces_everywhere(field, points):
    return forces(field, points)


def forces_of_a_function(field, points):
    return torch.func.grad(lambda p: field.energy(p).sum())(points)


def residual(field, points):
    points = points.requires_grad_()
    u = field.energy(points)
    slope = torch.autograd.grad(u, points, torch.ones_like(u), create_graph=True)[0]
    return torch.autograd.grad(slope[:, 0], points, torch.ones(5), create_graph=True)[0]


# back by .backward(): the weights get their gradients, too; the second gradient goes back through
# the first layer's weight, from slope to tanh's slope, and then to the points
WAYS = {
    forces: ENERGY + FORCES,
    forces_by_backward: ENERGY + FORCES + FIRST + SECOND,
    forces_everywhere: ENERGY + FORCES,
    forces_of_a_function: ENERGY + FORCES,
    residual: ENERGY + FORCES + FIRST + FIRST,
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_gradients_are_part_of_the_forward_pass(way, training):
    points = torch.rand(5, 3)
    counted = profile(Field(way).train(training), (points,))
    assert counted.total("macs") == WAYS[way]
    assert counted.notes == ()
    assert counted.check.agrees is not False


def test_a_backward_pass_goes_back_through_both():
    counted = profile(Field(forces), (torch.rand(5, 3),), backward=True)
    assert counted.total("macs") == ENERGY + FORCES
    # back from the forces: through the first layer's product with its weight, two gradients; to
    # the second's weight, from ones, one; then, with the energy's own, through either layer
    back = 2 * FIRST + SECOND + 2 * FIRST + 2 * SECOND
    assert counted.backward.macs == back  # 600


def test_why_the_other_counter_says_nothing():
    reason = profile(Field(forces), (torch.rand(5, 3),)).check.reason
    assert "a gradient is taken in forward" in reason


def test_one_that_reads_a_value_as_well_is_computed():
    def clipped(field, points):
        energy, force = forces(field, points)
        return force if float(force.norm()) < 1e9 else energy

    counted = profile(Field(clipped).eval(), (torch.rand(5, 3),))
    assert counted.total("macs") == ENERGY + FORCES
    assert "everything was computed" in counted.notes[0]


def test_its_memory_is_worked_out_as_well():
    assert memory(Field(forces), (torch.rand(5, 3),)).params_bytes == 4 * (3 * 8 + 8 + 8 + 1)


def test_gradients_are_kept_where_they_are_asked_for_and_nowhere_else():
    assert without_gradients(torch.is_grad_enabled) is False

    def takes_one():
        return torch.autograd.grad((weight * 2).sum(), weight)[0]

    weight = torch.ones(3, requires_grad=True)
    assert without_gradients(takes_one).tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="of another kind"):
        without_gradients(fails)


def fails():
    raise RuntimeError("of another kind")


def test_tangents_are_products_too():
    # PyTorch multiplies by the weight's tangent as well, which is zeros: three of 5 x 8 x 4
    layer = nn.Linear(8, 4)

    class Pushed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return torch.func.jvp(self.layer, (x,), (x,))[1]

    counted = profile(Pushed(), (torch.rand(5, 8),))
    assert counted.total("macs") == 3 * 5 * 8 * 4
    assert not [call.op for call in counted.calls if not call.counted]
    assert counted.check.agrees is None  # the trace keeps two of them
