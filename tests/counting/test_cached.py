"""What is kept is what would be made again, and nothing is believed that is broken."""

import importlib.util
import json
import os
from pathlib import Path
from types import SimpleNamespace

import flopledger
import pytest
from flopledger import profile
from flopledger.counting import cached, profiling
from flopledger.counting.cached import cached_profile, remembered
from flopledger.ledger.build import measured
from flopledger.zoo.inputs import WrongInputs
from flopledger.zoo.libraries import WrongSource
from flopledger.zoo.sizes import Sizes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "flopledger"


@pytest.fixture
def counts(monkeypatch):
    """The names that were counted, in order."""
    made, real = [], profiling.counted

    def count(name, *inputs, **kwargs):
        made.append(name)
        return real(name, *inputs, **kwargs)

    monkeypatch.setattr(profiling, "counted", count)
    return made


def test_a_model_is_counted_once_and_comes_back_the_same(folder, counts):
    first, again = cached_profile("lstm"), cached_profile("lstm")
    assert counts == ["lstm"]
    assert first == again == profile("lstm", backward=True)
    assert again.layers.equals(first.layers)


def test_a_changed_file_is_counted_again(folder, counts, monkeypatch):
    cached_profile("lstm")
    monkeypatch.setattr(cached, "_library", lambda: "another state of the library")
    cached_profile("lstm")
    assert counts == ["lstm", "lstm"]


def test_every_file_that_a_count_goes_through_is_in_the_fingerprint(reached):
    home = Path(flopledger.__file__).parent
    files = {str(file.relative_to(home)) for file in cached.counting_files()}
    for entry in ("counting/profiling.py", "counting/subject.py", "counting/arguments.py"):
        assert entry in files
        for name in reached(home / entry):
            if name.startswith("flopledger."):
                path = name.removeprefix("flopledger.").replace(".", "/")
                assert {f"{path}.py", f"{path}/__init__.py"} & files, name
    assert "counting/formulas/products.py" in files


@pytest.mark.parametrize("changed", ["of the library", "of the model"])
def test_an_edited_file_is_counted_again(folder, counts, monkeypatch, tmp_path, changed):
    library, model = tmp_path / "counter.py", tmp_path / "model.py"
    for file in (library, model):
        file.write_text("first")
    monkeypatch.setattr(cached, "counting_files", lambda: [library])
    monkeypatch.setattr(cached, "find_spec", lambda name: SimpleNamespace(origin=str(model)))
    monkeypatch.setattr(cached, "_library", cached._library.__wrapped__)  # as a new process would
    cached_profile("lstm")
    cached_profile("lstm")
    assert counts == ["lstm"]
    {"of the library": library, "of the model": model}[changed].write_text("second")
    cached_profile("lstm")
    assert counts == ["lstm"] * 2


def test_a_broken_file_is_not_believed(folder, counts):
    whole = cached_profile("lstm")
    (kept,) = folder.iterdir()
    kept.write_text(kept.read_text()[:100])
    assert cached_profile("lstm") == whole
    assert counts == ["lstm", "lstm"]


def test_a_machine_without_a_home_for_caches_counts_again(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [remembered("key", lambda: "made") for _ in range(2)] == ["made", "made"]


NET = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, width=5):
        super().__init__()
        self.first = nn.Linear(4, width, bias=False)
        self.second = nn.Linear(width, 6, bias=False)
"""
BATCH = Sizes(input=(3, 4))


@pytest.fixture
def net(tmp_path):
    """A file of two layers, 4 x width and width x 6, and the name of its network."""
    path = tmp_path / "two_layers.py"
    path.write_text(NET)
    return path, f"{path}:Net"


def test_a_network_of_a_file_is_counted_once(folder, counts, net):
    _, name = net
    counted = cached_profile(name, BATCH)
    assert counted.totals.macs == 3 * (4 * 5 + 5 * 6)
    assert counted.totals.params == 4 * 5 + 5 * 6
    assert cached_profile(name, BATCH) == counted
    assert counts == [name]
    (kept,) = folder.iterdir()
    assert kept.name.startswith("two-layers-py-Net-at-3x4-")  # which a reader can tell


def test_an_edited_network_is_counted_again(folder, counts, net):
    path, name = net
    cached_profile(name, BATCH)
    before = path.stat()
    path.write_text(NET.replace("width=5", "width=7"))  # as long, and in the same second
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cached_profile(name, BATCH).totals.params == 4 * 7 + 7 * 6
    assert counts == [name] * 2
    assert len(list(folder.iterdir())) == 2


def test_options_and_inputs_are_other_counts(folder, counts, net):
    _, name = net
    wide = cached_profile(name, Sizes(options={"width": 8}, input=(3, 4)))
    assert wide.totals.params == 4 * 8 + 8 * 6
    assert cached_profile(name, Sizes(input=(6, 4))).totals.macs == 6 * 50
    assert len(counts) == 2


# a sample's backward MACs: the first layer's weight takes 20, the second's 30, and what goes back
# through the second layer to the first another 30; nothing goes back to the input
@pytest.mark.parametrize(
    ("frozen", "macs", "trained"),
    [((), 20 + 30 + 30, 50), (("first",), 30, 30), (("sec",), 20 + 30, 20)],
)
def test_frozen_parameters_take_no_gradient(folder, net, frozen, macs, trained):
    _, name = net
    counted = cached_profile(name, Sizes(input=(3, 4), frozen=frozen))
    assert counted.totals.flops == 2 * 3 * 50  # forward they are as they were
    assert (counted.totals.params, counted.totals.trainable_params) == (50, trained)
    assert counted.backward.ratio_to_forward == pytest.approx(macs / 50)
    # in a ledger a frozen parameter is still the network's
    assert measured(counted, frozen=True).params == 50
    assert measured(counted).params == trained


def test_a_network_that_is_frozen_whole_has_no_training_to_count(folder, net):
    _, name = net
    with pytest.raises(WrongInputs, match="no parameter left to train; freeze fewer of them"):
        cached_profile(name, Sizes(input=(3, 4), frozen=("first", "second")))


def test_what_nothing_is_called_cannot_be_frozen(folder, net):
    _, name = net
    with pytest.raises(WrongInputs, match="no parameter 'frist' to freeze; did you mean first"):
        cached_profile(name, Sizes(input=(3, 4), frozen=("first", "frist")))


def test_a_network_without_a_known_input_says_what_to_give(folder, net):
    _, name = net
    with pytest.raises(WrongInputs, match="what goes in is not known; give --input"):
        cached_profile(name)


def without(library):
    return pytest.mark.skipif(
        importlib.util.find_spec(library) is None, reason=f"{library} is not installed"
    )


@without("timm")
def test_a_network_of_timm(folder):
    counted = cached_profile("timm:resnet18", Sizes(input=(1, 3, 224, 224)))
    assert counted.totals.params == 11_689_512  # timm's results tables: 11.69 M and 1.82 GMACs
    assert counted.totals.macs == pytest.approx(1.82e9, rel=0.004)


@without("transformers")
def test_a_configuration_of_transformers(folder, counts, tmp_path):
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 32, "n_layer": 2,
        "n_head": 4, "n_positions": 16, "vocab_size": 100,
    }  # fmt: skip
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(config))
    sizes = Sizes(input=("input_ids=1,16:int64",))
    counted = cached_profile(f"hf:{path}", sizes)
    # embeddings of 100 tokens and 16 places; 2 layers of 12 width^2 + 13 width; the last norm
    assert counted.totals.params == 116 * 32 + 2 * (12 * 32**2 + 13 * 32) + 2 * 32
    assert measured(counted).tokens == 16
    path.write_text(json.dumps(config | {"n_layer": 3}))
    deeper = cached_profile(f"hf:{path}", sizes)
    assert deeper.totals.params - counted.totals.params == 12 * 32**2 + 13 * 32
    assert len(counts) == 2


def test_what_is_not_there_is_not_counted(folder, tmp_path):
    with pytest.raises(WrongSource, match="there is no file"):
        cached_profile(f"{tmp_path / 'none.py'}:Net")
    assert not folder.exists()


def test_a_changed_module_of_a_package_is_counted_again(folder, counts, tmp_path, monkeypatch):
    package = tmp_path / "countednets"
    package.mkdir()
    (package / "__init__.py").touch()
    text = "from torch import nn\n\n\ndef small():\n    return nn.Linear(4, 2)\n"
    (package / "nets.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sizes = Sizes(input=("1,4",))
    for _ in range(2):
        assert cached_profile("countednets.nets:small", sizes).totals.macs == 4 * 2
    assert len(counts) == 1
    (package / "nets.py").write_text(text + "# changed\n")
    cached_profile("countednets.nets:small", sizes)
    assert len(counts) == 2


def test_a_cache_that_is_no_text_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "flopledger").mkdir()
    (tmp_path / "flopledger" / "key").write_bytes(b"\xff\xfe\x00")
    assert remembered("key", lambda: "made") == "made"
    assert (tmp_path / "flopledger" / "key").read_text() == "made"


def test_what_was_asked_for_longest_ago_goes_where_much_is_kept(folder, monkeypatch):
    monkeypatch.setattr(cached, "MOST_BYTES", 30)
    for day, key in enumerate(["first", "second", "third"]):
        cached.keep(key, "ten bytes.")
        os.utime(folder / key, (day, day))
    assert remembered("first", lambda: "anew") == "ten bytes."
    cached.keep("fourth", "ten bytes.")
    assert {file.name for file in folder.iterdir()} == {"first", "third", "fourth"}
    assert remembered("second", lambda: "anew") == "anew"
