"""AlphaGo's networks before AlphaGo Zero: a policy and a value, trained apart."""

import torch
from flopledger import register
from torch import Tensor, nn


def _tower(planes: int, filters: int, convolutions: int) -> nn.Sequential:
    """A 5 x 5 convolution and then 3 x 3 ones, each padded to keep 19 x 19 and rectified."""
    layers: list[nn.Module] = [nn.Conv2d(planes, filters, 5, padding=2), nn.ReLU()]
    for _ in range(convolutions):
        layers += [nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)


class Policy(nn.Module):
    """13 layers: [position, 48, 19, 19] in, the probabilities of 361 points out."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.tower = _tower(48, filters, convolutions=11)
        self.conv13 = nn.Conv2d(filters, 1, kernel_size=1, bias=False)
        self.bias = nn.Parameter(torch.zeros(19 * 19))  # a different one for each point

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv13(self.tower(x)).flatten(1) + self.bias).softmax(dim=1)


class Value(nn.Module):
    """The policy's tower with one more plane and one more convolution, then linear layers.

    [position, 49, 19, 19] in, the value [position, 1] in (-1, 1) out.
    """

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.tower = _tower(49, filters, convolutions=12)
        self.head = nn.Sequential(
            nn.Conv2d(filters, 1, kernel_size=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(19 * 19, 256),
            nn.ReLU(),
            nn.Linear(256, 1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.tower(x))


@register(
    inputs=lambda: (torch.zeros(1, 48, 19, 19),),
    axes=("position, feature plane, row, column",),
    year=2016,
    paper="Silver et al. 2016, Nature 529, Methods",
)
def alphago_fan_policy() -> nn.Module:
    """AlphaGo's policy network as it played Fan Hui: 13 layers, 192 filters."""
    return Policy(192)


@register(
    inputs=lambda: (torch.zeros(1, 49, 19, 19),),
    axes=("position, feature plane (the policy's, and whose turn), row, column",),
    year=2016,
    paper="Silver et al. 2016, Nature 529, Methods",
)
def alphago_fan_value() -> nn.Module:
    """AlphaGo's value network as it played Fan Hui.

    That it has one 3 x 3 convolution more than the policy is Epoch AI's reading, whose 8.21M
    parameters for both networks this comes to within 0.2%. The paper calls layer 12 "an additional
    convolution layer", but the policy has a layer 12, too: by its numbering there is none more,
    and the value network has 3.98M parameters instead of 4.31M.
    """
    return Value(192)


@register(
    inputs=lambda: (torch.zeros(1, 48, 19, 19),),
    axes=("position, feature plane, row, column",),
    year=2016,
    paper="Silver et al. 2017, Nature 550, Methods (AlphaGo Lee)",
)
def alphago_lee_policy() -> nn.Module:
    """AlphaGo's policy network as it played Lee Sedol: 12 convolutions of 256 filters.

    That it is otherwise as Fan's is assumed.
    """
    return Policy(256)


@register(
    inputs=lambda: (torch.zeros(1, 49, 19, 19),),
    axes=("position, feature plane (the policy's, and whose turn), row, column",),
    year=2016,
    paper="Silver et al. 2017, Nature 550, Methods (AlphaGo Lee)",
)
def alphago_lee_value() -> nn.Module:
    """AlphaGo's value network as it played Lee Sedol: 256 filters, otherwise as Fan's."""
    return Value(256)
