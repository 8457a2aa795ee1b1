"""What a backward pass starts from, whatever a network returns."""

from types import SimpleNamespace

import pytest
import torch
from flopledger import profile
from torch import distributions, nn

ACTOR, CRITIC = 2 * 8 * 4, 2 * 8 * 1


class Agent(nn.Module):
    def __init__(self, returns):
        super().__init__()
        self.actor, self.critic, self.returns = nn.Linear(8, 4), nn.Linear(8, 1), returns

    def forward(self, x):
        return self.returns(self.actor(x), self.critic(x))


@pytest.mark.parametrize(
    "returns",
    [
        lambda a, v: (distributions.Categorical(logits=a), v),
        lambda a, v: distributions.Independent(distributions.Normal(a, v.exp()), 1),
        lambda a, v: SimpleNamespace(policy=[a], value={"v": v}),
        lambda a, v: {"policy": SimpleNamespace(logits=a, value=v)},
    ],
    ids=["distribution and tensor", "nested distributions", "object", "object in a dict"],
)
def test_gradients_go_back_from_all_of_it(returns):
    counted = profile(Agent(returns), (torch.rand(2, 8),), backward=True)
    assert counted.total("macs") == counted.backward.macs == ACTOR + CRITIC
    assert counted.backward_check.agrees


def test_an_objects_state_is_no_result_beside_a_tensor():
    def cached(a, v):
        return a, SimpleNamespace(state=v)

    assert profile(Agent(cached), (torch.rand(2, 8),), backward=True).backward.macs == ACTOR
