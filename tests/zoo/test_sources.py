"""Where a network may come from, through the command line."""

import importlib.util
import json
import subprocess
import sys

import pytest

needs = {
    name: pytest.mark.skipif(
        importlib.util.find_spec(name) is None, reason=f"{name} is not installed"
    )
    for name in ("timm", "torchvision", "transformers")
}

NETS = """
import torch
from torch import nn
from layers import make

class Net(nn.Module):
    def __init__(self, depth=2, bias=True, name=""):
        super().__init__()
        self.layers = nn.Sequential(*(make(8, bias) for _ in range(depth)))

    def forward(self, x, scale=None):
        return self.layers(x)

class Needs(nn.Module):
    def __init__(self, width):
        super().__init__()

made = nn.Linear(3, 4)
number = 3

def example():
    return {"x": torch.zeros(3, 8)}

def broken_example():
    raise KeyError("no example")

def downloads():
    return torch.hub.load_state_dict_from_url("https://example.com/weights.pth")

def hangs():
    while True:
        try:
            while True:
                pass
        except Exception:
            pass
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of a user's own, with names that hide others."""
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "layers.py").write_text(
        "from torch import nn\ndef make(width, bias):\n    return nn.Linear(width, width, bias)\n"
    )
    (tmp_path / "broken.py").write_text("import torch\n\nimport nosuchpackage\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("")
    (tmp_path / "mine" / "width.py").write_text("WIDTH = 5\n")
    (tmp_path / "mine" / "nets.py").write_text(
        "from torch import nn\nfrom .width import WIDTH\n\ndef net():\n"
        "    return nn.Linear(WIDTH, 2)\n"
    )
    monkeypatch.chdir(tmp_path)
    # folders that other tests were in would come first
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "pytest-of" not in p])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("layers", "mine") or name.startswith("flopledger_file_"):
            del sys.modules[name]


def totals(run, *words):
    code, out, err = run("profile", *words, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def test_a_class_in_a_file_with_its_siblings(run, folder):
    parsed = totals(run, "nets.py:Net", "--input", "2,8", "--kwargs", "depth=3", "--kwargs",
                 "bias=false", "--kwargs", "name=tiny")  # fmt: skip
    assert parsed["totals"]["macs"] == 3 * 2 * 8 * 8
    assert parsed["totals"]["params"] == 3 * 8 * 8
    assert parsed["model"] == "nets.py:Net"


def test_a_module_that_is_made_already(run, folder):
    assert totals(run, "nets.py:made", "--input", "2,3")["totals"]["macs"] == 2 * 3 * 4


def test_a_package_in_this_folder_and_a_file_of_it(run, folder):
    for source in ("mine.nets:net", "mine/nets.py:net"):
        assert totals(run, source, "--input", "1,5")["totals"]["macs"] == 10


def test_inputs_from_a_function_and_by_name(run, folder):
    parsed = totals(run, "nets.py:Net", "--inputs", "nets.py:example", "--batch", "4")
    assert parsed["inputs"] == [{"shape": [4, 8], "dtype": "float32"}]
    parsed = totals(run, "nets.py:Net", "--input", "x=1,8", "--input", "scale=2:int64")
    assert [i["dtype"] for i in parsed["inputs"]] == ["float32", "int64"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("nets.py:Net", "what goes in is not known; give --input"),
        ("nets.py:Needs --input 1", "missing a required argument: 'width'; give --kwargs"),
        ("nets.py:Net --kwargs deep=3 --input 1,8", "unexpected keyword argument 'deep'"),
        ("nets.py:Net --kwargs deep --input 1,8", "--kwargs deep: say NAME=VALUE"),
        ("nets.py:nope", "it has no 'nope'; it has Net, Needs, example"),
        ("nets.py:number", "nets.py:number is a int, no factory"),
        ("nosuch.py:Net", "there is no file nosuch.py"),
        ("broken.py:Net", "No module named 'nosuchpackage' at"),
        ("nosuch.package:net", "no package is called 'nosuch'"),
        ("nets.py:Net --inputs nets.py:broken_example", "nets.py:broken_example raises KeyError"),
    ],
)
def test_a_wrong_source_gives_one_clear_line_and_2(run, folder, words, line):
    code, out, err = run("profile", *words.split())
    assert (code, out, len(err)) == (2, "", 1)
    assert line in err[0]


def test_a_broken_file_shows_the_line_that_broke(run, folder):
    err = run("profile", "broken.py:Net")[2]
    assert "broken.py:3 (import nosuchpackage)" in err[0]


def test_what_would_download_is_refused(run, folder):
    code, _, err = run("profile", "nets.py:downloads")
    assert code == 1
    assert "it would connect to example.com; nothing is downloaded here" in err[-1]


def test_what_hangs_is_given_up(run, folder):
    code, _, err = run("profile", "nets.py:hangs", "--timeout", "0.2")
    assert code == 1
    assert err == [
        "flopledger: nets.py:hangs: not done after 0.2 s; mend what hangs, or give a longer "
        "--timeout"
    ]
    assert run("profile", "nets.py:made", "--timeout", "0")[0] == 2


def test_names_of_the_users_own_break_nothing(folder):
    # a file and a folder that hide the standard library's profile and the zoo's models
    (folder / "profile.py").write_text("raise SystemError('the user's profile.py')\n")
    (folder / "models").mkdir()
    (folder / "models" / "__init__.py").write_text("raise SystemError\n")
    for words in (["alexnet"], ["nets.py:Net", "--input", "1,8"]):
        ran = subprocess.run(
            [sys.executable, "-m", "flopledger", "profile", *words], capture_output=True, text=True
        )
        assert (ran.returncode, ran.stderr) == (0, "")


def test_another_packages_zoo(run, folder, monkeypatch):
    (folder / "mine" / "zoo.py").write_text(
        "import torch\nfrom torch import nn\nfrom flopledger.zoo.registry import register\n\n"
        "@register(inputs=lambda: (torch.zeros(1, 3),))\ndef of_mine():\n"
        '    """A network of another package."""\n    return nn.Linear(3, 4)\n'
    )
    monkeypatch.syspath_prepend(str(folder))
    assert "of-mine" not in run("profile", "--list")[1]  # it is installed after that
    metadata = folder / "mine-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[flopledger.models]\nmine = mine.zoo\n")
    monkeypatch.setattr("flopledger.zoo.registry._specs", {})
    assert "of-mine" in run("profile", "--list")[1]
    assert totals(run, "of-mine")["totals"]["macs"] == 12


@needs["timm"]
def test_timm(run):
    # pytorch-image-models, results/results-imagenet.csv: resnet18, 11.69 M parameters
    parsed = totals(run, "timm:resnet18")
    assert round(parsed["totals"]["params"] / 1e6, 2) == 11.69
    assert "guessed from timm's input_size" in parsed["notes"][0]
    code, _, err = run("profile", "timm:resnet18", "--kwargs", "pretrained=true")
    assert (code, len(err)) == (2, 1)
    assert "would be downloaded" in err[0]
    assert "timm has no model 'resnet1'" in run("profile", "timm:resnet1")[2][0]


@needs["torchvision"]
def test_torchvision(run):
    from torchvision.models import ResNet18_Weights

    published = ResNet18_Weights.DEFAULT.meta
    parsed = totals(run, "torchvision:resnet18")
    assert parsed["totals"]["params"] == published["num_params"]
    assert round(parsed["totals"]["macs"] / 1e9, 3) == published["_ops"]
    code, _, err = run("profile", "torchvision:resnet18", "--kwargs", "weights=DEFAULT")
    assert (code, len(err)) == (2, 1)


LLAMA = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 16,
    "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 50, "max_position_embeddings": 32,
}  # fmt: skip


@needs["transformers"]
def test_a_transformers_configuration(run, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    layer = 16 * 16 + 2 * 16 * 8 + 16 * 16 + 3 * 16 * 24  # q, k and v, o, the three of the MLP
    for source in (tmp_path, tmp_path / "config.json"):
        parsed = totals(run, f"hf:{source}")
        attention = 32 * 32 * (16 + 16)
        assert parsed["totals"]["macs"] == 2 * (32 * layer + attention) + 32 * 16 * 50
        assert parsed["inputs"] == [{"shape": [1, 32], "dtype": "int64"}]
    parsed = totals(run, f"hf:{tmp_path}", "--kwargs", "num_hidden_layers=1",
                 "--input", "input_ids=1,8")  # fmt: skip
    assert parsed["totals"]["macs"] == 8 * layer + 8 * 8 * 32 + 8 * 16 * 50


@needs["transformers"]
@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("{", "no transformers configuration"),
        ('{"hidden_size": 3}', "no transformers configuration: KeyError: 'model_type'"),
        ('{"model_type": "nosuch", "auto_map": {}}', "its own code would have to be downloaded"),
    ],
)
def test_a_wrong_configuration(run, tmp_path, config, line):
    (tmp_path / "config.json").write_text(config)
    code, _, err = run("profile", f"hf:{tmp_path}")
    assert (code, len(err)) == (2, 1)
    assert line in err[0]


@needs["transformers"]
def test_a_name_of_the_hub_is_no_path(run):
    code, _, err = run("profile", "hf:bert-base-uncased")
    assert (code, len(err)) == (2, 1)
    assert "nothing is downloaded" in err[0]


def test_a_missing_package_names_its_extra(run, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *a: None if name == "timm" else real(name, *a)
    )
    err = run("profile", "timm:resnet18")[2]
    assert err == ["flopledger: timm is not installed; pip install 'flopledger[timm]'"]
