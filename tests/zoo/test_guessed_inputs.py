"""Example inputs, guessed: the shapes that the models' own documentation gives."""

import importlib.util

import pytest
import torch
from flopledger.zoo.guessed_inputs import guessed
from flopledger.zoo.sources import find
from torch import nn


def shapes(tree):
    (args, kwargs), _ = tree
    return [tuple(t.shape) for t in args], {name: tuple(t.shape) for name, t in kwargs.items()}


def built(source):
    with torch.device("meta"):
        return find(source).factory()


def test_nothing_is_guessed_of_an_unknown_network():
    assert guessed(nn.Linear(3, 4)) is None


def test_lightnings_example():
    network = nn.Linear(3, 4)
    network.example_input_array = torch.zeros(2, 3)
    assert shapes(guessed(network)) == ([(2, 3)], {})


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed")
def test_timms_input_size():
    # timm's configurations: EfficientNet-B4 is trained at 320 pixels
    assert shapes(guessed(built("timm:efficientnet_b4"))) == ([(1, 3, 320, 320)], {})


transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="transformers is not installed"
)


def configured(kind, **sizes):
    from flopledger.zoo.libraries import imported

    library = imported("transformers", "hf")
    config = library.CONFIG_MAPPING[kind](**sizes)
    with torch.device("meta"):
        return library.AutoModel.from_config(config)


@transformers
@pytest.mark.parametrize(
    ("kind", "kwargs"),  # from each one's default configuration
    [
        ("bert", {"input_ids": (1, 512)}),
        ("gpt2", {"input_ids": (1, 1024)}),
        ("t5", {"input_ids": (1, 512), "decoder_input_ids": (1, 512)}),
        ("vit", {"pixel_values": (1, 3, 224, 224)}),
        ("clip", {"input_ids": (1, 77), "pixel_values": (1, 3, 224, 224)}),
        ("wav2vec2", {"input_values": (1, 16_000)}),
        ("whisper", {"input_features": (1, 80, 3000), "decoder_input_ids": (1, 448)}),
    ],
)
def test_transformers_configurations(kind, kwargs):
    assert shapes(guessed(configured(kind))) == ([], kwargs)
