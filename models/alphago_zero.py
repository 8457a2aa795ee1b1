"""AlphaGo Zero's networks: Go from self-play alone, with 20 and with 40 blocks."""

import torch
from flopledger import Published, register
from torch import Tensor, nn

FILTERS = 256


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    # batch norm has a bias, so the convolution before it needs none
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a skip: [position, 256, 19, 19] in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _conv(FILTERS, FILTERS, 3)
        self.conv2 = _conv(FILTERS, FILTERS, 3)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.conv2(self.relu(self.conv1(x))))


class AlphaGoZero(nn.Module):
    """One convolutional block, residual blocks, a policy head of 2 layers, a value head of 3.

    [position, 17, 19, 19] in; logits of 361 points and the pass [position, 362] and the value
    [position, 1] in (-1, 1) out. Silver et al. 2017, Methods, "Neural network architecture".
    """

    def __init__(self, residual_blocks: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(17, FILTERS, 3), nn.ReLU())
        self.tower = nn.Sequential(*(ResidualBlock() for _ in range(residual_blocks)))
        self.policy = nn.Sequential(
            _conv(FILTERS, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 19 * 19, 362)
        )
        self.value = nn.Sequential(
            _conv(FILTERS, 1, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(19 * 19, 256),
            nn.ReLU(),
            nn.Linear(256, 1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tower(self.stem(x))
        return self.policy(x), self.value(x)


@register(
    inputs=lambda: (torch.zeros(1, 17, 19, 19),),
    axes=("position, plane (8 moves' stones of two colours, and whose turn), row, column",),
    year=2017,
    paper="Silver et al. 2017, Nature 550, Methods",
)
def alphago_zero_20() -> nn.Module:
    """AlphaGo Zero's first run, "20 blocks": a convolution and 19 residual blocks."""
    return AlphaGoZero(19)


@register(
    inputs=lambda: (torch.zeros(1, 17, 19, 19),),
    axes=("position, plane (8 moves' stones of two colours, and whose turn), row, column",),
    year=2017,
    paper="Silver et al. 2017, Nature 550, Methods",
    published=[
        Published(
            "params",
            46_400_244,
            "Epoch AI, All ML Systems, AlphaGo Zero",
            differs="Epoch counts kernels and matrices only: without the 40,454 parameters of "
            "batch norm and the 619 biases of the linear layers",
        ),
        Published(
            "macs",
            34.10e9 / 2,
            "Epoch AI, notes on AlphaGo Zero: 34.10 GFLOP a pass",
            rtol=0.0002,
            differs="Epoch multiplies by 40 residual blocks, of which the network has 39",
        ),
    ],
)
def alphago_zero_40() -> nn.Module:
    """AlphaGo Zero's final run, "40 blocks": a convolution and 39 residual blocks."""
    return AlphaGoZero(39)
