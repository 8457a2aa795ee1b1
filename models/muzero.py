"""MuZero for Atari: a representation of frames, learned dynamics, and a prediction."""

import torch
from flopledger import register
from torch import Tensor, nn

ACTIONS = 18
PLANES = 128  # 32 frames of 3 colours, and the 32 actions before them
SUPPORT = 601  # values and rewards are distributions over -300 ... 300, scaled
UNROLL = 5  # steps that training looks ahead


def _conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a skip: [state, planes, side, side] in and out."""

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.conv1 = _conv(planes, planes)
        self.conv2 = _conv(planes, planes)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.conv2(self.relu(self.conv1(x))))


def _blocks(planes: int, count: int) -> list[nn.Module]:
    return [ResidualBlock(planes) for _ in range(count)]


def _representation() -> nn.Sequential:
    """96 x 96 down to 6 x 6 (appendix F), then AlphaZero's tower with 16 blocks."""
    return nn.Sequential(
        _conv(PLANES, 128, stride=2), nn.ReLU(), *_blocks(128, 2),
        _conv(128, 256, stride=2), nn.ReLU(), *_blocks(256, 3),
        nn.AvgPool2d(3, stride=2, padding=1), *_blocks(256, 3),
        nn.AvgPool2d(3, stride=2, padding=1), *_blocks(256, 16),
    )  # fmt: skip


def _head(planes: int, outputs: int) -> nn.Sequential:
    """One convolution that leaves fewer planes, then a linear layer; its width is assumed."""
    return nn.Sequential(
        _conv(256, planes, kernel=1), nn.ReLU(), nn.Flatten(), nn.Linear(planes * 36, outputs)
    )


class Prediction(nn.Module):
    """A hidden state [state, 256, 6, 6] in, its policy's and its value's logits out."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = _head(2, ACTIONS)
        self.value = _head(1, SUPPORT)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        return self.policy(hidden), self.value(hidden)


class Dynamics(nn.Module):
    """A hidden state and an action's plane in, the next hidden state and its reward out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(256 + 1, 256), nn.ReLU())
        self.tower = nn.Sequential(*_blocks(256, 16))
        self.reward = _head(1, SUPPORT)

    def forward(self, hidden: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.tower(self.stem(torch.cat((hidden, action), dim=1)))
        return hidden, self.reward(hidden)


class Root(nn.Module):
    """What a move costs before its search: frames [state, 128, 96, 96] to a policy and a value."""

    def __init__(self) -> None:
        super().__init__()
        self.representation = _representation()
        self.prediction = Prediction()

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        return self.prediction(self.representation(frames))


class Simulation(nn.Module):
    """What one simulation costs: a hidden state [state, 256, 6, 6], a plane [state, 1, 6, 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.dynamics = Dynamics()
        self.prediction = Prediction()

    def forward(self, hidden: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        hidden, reward = self.dynamics(hidden, action)
        return reward, *self.prediction(hidden)


class MuZero(nn.Module):
    """What a sample of training costs: the root, then `UNROLL` steps of dynamics and prediction.

    Frames [state, 128, 96, 96] and actions [state, UNROLL, 1, 6, 6] in, the rewards, policies and
    values of all steps out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.representation = _representation()
        self.dynamics = Dynamics()
        self.prediction = Prediction()

    def forward(self, frames: Tensor, actions: Tensor) -> list[Tensor]:
        hidden = self.representation(frames)
        outputs = [*self.prediction(hidden)]
        for step in range(UNROLL):
            hidden, reward = self.dynamics(hidden, actions[:, step])
            outputs += [reward, *self.prediction(hidden)]
        return outputs


@register(
    inputs=lambda: (torch.zeros(1, PLANES, 96, 96), torch.zeros(1, UNROLL, 1, 6, 6)),
    axes=("state, plane (32 x 3 colours and 32 actions), row, column",
          "state, step ahead, plane, row, column"),
    year=2019,
    paper="Schrittwieser et al. 2019, arXiv 1911.08265, appendices E and F",
)  # fmt: skip
def muzero_atari() -> nn.Module:
    """MuZero for Atari as it is trained: one representation, five steps of dynamics."""
    return MuZero()


@register(
    inputs=lambda: (torch.zeros(1, PLANES, 96, 96),),
    axes=("state, plane (32 x 3 colours and 32 actions), row, column",),
    year=2019,
    paper="Schrittwieser et al. 2019, arXiv 1911.08265, appendices E and F",
)
def muzero_atari_root() -> nn.Module:
    """MuZero for Atari, a search's root: representation and prediction."""
    return Root()


@register(
    inputs=lambda: (torch.zeros(1, 256, 6, 6), torch.zeros(1, 1, 6, 6)),
    axes=("state, plane, row, column", "state, action's plane, row, column"),
    year=2019,
    paper="Schrittwieser et al. 2019, arXiv 1911.08265, appendices E and F",
)
def muzero_atari_simulation() -> nn.Module:
    """MuZero for Atari, one simulation of the search: dynamics and prediction."""
    return Simulation()
