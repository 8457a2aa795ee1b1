"""No published speed of decoding exceeds what the roofline says at most."""

import csv
from functools import cache
from pathlib import Path

import flopledger
import pytest
import torch
from flopledger.zoo.libraries import imported

FACTS = Path(__file__).parents[2] / "facts"
CONFIGS = {"Llama-2-7B": "LlamaConfig", "Mixtral-8x7B": "MixtralConfig"}  # as they are by default
LAYERS = 32  # of both; each moves the same bytes


@cache
def bytes_of_a_token(model, dtype, layers):
    library = imported("transformers", "hf")
    config = getattr(library, CONFIGS[model])(num_hidden_layers=layers)
    with torch.device("meta"):
        network = library.AutoModelForCausalLM.from_config(config).eval()
    ids = torch.zeros(1, 1, dtype=torch.long)
    whole = flopledger.roofline(network, (), {"input_ids": ids}, on="a100-80gb", dtype=dtype)
    return whole.devices[0].bytes


@pytest.mark.parametrize("row", csv.DictReader((FACTS / "published_decoding.csv").open()))
def test_a_measured_speed_is_below_what_is_at_most(row):
    one, two = (bytes_of_a_token(row["model"], row["dtype"], layers) for layers in (1, 2))
    moved = one + (LAYERS - 1) * (two - one)
    bandwidth = {"a100-80gb": 2039e9, "mi250x": 1640e9}[row["device"]]
    at_most, measured = bandwidth / moved, float(row["tokens_per_second"])
    assert measured < at_most
    assert measured > 0.4 * at_most  # and the bound says something


def test_of_mixtral_a_token_reads_two_experts_of_eight():
    two_layers, one = (bytes_of_a_token("Mixtral-8x7B", "int8", layers) for layers in (2, 1))
    attention = 2 * 4096 * 4096 + 2 * 4096 * 1024  # 32 query heads of 128, 8 of keys and values
    experts, router, norms = 2 * 3 * 4096 * 14336, 8 * 4096, 2 * 4096
    assert two_layers - one == pytest.approx(attention + experts + router + norms, rel=1e-5)
