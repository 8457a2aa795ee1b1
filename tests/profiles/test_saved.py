"""A profile is saved and read back whole, and every text that is none is refused in one line."""

import json

import pytest
import torch
from flopledger import BadProfile, FlopledgerError, Profile, profile
from flopledger.calls import Layer, OpCall
from flopledger.profiles.saved import read_profile
from flopledger.profiles.tables import Check, Input
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

COUNT = st.integers(0, 3) | st.integers(0, 2**70)
SHAPE = st.lists(st.integers(0, 9), max_size=3).map(tuple)
SHAPES = st.lists(SHAPE, max_size=2).map(tuple)
TEXT = st.text(max_size=5)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
PATHS = st.lists(TEXT, min_size=1, max_size=4, unique=True)


def calls_of(paths):
    call = st.builds(
        OpCall, path=st.sampled_from(paths), op=TEXT,
        inputs=SHAPES, outputs=SHAPES,
        macs=COUNT, other_flops=COUNT, counted=st.booleans(), backward=st.booleans(), params=TEXTS,
        masked_macs=COUNT, evenly=st.booleans(), recomputed=st.booleans(),
    )  # fmt: skip
    return st.lists(call, max_size=4).map(tuple)


def layers_of(paths):
    layer = st.builds(
        Layer, path=st.just(""), kind=TEXT, params=COUNT, trainable=COUNT, shared=TEXTS,
        calls=COUNT, output_shape=SHAPE, output_elements=COUNT, leaf=st.booleans(),
    )  # fmt: skip
    return st.tuples(*[layer.map(lambda drawn, path=path: _named(drawn, path)) for path in paths])


def _named(layer, path):
    fields = {name: getattr(layer, name) for name in Layer.__slots__}
    return Layer(**fields | {"path": path})


PROFILES = PATHS.flatmap(
    lambda paths: st.builds(
        Profile,
        model=TEXT, counter=TEXT, reason=TEXT, notes=TEXTS,
        inputs=st.lists(st.builds(Input, shape=SHAPE, dtype=TEXT), max_size=2).map(tuple),
        samples=st.integers(1, 9),
        calls=calls_of(paths),
        modules=layers_of(paths),
        check=st.builds(Check, counter=TEXT, macs=st.none() | COUNT,
                        agrees=st.none() | st.booleans(), reason=TEXT),
        backward_calls=st.none() | calls_of(paths),
        unused=st.none() | TEXTS,
        active_params=st.none() | COUNT,
    )
)  # fmt: skip


@given(PROFILES)
def test_what_is_saved_is_read_back_equal(original):
    again = Profile.from_json(original.to_json())
    assert again == original
    assert again.to_json() == original.to_json()


def test_a_count_comes_back_with_its_tables(tmp_path):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.LSTM(8, 3))
    counted = profile(network, torch.zeros(5, 1, 4, 4), backward=True)
    (tmp_path / "one.json").write_text(counted.to_json())
    again = read_profile(tmp_path / "one.json")
    assert again == counted
    assert again.layers.equals(counted.layers)
    assert again.backward == counted.backward


def test_it_is_what_the_command_line_writes_and_a_call_takes_a_line(capsys):
    from flopledger.cli.main import main

    with pytest.raises(SystemExit):
        main(["profile", "lstm", "--format", "json"])
    assert capsys.readouterr().out == profile("lstm").to_json()
    lines = profile("lstm").to_json().splitlines()
    assert sum('"op": ' in line for line in lines) == len(profile("lstm").calls)


ONE = profile(nn.Sequential(nn.Linear(4, 10, bias=False), nn.ReLU()), torch.zeros(2, 4))
WHOLE = json.loads(ONE.to_json())


def put(**keys):
    return json.dumps(WHOLE | keys)


def layer(**keys):
    return put(modules=[*WHOLE["modules"][:1], WHOLE["modules"][1] | keys, *WHOLE["modules"][2:]])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (json.dumps([WHOLE, WHOLE]), "a list of 2; write one model's"),
        ("3", "no saved profile, without a format"),
        ("{}", "no saved profile, without a format"),
        (put(format="flopledger profile 0"), "its format is 'flopledger profile 0', not"),
        (put(calls=None), "calls: Input should be a valid"),
        (json.dumps({k: v for k, v in WHOLE.items() if k != "modules"}), "modules: Field required"),
        (layer(params="40"), "modules.1.params: Input should be a valid integer"),
        (layer(params=True), "modules.1.params: Input should be a valid integer"),
        (layer(params=40.5), "modules.1.params: Input should be a valid integer"),
        (layer(params=41), "its layers and calls give params 41, its totals say 40"),
        (layer(params=-40), "a count is below 0"),
        (layer(path=""), "two layers have one path"),
        (layer(path="x"), "a call is of a layer that is not in modules"),
        (put(modules=[]), "a call is of a layer that is not in modules"),
        (put(samples=-1), "a count is below 0"),
        (put(samples=1), "its layers and calls give flops_per_param 4.0, its totals say 2.0"),
        (put(totals=None), "it has no totals"),
        (put().replace('"macs": 80', '"macs": NaN'), "it says NaN"),
        (
            put().replace('"macs": 80', '"macs": 1e999'),
            "calls.0.macs: Input should be a valid integer",
        ),
    ],
)
def test_a_text_that_is_no_profile(text, problem, tmp_path):
    path = tmp_path / "one.json"
    path.write_text(text)
    for read in (lambda: Profile.from_json(text), lambda: read_profile(path)):
        with pytest.raises(BadProfile) as refused:
            read()
        assert problem in str(refused.value)
        assert "profile MODEL --format json --output FILE" in str(refused.value)
        assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(FlopledgerError, match=r"none\.json: No such file or directory; write it"):
        read_profile(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"bytes\.json: not JSON"):
        read_profile(tmp_path / "bytes.json")
