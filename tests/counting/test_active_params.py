"""The parameters that one token meets, also where they are cast, gathered or joined before."""

import pytest
import torch
import torch.nn.functional as F
from flopledger.counting.profiling import profile
from torch import nn

EXPERTS, TOP, WIDE, OUT = 5, 2, 8, 6


class Routed(nn.Module):
    """Of 5 experts [8 -> 6] with biases, each token goes to 2; how they are met is given."""

    def __init__(self, meet, dtype=torch.float32):
        super().__init__()
        self.embed = nn.Embedding(10, WIDE)
        self.router = nn.Parameter(torch.zeros(EXPERTS, WIDE, dtype=dtype))
        self.experts = nn.Parameter(torch.zeros(EXPERTS, OUT, WIDE))
        self.biases = nn.Parameter(torch.zeros(EXPERTS, OUT))
        self.sinks = nn.Parameter(torch.zeros(3))
        self.meet = meet

    def forward(self, ids):
        x = self.embed(ids).flatten(0, 1)
        scores = F.linear(x, self.router.to(x.dtype))
        chosen = scores.topk(TOP).indices
        counts = torch.bincount(chosen.flatten(), minlength=EXPERTS)  # asks which were chosen
        return self.meet(self, x, chosen, counts)


def gathered(net, x, chosen, counts):
    out = torch.einsum("tw,tkow->tko", x, net.experts[chosen]) + net.biases[chosen]
    return torch.cat([out.flatten(1), net.sinks.expand(len(x), 3)], 1).softmax(-1)


def one_by_one(net, x, chosen, counts):
    outs = [
        F.linear(x[(chosen == i).any(1)], net.experts[i], net.biases[i])
        for i in range(EXPERTS)
        if (chosen == i).any()
    ]
    return torch.cat(outs), net.sinks * 2


def in_one_product(net, x, chosen, counts):
    order = chosen.flatten().argsort()
    ends = counts.cumsum(0).to(torch.int32)
    out = torch._grouped_mm(x[order // TOP], net.experts.mT, offs=ends)  # of 5 experts' weights 2
    return out + net.biases[chosen.flatten()[order]], net.sinks + 1


def cast(net, x, chosen, counts):
    weights = net.experts.double()[chosen].float()
    return torch.einsum("tw,tkow->tko", x, weights) + net.biases.half()[chosen], net.sinks + 1


@pytest.mark.parametrize("meet", [gathered, one_by_one, in_one_product, cast])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_token_meets_its_experts_their_biases_the_router_and_the_sinks(meet, dtype):
    counted = profile(Routed(meet, dtype), torch.zeros(1, 4).long())
    chosen = TOP * (WIDE * OUT + OUT)
    assert counted.total("active_params") == 10 * WIDE + EXPERTS * WIDE + chosen + 3
    assert counted.unused == ()
