"""Layers in a row, and what the meter says of the backward pass of each step of theirs."""

from flopledger import meter
from torch import nn

B, WIDTH = 3, 4
LAYER = B * WIDTH * WIDTH  # MACs of one product of a layer


def layers(number):
    """So many linear ones of one width."""
    return nn.Sequential(*[nn.Linear(WIDTH, WIDTH) for _ in range(number)])


def by_step(net, step, arguments):
    """Backward MACs of each step."""
    with meter(net) as m:
        for argument in arguments:
            with m.unit("step"):
                step(argument)
    return (m.read().by_unit("step")["backward_flops"] / 2).tolist()
