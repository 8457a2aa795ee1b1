"""Networks that are graphs already: TorchScript's, torch.export's, torch.fx's, compiled ones."""

import pytest
import torch
from flopledger import profile
from torch import nn

FILE = """
import io
import torch
from torch import nn

X = torch.zeros(2, 8)

def layers():
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))

def scripted():
    return torch.jit.script(layers())

def traced():
    return torch.jit.trace(layers(), (X,))

def loaded():
    file = io.BytesIO()
    torch.jit.save(scripted(), file)
    file.seek(0)
    return torch.jit.load(file)

def frozen():
    return torch.jit.freeze(torch.jit.script(layers().eval()))

def exported():
    return torch.export.export(layers(), (X,)).module()

def of_any_batch():
    rows = torch.export.Dim("rows", min=2)
    x = torch.zeros(3, 8)
    return torch.export.export(layers(), (x,), dynamic_shapes=({0: rows},)).module()

class Around(nn.Module):
    def __init__(self, make):
        super().__init__()
        self.first, self.second = make(nn.Linear(8, 8)), nn.Linear(8, 4)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))

def around_a_script():
    return Around(torch.jit.script)

def around_an_export():
    return Around(lambda layer: torch.export.export(layer, (X,)).module())

def made_by_fx():
    return torch.fx.symbolic_trace(layers())

here = exported()
"""
NAMES = [*[line[4:-3] for line in FILE.splitlines() if line.startswith("def ")][1:], "here"]
MACS = 2 * 8 * 8 + 2 * 8 * 4
# torch.jit warns of itself
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit", "ignore:.*isinstance.treespec")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("graphs") / "graphs.py"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_by_name(name, file):
    counted = profile(f"{file}:{name}", (torch.zeros(2, 8),))
    assert counted.total("macs") == MACS
    assert counted.check.agrees is not False
    assert {call.op for call in counted.calls if not call.counted} == set()


@pytest.mark.parametrize("name", ["scripted", "exported", "around_a_script"])
def test_its_backward_pass(name, file):
    counted = profile(f"{file}:{name}", (torch.zeros(2, 8),), backward=True)
    assert counted.backward.macs == MACS + 2 * 8 * 4  # weights, and the second layer's input


def test_a_compiled_network_runs_uncompiled():
    layer = nn.Linear(8, 4)
    ran = []

    def backend(graph, _):
        ran.append(graph)
        return graph.forward

    counted = profile(torch.compile(layer, backend=backend), (torch.zeros(2, 8),))
    assert counted.total("macs") == 2 * 8 * 4
    assert ran == []
