"""AlphaZero's networks: one tower of residual blocks, and heads for each game."""

import torch
from flopledger import register
from torch import Tensor, nn

FILTERS, BLOCKS = 256, 19


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    # batch norm has a bias, so the convolution before it needs none
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a skip: [position, filters, side, side] in and out."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.conv1 = _conv(filters, filters, 3)
        self.conv2 = _conv(filters, filters, 3)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.conv2(self.relu(self.conv1(x))))


class AlphaZero(nn.Module):
    """A tower of residual blocks with a policy head and a value head.

    [position, planes, rows, columns] in; the policy's logits (as the head gives them) and the value
    [position, 1] in (-1, 1) out. The board has rows x columns points.
    """

    def __init__(
        self,
        planes: int,
        points: int,
        policy: nn.Module,
        blocks: int = BLOCKS,
        filters: int = FILTERS,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(planes, filters, 3), nn.ReLU())
        self.tower = nn.Sequential(*(ResidualBlock(filters) for _ in range(blocks)))
        self.policy = policy
        self.value = nn.Sequential(
            _conv(filters, 1, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(points, 256),
            nn.ReLU(),
            nn.Linear(256, 1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tower(self.stem(x))
        return self.policy(x), self.value(x)


def _planes_policy(planes: int, filters: int = FILTERS) -> nn.Module:
    """A 3 x 3 convolution, then one plane a kind of move: [position, planes, side, side].

    The supplement names both convolutions; that the first is 3 x 3 with as many filters as the
    tower and the second 1 x 1 is assumed.
    """
    return nn.Sequential(
        _conv(filters, filters, 3), nn.ReLU(), nn.Conv2d(filters, planes, kernel_size=1)
    )


def _linear_policy(
    width: int, kernel: int, points: int = 19 * 19, moves: int = 362, filters: int = FILTERS
) -> nn.Module:
    """A convolution with `width` filters, then a linear layer to the moves (Go: 361 and a pass)."""
    return nn.Sequential(
        _conv(filters, width, kernel),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(width * points, moves),
    )


@register(
    inputs=lambda: (torch.zeros(1, 17, 19, 19),),
    axes=("position, plane (8 moves' stones of two colours, and whose turn), row, column",),
    year=2018,
    paper="Silver et al. 2018, Science 362, supplement (architecture; Table S1, inputs)",
)
def alphazero_go() -> nn.Module:
    """AlphaZero for Go, 19 blocks, with AlphaGo Zero's policy head of 2 filters.

    The paper leaves the width of the policy's convolution open; `alphazero-go-wide-head` is the
    other reading.
    """
    return AlphaZero(17, 19 * 19, _linear_policy(2, kernel=1))


@register(
    inputs=lambda: (torch.zeros(1, 17, 19, 19),),
    axes=("position, plane (8 moves' stones of two colours, and whose turn), row, column",),
    year=2018,
    paper="Silver et al. 2018, Science 362, supplement (architecture; Table S1, inputs)",
)
def alphazero_go_wide_head() -> nn.Module:
    """AlphaZero for Go, its policy's convolution read as 3 x 3 with 256 filters.

    So the other games' policies begin; that Go's does is assumed. It puts 59% of the parameters
    into the linear layer behind it.
    """
    return AlphaZero(17, 19 * 19, _linear_policy(FILTERS, kernel=3))


@register(
    inputs=lambda: (torch.zeros(1, 119, 8, 8),),
    axes=("position, plane (8 moves x 14 pieces and repetitions, 7 of state), rank, file",),
    year=2018,
    paper="Silver et al. 2018, Science 362, supplement (architecture; Table S1, inputs)",
)
def alphazero_chess() -> nn.Module:
    """AlphaZero for chess, 19 blocks: 73 planes of moves on 64 squares."""
    return AlphaZero(119, 8 * 8, _planes_policy(73))


@register(
    inputs=lambda: (torch.zeros(1, 362, 9, 9),),
    axes=("position, plane (8 moves x 45 pieces and prisoners, 2 of state), rank, file",),
    year=2018,
    paper="Silver et al. 2018, Science 362, supplement (architecture; Table S1, inputs)",
)
def alphazero_shogi() -> nn.Module:
    """AlphaZero for shogi, 19 blocks: 139 planes of moves on 81 squares."""
    return AlphaZero(362, 9 * 9, _planes_policy(139))


@register(
    inputs=lambda: (torch.zeros(1, 17, 9, 9),),
    axes=("position, plane, row, column",),
    year=2018,
    paper="Silver et al. 2018, Science 362, supplement (architecture)",
)
def alphazero_tower(
    planes: int = 17,
    rows: int = 9,
    columns: int = 9,
    moves: int = 82,
    blocks: int = 2,
    filters: int = 32,
) -> nn.Module:
    """AlphaZero's tower cut to a game and a size; as it stands, Go on 9 x 9, 2 blocks of 32.

    Where the moves are whole planes of the board (chess: 73 x 8 x 8) the policy's head is that of
    chess and shogi, elsewhere that of Go.
    """
    points = rows * columns
    if moves % points:
        policy = _linear_policy(2, 1, points, moves, filters)
    else:
        policy = _planes_policy(moves // points, filters)
    return AlphaZero(planes, points, policy, blocks, filters)
