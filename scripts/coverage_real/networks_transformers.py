"""transformers: one network a model type, of its configuration's defaults made small."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import transformers
from rows import Network

PACKAGES = ("transformers",)
TOKENS = 12

# what the fields of a configuration that cost something are called, and what they become
SMALL: dict[str, Any] = (
    dict.fromkeys("hidden_size d_model n_embd dim embed_dim embedding_size n_embed model_dim "
                  "lru_width hidden_dim emb_dim projection_dim".split(), 64)
    | dict.fromkeys("intermediate_size ffn_dim encoder_ffn_dim decoder_ffn_dim d_ff n_inner "
                    "ffn_hidden_size ff_size dense_ffn_hidden_size".split(), 96)
    | dict.fromkeys("num_hidden_layers num_layers n_layer n_layers encoder_layers decoder_layers "
                    "num_encoder_layers num_decoder_layers".split(), 4)
    | dict.fromkeys("num_attention_heads n_head n_heads num_heads encoder_attention_heads "
                    "decoder_attention_heads".split(), 4)
    | dict.fromkeys("num_key_value_heads num_kv_heads multi_query_group_num".split(), 2)
    | dict.fromkeys("head_dim d_kv attention_head_dim".split(), 16)
    | dict.fromkeys("vocab_size text_vocab_size".split(), 128)
    | dict.fromkeys("pad_token_id".split(), 0)
    | dict.fromkeys("bos_token_id decoder_start_token_id".split(), 1)
    | dict.fromkeys("eos_token_id".split(), 2)
    | dict.fromkeys("num_experts n_routed_experts num_local_experts moe_num_experts".split(), 4)
    | dict.fromkeys("num_experts_per_tok num_experts_per_token moe_k moe_topk top_k".split(), 2)
    | dict.fromkeys("moe_intermediate_size shared_expert_intermediate_size "
                    "expert_ffn_hidden_size".split(), 32)
    | {"kv_lora_rank": 16, "q_lora_rank": 24, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8,
       "v_head_dim": 16, "n_group": 1, "topk_group": 1, "max_position_embeddings": 256,
       "first_k_dense_replace": 1}
)  # fmt: skip


def networks() -> dict[tuple[str, str], Callable[[], Network]]:
    """The factories, by library and network."""
    transformers.logging.set_verbosity_error()
    _ = transformers.LlamaForCausalLM  # imports what all language models share
    return {
        ("transformers", f"{model_type} {head}"): partial(_made, head, model_type)
        for head, types in TYPES.items()
        for model_type in types.split()
    }


def _small(kind: Any, own: dict[str, Any]) -> dict[str, Any]:
    """What to give that configuration so that the fields that it has are small."""
    default = kind()
    fields = {name for name in SMALL if type(getattr(default, name, None)) is int}
    # a field of two names is given by the one that its class maps the other to
    aliases = getattr(kind, "attribute_map", {})
    given = {aliases.get(name, name): SMALL[name] for name in fields if name not in aliases} | own
    if hasattr(default, "qk_rope_head_dim"):  # latent attention: no head shares its keys
        given["num_key_value_heads"] = given["num_attention_heads"]
        given.pop("head_dim", None)
    for name in getattr(kind, "sub_configs", {}):
        if getattr(default, name, None) is not None and name not in own:
            given[name] = _small(type(getattr(default, name)), {})
    return given


def _made(head: str, model_type: str) -> Network:
    kind = transformers.CONFIG_MAPPING[model_type]
    config = kind(**_small(kind, OWN.get(model_type, {})))
    network = getattr(transformers, f"AutoModelFor{head}").from_config(config)
    return network, (), _inputs(network, config)


def _inputs(network: Any, config: Any) -> dict[str, Any]:
    main = network.main_input_name
    numbers = torch.arange(3, 3 + TOKENS)[None]
    if main == "pixel_values":
        vision = getattr(config, "vision_config", None) or config
        size = getattr(vision, "image_size", None) or 224
        height, width = size if isinstance(size, list | tuple) else (size, size)
        return {main: torch.rand(1, getattr(vision, "num_channels", 3), height, width)}
    if main == "input_values":
        return {main: torch.rand(1, 4000)}
    if main == "input_features":
        bands = getattr(config, "num_mel_bins", None) or 80
        return {main: torch.rand(1, bands, 200)}
    if config.is_encoder_decoder:
        return {main: numbers, "decoder_input_ids": numbers[:, : TOKENS // 2]}
    return {main: numbers}


OWN: dict[str, dict[str, Any]] = {
    "codegen": {"rotary_dim": 16},
    "gptj": {"rotary_dim": 16},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "hunyuan_v1_dense": {"head_dim": 16},
    "hunyuan_v1_moe": {"head_dim": 16},
    "ministral": {"head_dim": 16},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "mamba2": {"num_heads": 8},
    "nemotron": {"num_key_value_heads": 2, "head_dim": 16},
    "bamba": {"attn_layer_indices": [1, 3]},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "granitemoehybrid": {"layer_types": ["mamba", "attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "esm": {"vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32},
    "esmc": {"num_key_value_heads": 4},
    "xmod": {"default_language": "en_XX"},
    "falcon_h1": {"mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 16},
}

TYPES = {
    "CausalLM": """
        afmoe apertus arcee aria_text axk1 bamba bart beam bert big_bird biogpt bitnet blenderbot
        bloom codegen cohere cohere2 cohere2_moe cwm data2vec-text deepseek_v2 deepseek_v3
        diffllama doge electra emu3 ernie ernie4_5 ernie4_5_moe exaone4 exaone_moe falcon_h1
        falcon_mamba flex_olmo flint fuyu gemma gemma2 gemma3_text git glm glm4 glm4_moe
        glm4_moe_lite gpt2 gpt_bigcode gpt_neo gpt_neox gpt_neox_japanese gpt_oss gptj granite
        granitemoe granitemoehybrid granitemoeshared helium hunyuan_v1_dense hunyuan_v1_moe hy_v3
        hyperclovax internlm3 iquestcoder jais2 jamba jetmoe laguna lfm2 lfm2_moe lfm3 llama
        llama4_text mamba mamba2 marian mbart megatron-bert mellum mimo_v2_flash minicpm3 minimax
        minimax_m2 ministral ministral3 mistral mixtral modernbert-decoder mpt mvp nanochat
        nemotron nemotron_h olmo olmo2 olmo3 olmo_hybrid olmoe openai-gpt opt persimmon phi phi3
        phimoe qwen2 qwen2_moe qwen3 qwen3_moe qwen3_next recurrent_gemma rembert roberta roc_bert
        roformer rwkv seed_oss smollm3 solar_open stablelm starcoder2 vaultgemma xglm xlm
    """,
    "MaskedLM": """
        albert convbert deberta deberta-v2 distilbert esm eurobert fnet ibert longformer luke
        mobilebert modernbert mpnet nomic_bert nystromformer squeezebert yoso
    """,
    "Seq2SeqLM": """
        bigbird_pegasus fsmt led longt5 m2m_100 mt5 nllb-moe pegasus_x switch_transformers t5
        t5gemma umt5
    """,
    "ImageClassification": """
        beit convnext convnextv2 data2vec-vision dinov2 dinov2_with_registers focalnet hiera ijepa
        imagegpt mobilenet_v2 mobilevit mobilevitv2 poolformer pvt pvt_v2 resnet segformer siglip
        swiftformer vit vit_msn
    """,
    "CTC": "data2vec-audio hubert sew sew-d unispeech wav2vec2 wavlm",
}
