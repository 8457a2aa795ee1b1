"""A forward whose work is yet to be done is refused in a line: it is not 0."""

import asyncio
import re

import pytest
import torch
from flopledger.allocation.estimate import memory
from flopledger.counting.profiling import profile
from flopledger.profiles.tables import ProfilingError
from torch import nn


class Layered(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)


class Yields(Layered):
    def forward(self, x):
        for _ in range(3):
            x = self.layer(x)
            yield x


class Awaits(Layered):
    async def forward(self, x):
        return self.layer(x)


class YieldsLater(Layered):
    async def forward(self, x):
        yield self.layer(x)


class Maps(Layered):
    def forward(self, x):
        return {"rows": map(self.layer, x)}


@pytest.mark.parametrize(
    ("network", "kind"),
    [(Yields, "generator"), (Awaits, "coroutine"), (YieldsLater, "async_generator"), (Maps, "map")],
)
def test_what_is_returned_before_it_is_done_is_refused(network, kind):
    with pytest.raises(ProfilingError, match=f"{network.__name__}: its forward returns a {kind}"):
        profile(network(), torch.zeros(2, 8))
    with pytest.raises(Exception, match=f"its forward returns a {kind}"):
        memory(network(), torch.zeros(2, 8))


@pytest.mark.parametrize(("network", "by_hand"), [(Yields(), 3 * 2 * 64), (Awaits(), 2 * 64)])
def test_what_the_message_advises_is_counted(network, by_hand):
    with pytest.raises(ProfilingError) as refused:
        profile(network, torch.zeros(2, 8))
    (advice,) = re.findall(r"count a module that does, with (def forward.*)$", str(refused.value))
    names = {"asyncio": asyncio}
    exec(advice, names)
    wrapper = type("Wrapper", (nn.Module,), {"forward": names["forward"]})()
    wrapper.network = network
    assert profile(wrapper, torch.zeros(2, 8)).total("macs") == by_hand


class Asked(nn.Module):
    def __init__(self, network, ask):
        super().__init__()
        self.network, self.ask = network, ask

    def forward(self, x):
        return self.ask(self.network(x))


@pytest.mark.parametrize(
    ("network", "ask", "by_hand"),
    [(Yields(), list, 3 * 2 * 64), (Awaits(), asyncio.run, 2 * 64), (Maps(), lambda out:
      list(out["rows"]), 2 * 64)],
)  # fmt: skip
def test_what_somebody_asks_for_is_counted(network, ask, by_hand):
    counted = profile(Asked(network, ask), torch.zeros(2, 8))
    assert (counted.total("macs"), counted.check.agrees) == (by_hand, True)
