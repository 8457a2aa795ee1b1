"""The command line, in process: formats, exit codes, and one clear line for every mistake."""

import csv
import io
import json
import re

import pytest
import torch
from flopledger.cli.main import main
from flopledger.zoo import registry
from flopledger.zoo.registry import ModelSpec, Published
from torch import nn


@torch.library.custom_op("mystery::halve", mutates_args=())
def halve(x: torch.Tensor) -> torch.Tensor:
    """An operator that nobody has a formula for."""
    return x / 2


halve.register_fake(torch.empty_like)


class Mystery(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return halve(self.layer(x))


class Dead(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.dead = nn.Linear(4, 5), nn.Linear(4, 7)

    def forward(self, x):
        self.dead(x)
        return self.used(x)


class Raises(nn.Module):
    def forward(self, x):
        raise RuntimeError("this network\nalways raises")


NETWORKS = {
    "tiny": (lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), (1, 4)),
    "mystery": (Mystery, (4, 4)),
    "dead": (Dead, (1, 4)),
    "raises": (Raises, (1, 4)),
    "unbuilt": (lambda: nn.Linear(4, -1), (1, 4)),
    "no-module": (lambda: 3, (1, 4)),
    "no-inputs": (nn.ReLU, (-1,)),
    "bare": (nn.ReLU, (1, 4)),
    "contradicted": (lambda: nn.Linear(4, 5), (1, 4)),
}


@pytest.fixture(autouse=True)
def small_zoo(monkeypatch):
    """A zoo of the networks above, listed and registered."""
    specs = {
        name: ModelSpec(
            name=name,
            description=f"{name}.",
            factory=factory,
            inputs=lambda shape=shape: (torch.zeros(shape),),
            published=(Published("macs", 21, "a paper"),) if name == "contradicted" else (),
        )
        for name, (factory, shape) in NETWORKS.items()
    }
    listings = [
        registry.Listing(name=name, description=f"{name}.", year=None, paper="", module="")
        for name in specs
    ]
    monkeypatch.setattr(registry, "_specs", specs)
    monkeypatch.setattr(registry, "list_models", lambda: listings)
    monkeypatch.setattr("flopledger.cli.profile.list_models", lambda: listings)


MACS = 4 * 5 + 5 * 2


def test_json_has_exactly_the_documented_keys(run):
    code, out, err = run("profile", "tiny", "--format", "json", "--backward")
    parsed = json.loads(out)
    assert (code, err) == (0, [])
    assert list(parsed) == [
        "format", "model", "counter", "reason", "inputs", "samples", "totals", "layers",
        "uncounted", "coverage", "check", "backward", "backward_check", "unused", "active_params",
        "notes", "modules", "calls", "backward_calls",
    ]  # fmt: skip
    assert parsed["inputs"] == [{"shape": [1, 4], "dtype": "float32"}]
    params = 4 * 5 + 5 + 5 * 2 + 2
    assert parsed["totals"] == {
        "params": params, "trainable_params": params, "active_params": params,
        "macs": MACS, "masked_macs": 0, "flops": 2 * MACS,
        "other_flops": 5, "flops_per_param": 2 * MACS / params, "activations": 5 + 2,
    }  # fmt: skip
    assert parsed["layers"][0] == {
        "layer": "0", "kind": "linear", "calls": 1, "params": 25, "macs": 20, "flops": 40,
        "other_flops": 0, "flops_per_param": 40 / 25, "output_shape": [1, 5],
    }  # fmt: skip
    assert parsed["check"] == {"counter": "dispatch", "macs": MACS, "agrees": True, "reason": ""}
    assert parsed["backward"]["macs"] == 4 * 5 + 2 * (5 * 2)
    assert parsed["layers"][1]["flops_per_param"] is None


def test_several_models_are_a_list_in_json_and_one_table_in_csv(run):
    _, out, _ = run("profile", "tiny", "bare", "--format", "json")
    assert [each["model"] for each in json.loads(out)] == ["tiny", "bare"]
    _, out, _ = run("profile", "tiny", "bare", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["model"] for row in rows] == ["tiny", "tiny", "tiny", "bare"]
    assert sum(int(row["macs"]) for row in rows) == MACS


@pytest.mark.parametrize("form", ["table", "markdown", "html", "latex"])
@pytest.mark.parametrize("by", ["layer", "operator", "kind"])
def test_every_format_has_every_table_and_a_summary(run, form, by):
    code, out, err = run("profile", "tiny", "bare", "--format", form, "--by", by)
    assert (code, err) == (0, [])
    for word in ("tiny", "bare", "dispatch agrees", "beside the first"):
        assert word in out
    assert {"layer": "linear", "operator": "relu", "kind": "linear"}[by] in out


def test_a_batch_scales_the_work_not_the_ratio(run):
    parsed = json.loads(run("profile", "tiny", "--format", "json")[1])
    eight = json.loads(run("profile", "tiny", "--format", "json", "--batch", "8")[1])
    assert eight["totals"]["macs"] == 8 * MACS
    assert eight["totals"]["flops_per_param"] == parsed["totals"]["flops_per_param"]


def test_an_undefined_ratio_is_null_and_said(run):
    assert json.loads(run("profile", "bare", "--format", "json")[1])["totals"][
        "flops_per_param"
    ] is None  # fmt: skip
    assert "FLOPs per parameter are undefined" in run("profile", "bare")[1]


def test_strict_objects_to_what_is_uncounted(run):
    code, out, err = run("profile", "mystery", "--format", "json")
    assert code == 0
    assert json.loads(out)["uncounted"] == [
        {"operator": "mystery::halve", "calls": 1, "layers": [""]}
    ]
    assert any("mystery::halve is not counted" in line for line in err)
    assert "at least" in run("profile", "mystery")[1]
    assert run("profile", "mystery", "--strict")[0] == 3


def test_work_that_reaches_no_output_is_counted_and_named(run):
    # 4 x 5 of the layer that is used, 4 x 7 of the one whose result is thrown away
    code, out, _ = run("profile", "dead", "--format", "json")
    profile = json.loads(out)
    assert (code, profile["totals"]["macs"], profile["check"]["agrees"]) == (0, 48, True)
    assert any("dead" in note for note in profile["notes"])


def test_strict_objects_to_counters_that_disagree(run, monkeypatch):
    from flopledger.counting.trace import fvcore_counter

    assert run("profile", "tiny", "--strict")[0] == 0
    count = fvcore_counter.count

    def one_layer_short(*args, **kwargs):
        return count(*args, **kwargs)[:-1]

    monkeypatch.setattr(fvcore_counter, "count", one_layer_short)
    code, out, err = run("profile", "tiny", "--format", "json")
    check = json.loads(out)["check"]
    assert (code, check["agrees"]) == (0, False)
    assert len(err) == 1
    assert "they differ at" in err[0]
    assert run("profile", "tiny", "--strict")[0] == 3


def test_a_contradicted_figure_is_said(run):
    _, _, err = run("profile", "contradicted")
    assert len(err) == 1
    assert "macs are 20 here but 21 in a paper" in err[0]
    assert run("profile", "contradicted", "--input", "2,4")[2] == []


WRONG = {
    "tinny": "no model is called 'tinny'; did you mean tiny",
    "": "name a model; --list shows their names",
    "tiny --input 1,nan": "'nan' is not a size",
    "tiny --input 0,4": "'0' is not a size",
    "tiny --input -1,4": "'-1' is not a size",
    "tiny --input 1,4:float31": "no dtype is called 'float31'",
    "tiny --input 1,4 --input 1,4": "tiny takes 1 input(s), not 2",
    "tiny --batch 0": "--batch 0 is too small",
    "tiny --batch -3": "--batch -3 is too small",
    "tiny --batch x": "Input should be a valid integer",
    "tiny --depth -1": "--depth -1 is too small",
    "tiny --format xml": "'xml' is not one of",
    "tiny --counter thop": "'thop' is not one of",
    "tiny --output /no/such/folder/x": "the folder /no/such/folder does not exist",
    "tiny --output /": "is a folder; name a file in it",
    "tiny --no-such": "No such option",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_call_gives_one_clear_line_and_2(run, words):
    code, out, err = run("profile", *words.split())
    assert (code, out, len(err)) == (2, "", 1)
    assert WRONG[words] in err[0]


BAD = {
    "tiny --input 1,5": "stopped at layer 0, which got 1x5; change the input or that layer",
    "tiny --input 1,4:int64": "stopped at layer 0",
    "tiny --input 1,4:int64 --counter dispatch": "stopped at layer 0",
    "raises": "this network (stopped at layer (top), which got 1x4",
    "unbuilt": "unbuilt: its factory fails: RuntimeError: Trying to create tensor with negative",
    "no-module": "no-module: its factory makes a int, no torch.nn.Module",
    "no-inputs": "no-inputs: its example inputs fail: RuntimeError",
    "bare --backward": "no output requires a gradient",
}


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_profiled_gives_one_clear_line_and_1(run, words, tmp_path):
    output = tmp_path / "out.json"
    code, out, err = run("profile", *words.split(), "--output", str(output))
    assert (code, out, len(err)) == (1, "", 1)
    assert BAD[words] in err[0]
    assert not list(tmp_path.iterdir())


def test_debug_shows_the_traceback(run):
    from flopledger import ProfilingError

    with pytest.raises(ProfilingError):
        main(["profile", "raises", "--debug"])


def test_one_bad_model_does_not_cost_the_others(run):
    code, out, err = run("profile", "raises", "tiny", "--format", "json")
    assert code == 1
    assert [each["model"] for each in json.loads(out)] == ["tiny"]
    assert len(err) == 1


def test_an_interrupted_count_keeps_what_it_has(run, monkeypatch):
    from flopledger.counting import profiling

    real = profiling.counted

    def interrupted(name, *rest, **options):
        if name == "bare":
            raise KeyboardInterrupt
        return real(name, *rest, **options)

    monkeypatch.setattr(profiling, "counted", interrupted)
    code, out, err = run("profile", "tiny", "bare", "dead", "--format", "json")
    assert code == 130
    assert [each["model"] for each in json.loads(out)] == ["tiny"]
    assert err == ["flopledger: interrupted at bare; what was counted before it follows"]
    code, out, err = run("profile", "bare")
    assert (code, out, err) == (130, "", ["flopledger: interrupted at bare"])


def test_output_goes_to_a_file_whole(run, tmp_path):
    path = tmp_path / "out.json"
    code, out, err = run("profile", "tiny", "--format", "json", "--output", str(path))
    assert (code, out, err) == (0, "", [f"flopledger: written to {path}"])
    assert json.loads(path.read_text())["totals"]["macs"] == MACS


def test_the_list(run):
    code, out, _ = run("profile", "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(NETWORKS)


def test_time_and_memory_stand_beside_the_count(run):
    code, out, err = run("profile", "tiny", "--time", "--repeats", "1", "--memory", "--allocate")
    assert (code, err) == (0, [])
    for words in ("ms a pass", "measured", "bound by", "peak of a training step", "off by"):
        assert words in out
    parsed = json.loads(
        run("profile", "tiny", "--time", "--repeats", "1", "--memory", "--format", "json")[1]
    )
    assert parsed["time"]["repeats"] == 1
    assert {layer["layer"] for layer in parsed["time"]["layers"]} >= {"0"}
    assert parsed["memory"]["params_bytes"] == 4 * parsed["totals"]["params"]
    plain = json.loads(run("profile", "tiny", "--format", "json")[1])
    assert not {"time", "memory"} & plain.keys()


def test_memory_says_its_form_in_80_columns(run):
    words = ("--optimizer", "adamw", "--accumulate", "4", "--precision", "bf16-masters",
             "--checkpoint", "*", "--shard", "zero3:16")  # fmt: skip
    code, out, err = run("profile", "tiny", "--memory", *words)
    assert (code, err) == (0, [])
    table = out.partition("tiny: memory\n")[2].splitlines()
    assert [line.split(",")[0] for line in table[:4]] == [
        "4 micro-batches", "bf16-masters precision", "3 blocks checkpointed",
        "of one of 16 ranks under zero3",
    ]  # fmt: skip
    assert max(map(len, table)) <= 80
    assert {"float32 masters", "gathered parameters"} <= {
        re.split(r"  +", line)[0] for line in table[5:]
    }


def test_a_trace_may_weigh_seconds(run):
    words = ("--time", "--repeats", "1", "--weight", "seconds", "--format", "speedscope")
    err = json.loads(run("profile", "tiny", *words)[1])
    assert err["profiles"][0]["unit"] == "seconds"
    assert err["profiles"][0]["endValue"] > 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--allocate"], "--allocate checks what --memory works out; give both"),
        (["--shard", "zero3:8"], "--shard is a form of --memory; give both"),
        (["--precision", "bf16-mixed"], "--precision is a form of --memory; give both"),
        (["--checkpoint", "blocks"], "--checkpoint is a form of --memory; give both"),
        (["--memory", "--precision", "fp8"], "--precision 'fp8' is not one of bf16-mixed"),
        (["--memory", "--shard", "8"], "--shard '8' is no sharding; say zero1"),
        (["--memory", "--allocate", "--shard", "fsdp:2"], "--allocate runs one process"),
        (["--memory", "--checkpoint", "9"], "it has no '9'; there are"),
        (["--time", "--device", "cuda"], "there is no cuda here"),
        (["--time", "--device", "tpu"], "no device is called 'tpu'; say cpu or cuda"),
        (["--time", "--repeats", "0"], "repeats"),
        (["--weight", "seconds", "--format", "chrome"], "--weight seconds needs --time"),
        (["--weight", "seconds"], "--weight is of a trace"),
        (["--time", "--format", "csv"], "--time is shown by --format table and json"),
        (["--memory", "--format", "svg"], "--memory is shown by --format table and json"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(run, words, line):
    code, out, err = run("profile", "tiny", *words)
    assert (code, out) == (2, "")
    assert len(err) == 1
    assert line in err[0]


def test_what_a_network_prints_is_no_part_of_the_report(run, tmp_path):
    (tmp_path / "loud.py").write_text(
        "from torch import nn\n\nclass Loud(nn.Linear):\n    def __init__(self):\n"
        "        super().__init__(4, 5)\n\n    def forward(self, x):\n        print('hello')\n"
        "        return super().forward(x)\n"
    )
    words = ("profile", f"{tmp_path}/loud.py:Loud", "--input", "3,4", "--format", "json")
    code, out, err = run(*words)
    assert (code, "hello" in err) == (0, True)
    assert json.loads(out)["totals"]["macs"] == 3 * 4 * 5
