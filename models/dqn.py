"""DQN: the values of an Atari game's actions from its last four frames."""

import torch
from flopledger import Published, register
from torch import Tensor, nn

ACTIONS = 18  # of the whole joystick; the games of the papers have 4 to 18


def _frames() -> tuple[Tensor, ...]:
    return (torch.zeros(1, 4, 84, 84),)


@register(
    inputs=_frames,
    axes=("state, frame, row, column",),
    year=2013,
    paper="Mnih et al. 2013, arXiv 1312.5602, section 4.1",
    published=[
        Published(
            "params",
            836_096,
            "Epoch AI, Notable AI models, note on DQN",
            differs="it takes 10 x 10 points into the linear layer; a 4 x 4 convolution with "
            "stride 2 leaves 9 x 9 of 20 x 20. It counts no biases (322 here)",
        ),
    ],
)
def dqn() -> nn.Module:
    """DQN of 2013: two convolutions and 256 units."""
    return nn.Sequential(
        nn.Conv2d(4, 16, kernel_size=8, stride=4),
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=4, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 9 * 9, 256),
        nn.ReLU(),
        nn.Linear(256, ACTIONS),
    )


@register(
    inputs=_frames,
    axes=("state, frame, row, column",),
    year=2015,
    paper="Mnih et al. 2015, Nature 518, Methods (model architecture)",
    published=[Published("params", 1_693_362, "Epoch AI, All AI models, DQN-2015")],
)
def dqn_nature() -> nn.Module:
    """DQN of 2015: three convolutions and 512 units."""
    return nn.Sequential(
        nn.Conv2d(4, 32, kernel_size=8, stride=4),
        nn.ReLU(),
        nn.Conv2d(32, 64, kernel_size=4, stride=2),
        nn.ReLU(),
        nn.Conv2d(64, 64, kernel_size=3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 512),
        nn.ReLU(),
        nn.Linear(512, ACTIONS),
    )
