"""transformers' architectures against their papers' sizes and products written out by hand."""

import json
from functools import cache

import pytest
from flopledger.counting.profiling import counted
from flopledger.counting.subject import built
from flopledger.zoo.sources import find

B = 1_000_000_000


def layer(width, tokens, keys, inner, kv=None, gated=False):
    """MACs of a transformer's layer: projections, attention's full square, a perceptron."""
    kv = width if kv is None else kv
    projections = tokens * (2 * width * width + 2 * width * kv)
    perceptron = tokens * width * inner * (3 if gated else 2)
    return projections + 2 * tokens * keys * width + perceptron


# 12 layers of width 768, 128 tokens, and a pooler of the first token: Devlin et al. 2019, section 3
BERT = 12 * layer(768, 128, 128, 3072) + 768 * 768
# 12 layers of width 768: Radford et al. 2019, table 2; no head in the base model
GPT2 = 12 * layer(768, 128, 128, 3072)
# Touvron et al. 2023 (Llama 2), table 1 and section 2.2; 32,000 tokens
LLAMA_7B = 32 * layer(4096, 2048, 2048, 11008, gated=True) + 2048 * 4096 * 32000
LLAMA_70B = 80 * layer(8192, 2048, 2048, 28672, kv=1024, gated=True) + 2048 * 8192 * 32000
# Jiang et al. 2024, table 1: of 8 experts a token meets 2, chosen by a matrix [4096, 8]
MIXTRAL = 32 * (
    layer(4096, 64, 64, 0, kv=1024) + 64 * 2 * 3 * 4096 * 14336 + 64 * 4096 * 8
) + 64 * 4096 * 32000  # fmt: skip
# Raffel et al. 2020, section 3.1.1 (small): 6 and 6 layers of width 512 whose attention is 8 x 64
# wide; a decoder's layer also meets the encoder's tokens
CROSS = 128 * 4 * 512 * 512 + 2 * 128 * 128 * 512
T5 = 2 * 6 * layer(512, 128, 128, 2048) + 6 * CROSS

LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32000}
NETWORKS = {
    "bert": ({"model_type": "bert"}, {"input_ids": (1, 128)}, BERT, 109_482_240),
    "gpt2": ({"model_type": "gpt2"}, {"input_ids": (1, 128)}, GPT2, 124_439_808),
    "llama 7B": (LLAMA, {"input_ids": (1, 2048)}, LLAMA_7B, 6_738_415_616),
    "llama 70B": (
        LLAMA
        | {"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
           "num_attention_heads": 64, "num_key_value_heads": 8},
        {"input_ids": (1, 2048)},
        LLAMA_70B,
        68_976_648_192,
    ),
    "mixtral": (
        {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral"},
        {"input_ids": (1, 64)},
        MIXTRAL,
        46_702_792_704,
    ),
    "t5": (
        {"model_type": "t5"},
        {"input_ids": (1, 128), "decoder_input_ids": (1, 128)},
        T5,
        60_506_624,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def count(tmp_path_factory):
    """A network's profile by dispatch, which these figures are held against."""
    torch = pytest.importorskip("torch")

    @cache
    def of(name):
        config, shapes, *_ = NETWORKS[name]
        folder = tmp_path_factory.mktemp("configuration")
        (folder / "config.json").write_text(json.dumps(config))
        named = find(f"hf:{folder}", {})
        inputs = {key: torch.zeros(shape, dtype=torch.int64) for key, shape in shapes.items()}
        module = built(named.name, named.factory)
        return counted(name, module, ((), inputs), counter="dispatch", check=False)

    return of


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_by_hand_and_parameters_as_released(name, count):
    *_, by_hand, params = NETWORKS[name]
    assert count(name).complete
    assert count(name).total("macs") == by_hand
    assert count(name).total("params") == params


def test_a_mixture_names_the_parameters_that_one_token_meets(count):
    # six of eight experts, three matrices each, in 32 layers, stay out: 12.9 billion of 46.7 are
    # left, as Jiang et al. 2024, section 1, say ("13B active")
    active = count("mixtral").total("active_params")
    assert active == 46_702_792_704 - 32 * 6 * 3 * 4096 * 14336
    assert active == pytest.approx(13 * B, rel=0.02)
