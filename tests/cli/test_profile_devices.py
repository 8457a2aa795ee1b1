"""`flopledger profile --on`: devices that are named, shown in each form and refused in a line."""

import json

import pytest
from flopledger.clock.named_devices import named_device
from svg_texts import places_of, texts_of

ON = ("--on", "h100-sxm", "--dtype", "bf16")


def test_each_device_has_its_bound(run):
    code, out, errors = run("profile", "dqn", *ON, "--on", "l4", "--no-check")
    assert (code, errors) == (0, [])
    assert "on h100-sxm, bfloat16: at most" in out
    assert "on l4, bfloat16: at most" in out


def test_json_has_it_with_a_training_step(run):
    _, out, _ = run("profile", "dqn", *ON, "--optimiser", "sgd", "--no-check", "--format", "json")
    roofline = json.loads(out)["roofline"]
    assert (roofline["optimiser"], roofline["dtype"]) == ("sgd", "bfloat16")
    assert roofline["devices"][0]["layers"][-1]["layer"] == "(optimiser)"


def test_the_picture_names_the_finding_and_the_source(run):
    _, out, _ = run("profile", "dqn", *ON, "--fused", "--no-check", "--format", "svg")
    assert "<svg" in out
    told = " ".join(texts_of(out))
    for source in named_device("h100-sxm", "bfloat16").sources():
        assert " ".join(source.split()) in " ".join(told.split())
    assert "memory sets the limit for" in out
    assert "H100 data sheet" in out


def test_no_label_covers_another(run, tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        "from torch import nn\n"
        "def net():\n"
        "    layers = {f'a_layer_of_a_long_name_{n}': nn.Conv2d(n, 2 * n, 3)\n"
        "              for n in (2, 4, 8, 16, 32, 64)}\n"
        "    net = nn.Sequential()\n"
        "    [net.add_module(*layer) for layer in layers.items()]\n"
        "    return net\n"
    )
    _, out, _ = run("profile", f"{file}:net", "--input", "1,2,64,64", "--on", "h100-sxm",
                    "--no-check", "--format", "svg")  # fmt: skip
    labels = [place for place in places_of(out) if place[0].startswith("a_layer")]
    assert len(labels) > 1
    for number, (_, left, right, y) in enumerate(labels):
        for _, begin, end, other in labels[:number]:
            assert right < begin or end < left or abs(y - other) > 10


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--on", ""], "names no device; say h100-sxm"),
        (["--on", "h1000"], "no device is called 'h1000'; did you mean h100"),
        (["--on", "v100-sxm2-16gb", "--dtype", "bf16"], "no peak at bfloat16"),
        (["--on", "h100", "--utilisation", "0"], "no share"),
        (["--on", "h100", "--utilisation", "nan"], "no share"),
        (["--dtype", "bf16"], "--dtype is of --on"),
        (["--fused"], "--fused is of --on"),
        ([*ON, "--format", "csv"], "--on is shown by --format table, json, html, svg, png"),
    ],
)
def test_what_cannot_be_is_refused_before_counting(run, words, line):
    code, out, errors = run("profile", "alexnet", *words)
    assert (code, out, len(errors)) == (2, "", 1)
    assert line in errors[0]
