"""EfficientZero: MuZero small enough to learn Atari from two hours of play."""

import torch
from flopledger import register
from torch import Tensor, nn

ACTIONS = 18
PLANES = 12  # 4 frames of 3 colours
CHANNELS, REDUCED, SUPPORT = 64, 16, 601
UNROLL = 5  # steps that training looks ahead
HIDDEN = 512  # of the LSTM that sums rewards up


def _conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _linear(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, which halves the side if they do."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, outputs, stride)
        self.conv2 = _conv(outputs, outputs)
        self.downsample = (
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
            if stride > 1
            else nn.Identity()
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.downsample(x) + self.conv2(self.relu(self.conv1(x))))


def _representation() -> nn.Sequential:
    return nn.Sequential(
        _conv(PLANES, 32, stride=2), nn.ReLU(), ResidualBlock(32, 32),
        ResidualBlock(32, CHANNELS, stride=2), ResidualBlock(CHANNELS, CHANNELS),
        nn.AvgPool2d(3, stride=2, padding=1), ResidualBlock(CHANNELS, CHANNELS),
        nn.AvgPool2d(3, stride=2, padding=1), ResidualBlock(CHANNELS, CHANNELS),
    )  # fmt: skip


def _head(outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(CHANNELS, REDUCED, kernel_size=1), nn.BatchNorm2d(REDUCED), nn.ReLU(),
        nn.Flatten(), _linear(REDUCED * 36, 32), nn.ReLU(), nn.Linear(32, outputs),
    )  # fmt: skip


class Prediction(nn.Module):
    """A hidden state [state, 64, 6, 6] in, its policy's and its value's logits out."""

    def __init__(self) -> None:
        super().__init__()
        self.block = ResidualBlock(CHANNELS, CHANNELS)
        self.policy = _head(ACTIONS)
        self.value = _head(SUPPORT)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        x = self.block(hidden)
        return self.policy(x), self.value(x)


class Dynamics(nn.Module):
    """A hidden state, an action's plane and what the LSTM remembers in; the next of each out.

    The LSTM sums the rewards of a rollout up; its output is their distribution.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(CHANNELS + 1, CHANNELS)
        self.block = ResidualBlock(CHANNELS, CHANNELS)
        self.reward = nn.Sequential(
            nn.Conv2d(CHANNELS, REDUCED, 1), nn.BatchNorm2d(REDUCED), nn.ReLU(), nn.Flatten()
        )
        self.lstm = nn.LSTM(REDUCED * 36, HIDDEN, batch_first=True)
        self.value_prefix = nn.Sequential(
            nn.BatchNorm1d(HIDDEN), nn.ReLU(), _linear(HIDDEN, 32), nn.ReLU(),
            nn.Linear(32, SUPPORT),
        )  # fmt: skip
        self.relu = nn.ReLU()

    def forward(
        self, hidden: Tensor, action: Tensor, memory: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
        x = self.stem(torch.cat((hidden, action), dim=1))
        hidden = self.block(self.relu(x + hidden))
        summed, memory = self.lstm(self.reward(hidden).unsqueeze(1), memory)
        return hidden, memory, self.value_prefix(summed.squeeze(1))


class Root(nn.Module):
    """What a move costs before its search: frames [state, 12, 96, 96] to a policy and a value."""

    def __init__(self) -> None:
        super().__init__()
        self.representation = _representation()
        self.prediction = Prediction()

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        return self.prediction(self.representation(frames))


class Simulation(nn.Module):
    """What one simulation costs: a hidden state [state, 64, 6, 6], a plane [state, 1, 6, 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.dynamics = Dynamics()
        self.prediction = Prediction()

    def forward(self, hidden: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        hidden, _, reward = self.dynamics(hidden, action, None)
        return reward, *self.prediction(hidden)


class EfficientZero(nn.Module):
    """What a sample of training costs: the root, `UNROLL` steps, and each step's true next state.

    Frames [state, 1 + UNROLL, 12, 96, 96] and actions [state, UNROLL, 1, 6, 6] in. A step's
    predicted state must look like the true one after both are projected; the true one is a target
    and has no gradient.
    """

    def __init__(self) -> None:
        super().__init__()
        self.representation = _representation()
        self.dynamics = Dynamics()
        self.prediction = Prediction()
        self.projection = nn.Sequential(
            nn.Flatten(), _linear(CHANNELS * 36, 1024), nn.ReLU(), _linear(1024, 1024), nn.ReLU(),
            _linear(1024, 1024),
        )  # fmt: skip
        self.projection_head = nn.Sequential(_linear(1024, 512), nn.ReLU(), nn.Linear(512, 1024))

    def forward(self, frames: Tensor, actions: Tensor) -> list[Tensor]:
        hidden, memory = self.representation(frames[:, 0]), None
        outputs = [*self.prediction(hidden)]
        for step in range(UNROLL):
            hidden, memory, reward = self.dynamics(hidden, actions[:, step], memory)
            with torch.no_grad():
                true = self.projection(self.representation(frames[:, step + 1]))
            predicted = self.projection_head(self.projection(hidden))
            outputs += [reward, *self.prediction(hidden), predicted - true]
        return outputs


@register(
    inputs=lambda: (torch.zeros(1, 1 + UNROLL, PLANES, 96, 96), torch.zeros(1, UNROLL, 1, 6, 6)),
    axes=("state, step ahead, plane (4 frames of 3 colours), row, column",
          "state, step ahead, plane, row, column"),
    year=2021,
    paper="Ye et al. 2021, arXiv 2111.00210; YeWR/EfficientZero at 468bb03, config/atari",
)  # fmt: skip
def efficientzero() -> nn.Module:
    """EfficientZero for Atari as it is trained: five steps, each compared with the true state."""
    return EfficientZero()


@register(
    inputs=lambda: (torch.zeros(1, PLANES, 96, 96),),
    axes=("state, plane (4 frames of 3 colours), row, column",),
    year=2021,
    paper="Ye et al. 2021, arXiv 2111.00210; YeWR/EfficientZero at 468bb03, config/atari",
)
def efficientzero_root() -> nn.Module:
    """EfficientZero for Atari, a search's root: representation and prediction."""
    return Root()


@register(
    inputs=lambda: (torch.zeros(1, CHANNELS, 6, 6), torch.zeros(1, 1, 6, 6)),
    axes=("state, plane, row, column", "state, action's plane, row, column"),
    year=2021,
    paper="Ye et al. 2021, arXiv 2111.00210; YeWR/EfficientZero at 468bb03, config/atari",
)
def efficientzero_simulation() -> nn.Module:
    """EfficientZero for Atari, one simulation of the search: dynamics and prediction."""
    return Simulation()
