"""Networks that torch.distributed has taken over: counted whole, and left as they were."""

import pytest
import torch
from flopledger import meter, profile
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

X = torch.linspace(-1.0, 1.0, 16).view(2, 8)
FORWARD = 2 * 8 * 16 + 2 * 16 * 4
BACKWARD = 2 * 8 * 16 + 2 * (2 * 16 * 4)  # the first layer's input wants no gradient

pytestmark = [
    pytest.mark.skipif(not distributed.is_available(), reason="torch has no distributed"),
    pytest.mark.filterwarnings("ignore"),  # torch.distributed's own
]


@pytest.fixture(scope="module", autouse=True)
def mesh(tmp_path_factory):
    file = tmp_path_factory.mktemp("rank") / "store"
    distributed.init_process_group("gloo", init_method=f"file://{file}", rank=0, world_size=1)
    yield distributed.device_mesh.init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def plain(_):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))


def sharded(mesh):
    from torch.distributed.fsdp import fully_shard

    network = plain(mesh)
    for part in (network[0], network[2], network):
        fully_shard(part, mesh=mesh)
    return network


def data_parallel(mesh):
    return DistributedDataParallel(plain(mesh))


@pytest.mark.parametrize("made", [sharded, data_parallel])
@pytest.mark.parametrize("used", [False, True], ids=["before its first pass", "after"])
def test_it_is_counted_whole_and_goes_on(mesh, made, used):
    network, right = made(mesh), plain(mesh)(X)
    if used:
        network(X).sum().backward()
    for values in (False, True):
        counted = profile(network, X, backward=True, values=values)
        assert counted.total("macs") == FORWARD
        assert sum(call.macs for call in counted.backward_calls) == BACKWARD
        assert counted.total("params") == 8 * 16 + 16 + 16 * 4 + 4
    for _ in range(2):
        out = network(X)
        assert torch.allclose(out, right)
        out.sum().backward()
    with meter(network) as metered:
        network(X).sum().backward()
    totals = metered.read().totals
    assert (totals.macs, totals.backward_flops) == (FORWARD, 2 * BACKWARD)
    assert all(param.grad is not None for param in network.parameters())
