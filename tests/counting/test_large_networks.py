"""Networks that nobody computes here: both counters agree on their layers at full width."""

import json

import pytest
import torch
from flopledger import profile

# as published in each one's config.json, with the first layers of each kind
CONFIGS = {
    "gpt-oss-120b": {
        "model_type": "gpt_oss", "architectures": ["GptOssForCausalLM"], "vocab_size": 201088,
        "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 2,
        "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64,
        "num_local_experts": 128, "num_experts_per_tok": 4, "sliding_window": 128,
    },
    "Mixtral 8x22B": {
        "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "vocab_size": 32000,
        "hidden_size": 6144, "intermediate_size": 16384, "num_hidden_layers": 2,
        "num_attention_heads": 48, "num_key_value_heads": 8, "num_local_experts": 8,
        "num_experts_per_tok": 2,
    },
    "DeepSeek-V3": {
        "model_type": "deepseek_v3", "architectures": ["DeepseekV3ForCausalLM"],
        "vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
        "moe_intermediate_size": 2048, "num_hidden_layers": 4, "num_attention_heads": 128,
        "num_key_value_heads": 128, "n_shared_experts": 1, "n_routed_experts": 256,
        "routed_scaling_factor": 2.5, "kv_lora_rank": 512, "q_lora_rank": 1536,
        "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128, "n_group": 8,
        "topk_group": 4, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
    },
    "Llama 3 405B": {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 128256,
        "hidden_size": 16384, "intermediate_size": 53248, "num_hidden_layers": 2,
        "num_attention_heads": 128, "num_key_value_heads": 8,
    },
    "Mamba-2 2.7B": {
        "model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"], "vocab_size": 50288,
        "hidden_size": 2560, "num_hidden_layers": 2, "num_heads": 80, "head_dim": 64,
        "state_size": 128, "n_groups": 1,
    },
}  # fmt: skip
TOKENS = 2048


@pytest.mark.filterwarnings("ignore")  # transformers' own
@pytest.mark.parametrize("name", CONFIGS)
def test_both_counters_agree(name, tmp_path):
    pytest.importorskip("transformers")
    config = CONFIGS[name]
    (tmp_path / "config.json").write_text(json.dumps(config))
    counted = profile(f"hf:{tmp_path}", torch.zeros(1, TOKENS, dtype=torch.int64))
    assert (counted.counter, counted.check.agrees, counted.complete) == ("fvcore", True, True)
    head = TOKENS * config["hidden_size"] * config["vocab_size"]
    assert counted.layers.set_index("layer").loc["lm_head", "macs"] == head


class Causal(torch.nn.Module):
    """One causal attention over what goes in."""

    def forward(self, x):
        return torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)


def test_no_counter_makes_the_square_of_a_causal_mask():
    # a million tokens, whose mask alone would be a terabyte; two products a score
    length, heads, width = 1 << 20, 2, 8
    x = torch.empty(1, heads, length, width, device="meta")
    counted = profile(Causal(), (x,))
    assert counted.total("macs") == heads * 2 * length**2 * width
    assert counted.totals.masked_macs == heads * 2 * (length * (length - 1) // 2) * width
    assert counted.check.agrees is True
