"""Nested and distributed tensors: their operators' work is done on the tensors that they hold."""

import pytest
import torch
import torch.distributed as dist
from flopledger import memory, profile
from flopledger.counting.structure.wrapped import held_by, shape_of
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate, distribute_module, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)

pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")

LAYOUTS = [torch.jagged, torch.strided]


def nested(layout):
    parts = [torch.rand(3, 8), torch.rand(5, 8)]
    return torch.nested.nested_tensor(parts, layout=layout)


def perceptron():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rows_of_a_nested_tensor_are_multiplied_and_no_padding(layout):
    counted = profile(perceptron(), (nested(layout),), backward=True)
    rows = 3 + 5
    first, second = rows * 8 * 16, rows * 16 * 4
    assert counted.total("macs") == first + second
    # weights' gradients, and the second layer's input's
    assert counted.backward.macs == first + 2 * second
    assert counted.samples == 2
    assert [given.shape for given in counted.inputs] == [(8, 8)]
    assert "tensors that hold others" in counted.check.reason


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_that_is_made_in_forward(layout):
    class Packs(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 4)

        def forward(self, a, b):
            packed = torch.nested.as_nested_tensor([a, b], layout=layout)
            return torch.nested.to_padded_tensor(self.layer(packed).relu(), 0.0)

    counted = profile(Packs(), (torch.rand(3, 8), torch.rand(5, 8)))
    assert counted.total("macs") == (3 + 5) * 8 * 4
    assert {call.op for call in counted.calls if not call.counted} == set()


def test_shapes():
    for layout in LAYOUTS:
        assert shape_of(nested(layout)) == (3 + 5, 8)
    uneven = torch.nested.nested_tensor([torch.rand(3, 8), torch.rand(5, 7)])
    assert shape_of(uneven) == (3 * 8 + 5 * 7,)
    assert shape_of(torch.rand(2, 3)) == (2, 3)
    jagged = nested(torch.jagged)
    assert held_by(jagged)[0] is jagged._values
    assert held_by(plain := torch.rand(2)) == [plain]


@pytest.fixture(scope="module")
def mesh():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    dist.destroy_process_group()


FIRST, SECOND = 2 * 8 * 16, 2 * 16 * 4


def tensor_parallel(mesh):
    plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
    return parallelize_module(perceptron(), mesh, plan), torch.rand(2, 8)


def replicated(mesh):
    x = distribute_tensor(torch.rand(2, 8), mesh, [Replicate()])
    return distribute_module(perceptron(), mesh), x


class Distributes(nn.Module):
    def __init__(self, mesh):
        super().__init__()
        self.inner, self.mesh = distribute_module(perceptron(), mesh), mesh

    def forward(self, x):
        return self.inner(distribute_tensor(x, self.mesh, [Replicate()])).full_tensor()


def distributed_inside(mesh):
    return Distributes(mesh), torch.rand(2, 8)


def sharded(mesh):
    network = perceptron()
    for layer in network:
        fully_shard(layer, mesh=mesh)
    return fully_shard(network, mesh=mesh), torch.rand(2, 8)


@pytest.mark.parametrize("make", [tensor_parallel, replicated, distributed_inside, sharded])
def test_a_distributed_network_on_one_rank(make, mesh):
    network, x = make(mesh)
    before = [p.to_local().clone() for p in network.parameters() if isinstance(p, DTensor)]
    for _ in range(2):  # before its first pass, and after
        counted = profile(network, (x,), backward=True)
        assert counted.total("macs") == FIRST + SECOND
        assert counted.backward.macs == FIRST + 2 * SECOND
        assert (counted.notes, counted.unused) == ((), None if make is sharded else ())
        assert {call.op for call in counted.calls if not call.counted} == set()
        assert network(x).shape == (2, 4)
    after = [p.to_local() for p in network.parameters() if isinstance(p, DTensor)]
    assert len(before) == 4
    assert all(map(torch.equal, before, after))


def test_its_memory_is_worked_out_as_well(mesh):
    network, x = tensor_parallel(mesh)
    assert memory(network, (x,), backward=False).inputs_bytes == 2 * 8 * 4
