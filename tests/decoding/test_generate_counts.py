"""Prompts and new tokens of ten architectures, small, against products written out by hand."""

import json

import flopledger
import pytest
import torch
import torch.nn.functional as F
from passes_by_hand import absorbed_step, by_hand
from torch import nn

GROUPED = {
    "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
}  # fmt: skip
SMALL = {
    "gpt2": {"architectures": ["GPT2LMHeadModel"], "vocab_size": 96, "n_positions": 64,
             "n_embd": 32, "n_layer": 1, "n_head": 4},
    "llama": {**GROUPED, "architectures": ["LlamaForCausalLM"]},
    "mistral": {**GROUPED, "architectures": ["MistralForCausalLM"], "sliding_window": 12},
    "gemma3_text": {**GROUPED, "architectures": ["Gemma3ForCausalLM"], "num_hidden_layers": 2,
                    "head_dim": 10, "sliding_window": 8, "sliding_window_pattern": 2},
    "gpt_oss": {**GROUPED, "architectures": ["GptOssForCausalLM"], "num_hidden_layers": 2,
                "head_dim": 10, "num_local_experts": 6, "num_experts_per_tok": 2,
                "sliding_window": 12},
    "deepseek_v3": {**GROUPED, "num_hidden_layers": 2, "architectures": ["DeepseekV3ForCausalLM"],
                    "moe_intermediate_size": 16, "num_key_value_heads": 4, "n_shared_experts": 1,
                    "n_routed_experts": 8, "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1,
                    "kv_lora_rank": 12, "q_lora_rank": 20, "qk_rope_head_dim": 6,
                    "qk_nope_head_dim": 10, "v_head_dim": 8, "first_k_dense_replace": 1},
    "mixtral": {**GROUPED, "architectures": ["MixtralForCausalLM"], "num_local_experts": 4,
                "num_experts_per_tok": 2},
    "qwen3_moe": {**GROUPED, "architectures": ["Qwen3MoeForCausalLM"], "head_dim": 10,
                  "moe_intermediate_size": 16, "num_experts": 8, "num_experts_per_tok": 2},
    "mamba2": {"architectures": ["Mamba2ForCausalLM"], "vocab_size": 96, "hidden_size": 32,
               "num_hidden_layers": 1, "num_heads": 8, "head_dim": 8, "state_size": 6,
               "n_groups": 2, "expand": 2, "conv_kernel": 4, "chunk_size": 4},
    "falcon_h1": {**GROUPED, "architectures": ["FalconH1ForCausalLM"], "head_dim": 10,
                  "mamba_d_ssm": 48, "mamba_n_heads": 6, "mamba_d_head": 8, "mamba_n_groups": 1,
                  "mamba_d_state": 6, "mamba_d_conv": 4, "mamba_chunk_size": 4},
}  # fmt: skip
PROMPT, NEW, BATCH = 9, 7, 2  # a window of 8 is full before the new tokens, one of 12 among them


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The generation of a small model of that architecture, counted once."""
    pytest.importorskip("transformers")
    made = {}

    def of(name, batch=BATCH):
        if (name, batch) not in made:
            file = tmp_path_factory.mktemp(name) / "config.json"
            file.write_text(json.dumps({"model_type": name, **SMALL[name]}))
            made[name, batch] = flopledger.generation(
                f"hf:{file}", prefill=PROMPT, decode=NEW, batch=batch
            )
        return made[name, batch]

    return of


def hand_of(name):
    return by_hand({"model_type": name, **SMALL[name]})


@pytest.mark.parametrize("name", SMALL)
def test_macs_by_hand_and_both_counters(name, generated):
    own, hand = generated(name), hand_of(name)
    steps = [BATCH * hand.step(n) for n in range(PROMPT, PROMPT + NEW)]
    assert own.prompt.macs == BATCH * hand.prompt(PROMPT)
    assert own.prompt.needed_macs == BATCH * hand.needed(PROMPT)
    assert (own.first.macs, own.last.macs, own.new.macs) == (steps[0], steps[-1], sum(steps))
    assert own.whole.macs == own.prompt.macs + sum(steps)
    assert [p.check.agrees for p in own.profiles] == [True] * 3
    assert [p.total("macs") for p in own.profiles] == [own.prompt.macs, steps[0], steps[-1]]


@pytest.mark.parametrize("name", SMALL)
def test_the_caches_bytes_by_hand(name, generated):
    own, cached = generated(name), hand_of(name).cached
    float32 = 4
    assert [size.tokens for size in own.cache] == [PROMPT, PROMPT + NEW]
    assert [size.bytes for size in own.cache] == [
        BATCH * float32 * cached(n) for n in (PROMPT, PROMPT + NEW)
    ]
    assert own.first.cache_read_bytes == BATCH * float32 * cached(PROMPT)
    read = sum(BATCH * float32 * cached(n) for n in range(PROMPT, PROMPT + NEW))
    assert own.new.cache_read_bytes == read


def test_a_window_keeps_less_than_pages_do(generated):
    own = generated("mistral")
    token = 2 * 2 * 8 * 4 * BATCH  # keys and values, 2 groups of 8, float32
    assert own.cache[1].bytes == 11 * token  # of a window of 12 all but the one that comes
    assert own.cache[1].paged_bytes == (PROMPT + NEW) * token
    assert own.first.cache_written_bytes == own.last.cache_written_bytes == token


def test_latents_absorbed(generated):
    own, config = generated("deepseek_v3"), SMALL["deepseek_v3"]
    steps = [
        BATCH * absorbed_step({"model_type": "deepseek_v3", **config}, n)
        for n in range(PROMPT, PROMPT + NEW)
    ]
    assert (own.first.absorbed_macs, own.new.absorbed_macs) == (steps[0], sum(steps))
    assert generated("llama").first.absorbed_macs is None


def test_logits_at_the_last_position_alone(generated):
    own = generated("llama")
    left_out = BATCH * (PROMPT - 1) * 32 * 96
    assert own.prompt.last_logits_macs == own.prompt.macs - left_out


def test_parameters_read_of_a_dense_model(generated):
    own = generated("llama")
    rest = own.params - 96 * 32  # its table of tokens, of which a row each is looked up
    assert own.first.params_read == rest + BATCH * 32
    assert own.first.params_bytes == 4 * own.first.params_read
    assert own.new.params_read == NEW * own.first.params_read


def test_tied_tables_are_read_whole(generated):
    own = generated("gpt2")
    assert own.first.params_read == own.params - 64 * 32 + BATCH * 32  # positions: a row each


@pytest.mark.parametrize(("batch", "tokens"), [(1, 1), (2, 2), (1, PROMPT)])
def test_experts_expected_of_a_batch(batch, tokens, generated):
    own = generated("mixtral", batch)
    read = (own.prompt if tokens == PROMPT else own.first).params_read
    experts = 4 * 3 * 32 * 48  # 3 matrices each
    rest = own.params - experts - 96 * 32 + tokens * 32
    distinct = 1 - (1 - 2 / 4) ** tokens  # of them, where each token picks 2 of 4
    assert read == pytest.approx(rest + experts * distinct, rel=1e-12)


def test_the_law_is_told_where_it_holds(generated):
    own, step = generated("mistral"), hand_of("mistral").step
    assert [(piece.first, piece.last) for piece in own.laws] == [(9, 10), (11, 15)]
    law = own.laws[1].laws["macs"]
    assert law.coefficients == {0: BATCH * step(100)}  # the window is full


def test_many_tokens_are_summed_by_the_law(tmp_path):
    pytest.importorskip("transformers")
    config = {"model_type": "llama", **SMALL["llama"], "max_position_embeddings": 2**20}
    (tmp_path / "config.json").write_text(json.dumps(config))
    own = flopledger.generation(f"hf:{tmp_path}", prefill=5, decode=20_000)
    step = by_hand(config).step
    assert own.new.macs == sum(step(n) for n in range(5, 20_005))
    assert len(own.laws[0].counted) == 4


class Pairs(nn.Module):
    """One layer of attention; its keys and values are handed back beside the logits."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 16)
        self.qkv = nn.Linear(16, 48, bias=False)
        self.head = nn.Linear(16, 50, bias=False)

    def forward(self, ids, past=None):
        query, key, value = self.qkv(self.table(ids)).chunk(3, -1)
        if past is not None:
            key, value = torch.cat([past[0], key], 1), torch.cat([past[1], value], 1)
        y = F.scaled_dot_product_attention(query, key, value, is_causal=past is None)
        return self.head(y), (key, value)


def pairs(batch, tokens, last):
    ids = torch.ones(batch, tokens, dtype=torch.int64)
    return (ids,) if last is None else (ids, last[1])


def test_any_module_with_a_cache():
    own = flopledger.generation(Pairs(), prefill=6, decode=5, batch=3, inputs=pairs)
    token = 16 * 48 + 16 * 50
    assert own.prompt.macs == 3 * (6 * token + 2 * 16 * 6 * 6)
    assert own.prompt.needed_macs == 3 * (6 * token + 2 * 16 * 21)
    assert own.new.macs == 3 * sum(token + 2 * 16 * (n + 1) for n in range(6, 11))
    assert own.cache[0].bytes == 3 * 6 * 2 * 16 * 4
    assert own.prompt.last_logits_macs is None


class Keeps(nn.Linear):
    """All that came before is put together with what is new, which goes through one matrix."""

    def forward(self, new, cached=None):
        every = new if cached is None else torch.cat([cached, new], 1)
        return super().forward(new), every


def kept(batch, tokens, last):
    new = torch.zeros(batch, tokens, 8)
    return (new,) if last is None else (new, last[1])


def test_bytes_operator_by_operator():
    own = flopledger.generation(Keeps(8, 5), prefill=6, decode=40, inputs=kept)

    def step(n):  # one row: joined with those before it, and multiplied
        joined = n * 8 + 8 + (n + 1) * 8
        multiplied = 8 + 8 * 5 + 5 + 5
        return 4 * (joined + multiplied)

    assert own.first.operator_bytes == step(6)
    assert own.new.operator_bytes == sum(step(n) for n in range(6, 46))
    assert own.first.bytes_moved == 4 * (8 * 5 + 5 + 6 * 8 + 8)


def test_the_module_is_left_as_it_was():
    network = Pairs()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    flopledger.generation(network, prefill=3, decode=2, inputs=pairs)
    assert network.training
    assert all(torch.equal(before[name], own) for name, own in network.state_dict().items())


class Chunks(nn.Module):
    """A token attends to those of its own four; all are cached."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, new, cached=None):
        keys = new if cached is None else torch.cat([cached, new], 1)
        place = torch.arange(keys.shape[1])
        meets = (place // 4 == place[:, None] // 4) & (place <= place[:, None])
        mask = meets[-new.shape[1] :]
        return F.scaled_dot_product_attention(new * self.scale, keys, keys, mask), keys


def test_of_a_step_a_mask_of_flags_throws_away_what_it_says():
    def arguments(batch, tokens, last):
        new = torch.zeros(batch, tokens, 8)
        return (new,) if last is None else (new, last[1])

    own = flopledger.generation(Chunks(), prefill=8, decode=3, inputs=arguments)
    pair = 2 * 8  # a score, and its part of the sum of values
    assert [own.first.macs, own.last.macs] == [9 * pair, 11 * pair]
    assert [own.first.needed_macs, own.last.needed_macs] == [1 * pair, 3 * pair]
    assert own.prompt.needed_macs == 2 * (1 + 2 + 3 + 4) * pair
