"""peft: adapters on a small Llama."""

from collections.abc import Callable
from functools import partial
from typing import Any

import peft
import torch
import transformers
from rows import Network

PACKAGES = ("peft",)


def networks() -> dict[tuple[str, str], Callable[[], Network]]:
    """The factories, by library and network."""
    return {("peft", name): partial(_made, name) for name in ADAPTERS}


def _made(name: str) -> Network:
    config = transformers.LlamaConfig(
        hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=128,
    )  # fmt: skip
    kind, options = ADAPTERS[name]
    adapter = getattr(peft, kind)(task_type="CAUSAL_LM", **options)
    network = peft.get_peft_model(transformers.LlamaForCausalLM(config), adapter)
    return network, (), {"input_ids": torch.arange(12)[None]}


_LINEAR = {"target_modules": ["q_proj", "v_proj"]}
ADAPTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "LoRA": ("LoraConfig", _LINEAR | {"r": 4}),
    "LoRA of all layers": ("LoraConfig", {"target_modules": "all-linear", "r": 4}),
    "LoRA of the embedding": ("LoraConfig", {"target_modules": ["embed_tokens", "q_proj"], "r": 4}),
    "DoRA": ("LoraConfig", _LINEAR | {"r": 4, "use_dora": True}),
    "AdaLoRA": ("AdaLoraConfig", _LINEAR | {"init_r": 4, "target_r": 2, "total_step": 10}),
    "LoHa": ("LoHaConfig", _LINEAR | {"r": 4}),
    "LoKr": ("LoKrConfig", _LINEAR | {"r": 4}),
    "IA3": ("IA3Config", _LINEAR | {"feedforward_modules": []}),
    "OFT": ("OFTConfig", _LINEAR | {"oft_block_size": 16}),
    "BOFT": ("BOFTConfig", _LINEAR | {"boft_block_size": 4}),
    "VeRA": ("VeraConfig", _LINEAR | {"r": 4}),
    "FourierFT": ("FourierFTConfig", _LINEAR | {"n_frequency": 8}),
    "HRA": ("HRAConfig", _LINEAR | {"r": 4}),
    "prefix tuning": ("PrefixTuningConfig", {"num_virtual_tokens": 4}),
    "prompt tuning": ("PromptTuningConfig", {"num_virtual_tokens": 4}),
    "p-tuning": (
        "PromptEncoderConfig", {"num_virtual_tokens": 4, "encoder_hidden_size": 16}),
    "layer norms": ("LNTuningConfig", {"target_modules": ["input_layernorm"]}),
}  # fmt: skip
