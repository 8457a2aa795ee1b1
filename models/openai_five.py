"""OpenAI Five: what one hero of Dota 2 does next, from what it sees and remembers."""

import torch
from flopledger import Published, register
from torch import Tensor, nn

BERNER = "Berner et al. 2019, arXiv 1912.06680"


class OpenAIFive(nn.Module):
    """Observations [hero, step, features] in, the LSTM's output [hero, step, units] out.

    Published are the LSTM (a single layer, 84% of the parameters) and the sum of all parameters.
    The rest, which flattens a tree of observations and projects the LSTM's state to actions and a
    value, has no sizes: here it is one linear layer with as many parameters. There a unit's
    embedding is used once a unit, so what this counts is at least.
    """

    def __init__(self, units: int, features: int) -> None:
        super().__init__()
        self.observation = nn.Sequential(nn.Linear(features, units), nn.ReLU())
        self.lstm = nn.LSTM(units, units, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(self.observation(x))[0]


@register(
    inputs=lambda: (torch.zeros(1, 1, 5920),),
    axes=("hero, step, feature",),
    year=2019,
    paper="Berner et al. 2019, arXiv 1912.06680, section 3.1, appendices B and H",
    published=[
        Published("params", 158_502_815, f"{BERNER}, appendix H", rtol=0.0002),
    ],
)
def openai_five(units: int = 4096, features: int = 5920) -> nn.Module:
    """OpenAI Five's LSTM of 4,096 units, one hero's step; what feeds it as one layer."""
    return OpenAIFive(units, features)
