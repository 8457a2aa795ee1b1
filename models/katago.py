"""KataGo's networks of 2019: residual towers with global pooling, in four sizes."""

import torch
from flopledger import register
from torch import Tensor, nn

PLANES, GLOBALS = 18, 10  # tables 3 and 4
SIDE = 19
SCORES = 2 * (SIDE * SIDE + 60)  # possible final scores, from -(S - 0.5) to S - 0.5
AVERAGE_SIDE = 14.0


def _normalised(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)


def _pooled(x: Tensor) -> Tensor:
    """[position, c, side, side] to [position, 3 c]: means, means by the board's width, maxima."""
    mean = x.mean(dim=(2, 3))
    return torch.cat((mean, mean * (x.shape[3] - AVERAGE_SIDE) / 10, x.amax(dim=(2, 3))), dim=1)


class GlobalPoolingBias(nn.Module):
    """What the whole board says of G is added to every point of X."""

    def __init__(self, pooled: int, channels: int) -> None:
        super().__init__()
        self.norm = _normalised(pooled)
        self.linear = nn.Linear(3 * pooled, channels, bias=False)

    def forward(self, x: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        pooled = _pooled(self.norm(g))
        return x + self.linear(pooled)[:, :, None, None], pooled


class Block(nn.Module):
    """Normalised before, not after: two 3 x 3 convolutions and a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _normalised(channels), _conv(channels, channels, 3)
        self.norm2, self.conv2 = _normalised(channels), _conv(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.norm2(self.conv1(self.norm1(x))))


class PoolingBlock(nn.Module):
    """A block whose first `pooled` channels go over the whole board to the others."""

    def __init__(self, channels: int, pooled: int) -> None:
        super().__init__()
        self.pooled = pooled
        self.norm1, self.conv1 = _normalised(channels), _conv(channels, channels, 3)
        self.bias = GlobalPoolingBias(pooled, channels - pooled)
        self.norm2 = _normalised(channels - pooled)
        self.conv2 = _conv(channels - pooled, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.norm1(x))
        y, _ = self.bias(y[:, self.pooled :], y[:, : self.pooled])
        return x + self.conv2(self.norm2(y))


class Policy(nn.Module):
    """The next two moves' logits, at every point [position, 2, side, side] and for a pass."""

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.p, self.g = _conv(channels, head, 1), _conv(channels, head, 1)
        self.bias = GlobalPoolingBias(head, head)
        self.norm = _normalised(head)
        self.moves = _conv(head, 2, 1)
        self.passes = nn.Linear(3 * head, 2, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, pooled = self.bias(self.p(x), self.g(x))
        return self.moves(self.norm(y)), self.passes(pooled)


class Value(nn.Module):
    """The outcome [position, 9], each point's owner and the final score's distribution."""

    def __init__(self, channels: int, head: int, width: int) -> None:
        super().__init__()
        self.v = _conv(channels, head, 1)
        self.outcome = nn.Sequential(nn.Linear(3 * head, width), nn.ReLU(), nn.Linear(width, 9))
        self.owner = _conv(head, 1, 1)
        self.scale = nn.Sequential(nn.Linear(3 * head, width), nn.ReLU(), nn.Linear(width, 1))
        self.score = nn.Sequential(nn.Linear(3 * head + 2, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        v = self.v(x)
        pooled = _pooled(v)
        # the score and its parity, one after another: their values do not change the count
        scores = torch.zeros(len(x), SCORES, 2, dtype=x.dtype, device=x.device)
        each = torch.cat((pooled.unsqueeze(1).expand(-1, SCORES, -1), scores), dim=2)
        return self.outcome(pooled), self.owner(v), self.scale(pooled) * self.score(each).squeeze(2)


class KataGo(nn.Module):
    """A board [position, 18, side, side] and its game's state [position, 10] in, both heads out."""

    def __init__(
        self, blocks: int, channels: int, pooled: int, head: int, width: int, pooling: int
    ) -> None:
        super().__init__()
        self.stem = _conv(PLANES, channels, 5)
        self.state = nn.Linear(GLOBALS, channels, bias=False)
        # "spaced at regular intervals"; which blocks they are is not said and moves no count
        places = {(i + 1) * blocks // (pooling + 1) for i in range(pooling)}
        self.trunk = nn.Sequential(
            *(PoolingBlock(channels, pooled) if i in places else Block(channels)
              for i in range(blocks)),
            _normalised(channels),
        )  # fmt: skip
        self.policy = Policy(channels, head)
        self.value = Value(channels, head, width)

    def forward(self, board: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        x = self.trunk(self.stem(board) + self.state(state)[:, :, None, None])
        return *self.policy(x), *self.value(x)


def _position() -> tuple[Tensor, ...]:
    return (torch.zeros(1, PLANES, SIDE, SIDE), torch.zeros(1, GLOBALS))


@register(
    inputs=_position,
    axes=("position, feature plane, row, column", "position, feature of the game's state"),
    year=2019,
    paper="Wu 2019, arXiv 1902.10565, appendix A, table 5",
)
def katago_b6c96() -> nn.Module:
    """KataGo's first network: 6 blocks of 96 channels."""
    return KataGo(6, 96, pooled=32, head=32, width=48, pooling=2)


@register(
    inputs=_position,
    axes=("position, feature plane, row, column", "position, feature of the game's state"),
    year=2019,
    paper="Wu 2019, arXiv 1902.10565, appendix A, table 5",
)
def katago_b10c128() -> nn.Module:
    """KataGo's second network: 10 blocks of 128 channels."""
    return KataGo(10, 128, pooled=32, head=32, width=64, pooling=2)


@register(
    inputs=_position,
    axes=("position, feature plane, row, column", "position, feature of the game's state"),
    year=2019,
    paper="Wu 2019, arXiv 1902.10565, appendix A, table 5",
)
def katago_b15c192() -> nn.Module:
    """KataGo's third network: 15 blocks of 192 channels."""
    return KataGo(15, 192, pooled=64, head=32, width=80, pooling=2)


@register(
    inputs=_position,
    axes=("position, feature plane, row, column", "position, feature of the game's state"),
    year=2019,
    paper="Wu 2019, arXiv 1902.10565, appendix A, table 5",
)
def katago_b20c256() -> nn.Module:
    """KataGo's last network of 2019: 20 blocks of 256 channels."""
    return KataGo(20, 256, pooled=64, head=48, width=96, pooling=3)
